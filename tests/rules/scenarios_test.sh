#!/bin/sh
# scenarios_test.sh PROGRAM REPO: every scenario and grid that we ship can be run as it is; those of a data set that is not here are
# skipped, and said to be.
set -eu
cd "$2"
for scenario in scenarios/*.textproto scenarios/*/*.textproto; do
  if grep -q '\${SOUK_DATA}' "$scenario" && [ -z "${SOUK_DATA:-}" ]; then
    echo "skipped: $scenario (SOUK_DATA is not set)"
    continue
  fi
  if grep -q '^base:' "$scenario"; then
    "$1" sweep plan "$scenario" --out /nonexistent >/dev/null
  else
    "$1" check "$scenario" >/dev/null
  fi
  echo "fine: $scenario"
done
