#!/usr/bin/env bash
# Makes Triton's perf_analyzer ready in the folder $1 and prints the command that starts it, one word a line. PyPI's package brings the program for
# Linux with glibc 2.38. On an older Debian, that of the next release is unpacked beside it, for this program alone. Elsewhere it says what is missing.
set -euo pipefail
version=2.60.0
needed=2.38
directory=$1
program="$directory/perf_analyzer/bin/perf_analyzer"
libraries="$directory/libraries"
mkdir -p "$directory"

case $(uname -sm) in
  'Linux x86_64') platform=manylinux_2_38_x86_64 machine=x86_64 ;;
  'Linux aarch64') platform=manylinux_2_38_aarch64 machine=aarch64 ;;
  *) echo "perf_analyzer is made for Linux alone" >&2 && exit 1 ;;
esac
if [ ! -x "$program" ]; then
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --platform "$platform" -d "$directory" "perf-analyzer==$version"
  python3 -m zipfile -e "$directory"/perf_analyzer-"$version"-*.whl "$directory"
  chmod +x "$program"
fi

glibc=$(ldd --version | sed -n '1s/.* //p')
if [ "$(printf '%s\n%s\n' "$needed" "$glibc" | sort -V | head -n 1)" = "$needed" ]; then
  echo "$program"
  exit
fi
if ! command -v apt-get >/dev/null || [ ! -e /usr/share/keyrings/debian-archive-keyring.gpg ]; then
  echo "perf_analyzer needs glibc $needed; here is $glibc" >&2
  exit 1
fi
if [ ! -e "$libraries/complete" ]; then
  mkdir -p "$libraries/state/lists/partial" "$libraries/cache/archives/partial"
  echo 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main' >"$libraries/sources.list"
  options=(-qq -o "Dir::Etc::SourceList=$libraries/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State=$libraries/state"
    -o "Dir::Cache=$libraries/cache" -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update >&2
  (cd "$libraries" && apt-get "${options[@]}" download libc6 libgcc-s1 libstdc++6 libssl3t64 zlib1g libzstd1 >&2)
  for package in "$libraries"/*.deb; do dpkg-deb -x "$package" "$libraries/root"; done
  touch "$libraries/complete"
fi
root="$libraries/root"
printf '%s\n' "$(find "$root" -name 'ld-linux-*.so.*' -print -quit)" --library-path "$root/usr/lib/$machine-linux-gnu:$root/lib/$machine-linux-gnu" "$program"
