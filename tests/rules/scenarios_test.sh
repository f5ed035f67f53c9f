#!/bin/sh
# scenarios_test.sh PROGRAM REPO: every scenario and grid that we ship can be run as it is; those of a data set that is not here are
# skipped, and said to be.
set -eu
cd "$2"
for scenario in scenarios/*.textproto scenarios/*/*.textproto scenarios/*/*/*.textproto; do
  base=$(sed -n 's/^base: "\(.*\)"$/\1/p' "$scenario")
  if [ -n "$base" ]; then base=$(dirname "$scenario")/$base; fi
  # shellcheck disable=SC2086 # no base, no word
  if grep -q '\${SOUK_DATA}' "$scenario" $base && [ -z "${SOUK_DATA:-}" ]; then
    echo "skipped: $scenario (SOUK_DATA is not set)"
    continue
  fi
  if grep -q ' python {' "$scenario" && "$1" check "$scenario" 2>&1 | grep -q 'built without Python'; then
    echo "skipped: $scenario (this build has no Python)"
    continue
  fi
  if [ -n "$base" ]; then
    "$1" sweep plan "$scenario" --out /nonexistent >/dev/null
  else
    "$1" check "$scenario" >/dev/null
  fi
  echo "fine: $scenario"
done
