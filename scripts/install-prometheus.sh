#!/usr/bin/env bash
# Sees to it that `prometheus` and `promtool` are there for the test of dashboards and alert rules. On Debian it installs them, without leaving the service
# that the package would start; elsewhere it says where they are to be had.
set -euo pipefail
if command -v prometheus >/dev/null && command -v promtool >/dev/null; then exit 0; fi
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
  echo "prometheus and promtool are missing. As root on Debian or Ubuntu: apt-get install --no-install-recommends prometheus. Elsewhere: https://prometheus.io/download" >&2
  exit 1
fi
# Debian asks this program whether a package may start its service; 101 is no. Whatever stands there stays.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends prometheus >/dev/null
# Nor at the next boot.
if command -v systemctl >/dev/null; then systemctl disable --quiet prometheus || true; fi
