#!/bin/sh
# Runs a program and starts it again when it was killed, in the same container: with its GPU, its cache and its address.
#
#   supervise.sh PROGRAM [ARGUMENT...]
#
# A run of a model cannot be cancelled, so a runtime whose run hangs kills itself. As PID 1 it could not (the kernel ignores a SIGKILL that PID 1
# sends itself), and the kubelet's restart would be slower and lose the cache. A program that ends by itself, whatever its status, is not restarted.
#
# PILOTLIGHT_TERMINATION_LOG  file for the reason when it gives up
set -u

most_restarts=3
window_seconds=600

terminating=
child=

terminate() {
  terminating=1
  [ -z "$child" ] || kill -TERM "$child" 2>/dev/null
}
trap terminate TERM INT

# Sets `status` to the child's. A trapped signal ends `wait` early; the child is then still there, and is waited for again.
wait_for_child() {
  while :; do
    wait "$child"
    status=$?
    kill -0 "$child" 2>/dev/null || return 0
  done
}

# SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGSEGV: what a crash, the kernel or the program's own watchdog ends it with.
was_killed() {
  case $1 in
    132 | 134 | 135 | 136 | 137 | 139) return 0 ;;
    *) return 1 ;;
  esac
}

# `recent` holds the times of the restarts that are younger than the window.
may_restart() {
  now=$(date +%s)
  kept=
  count=0
  for time in $recent; do
    if [ "$((now - time))" -lt "$window_seconds" ]; then
      kept="$kept $time"
      count=$((count + 1))
    fi
  done
  recent="$kept $now"
  [ "$count" -lt "$most_restarts" ]
}

recent=
while :; do
  "$@" </dev/null &
  child=$!
  # The signal may have come between the trap and the child.
  [ -z "$terminating" ] || kill -TERM "$child" 2>/dev/null
  wait_for_child
  if [ -n "$terminating" ] || ! was_killed "$status"; then break; fi
  if ! may_restart; then
    echo "supervise.sh: the program was killed again (status $status) after $most_restarts restarts; giving up." >&2
    if [ -n "${PILOTLIGHT_TERMINATION_LOG:-}" ]; then
      printf '{"reason":"RuntimeHung","message":"The runtime was killed %s times in %s minutes (last status %s): a run did not end within twice its timeout, or memory ran out."}\n' \
        "$((most_restarts + 1))" "$((window_seconds / 60))" "$status" >"$PILOTLIGHT_TERMINATION_LOG"
    fi
    break
  fi
  echo "supervise.sh: the program was killed (status $status); starting it again." >&2
done

exit "$status"
