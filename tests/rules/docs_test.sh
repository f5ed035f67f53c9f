#!/bin/sh
# docs_test.sh PROGRAM REPO: docs/scenarios.md is what the program prints, so the reference never lags the schema.
set -eu
program=$1
cd "$2"
printed=$(mktemp)
trap 'rm -f "$printed"' EXIT
"$program" reference >"$printed"
if ! diff -u docs/scenarios.md "$printed"; then
  echo "docs/scenarios.md is not what the program prints; write it anew: build/souk reference > docs/scenarios.md" >&2
  exit 1
fi
