#!/bin/sh
# docs_test.sh PROGRAM REPO: the generated documents are what the program prints, so they never lag the schema.
set -eu
program=$1
cd "$2"
printed=$(mktemp -d)
trap 'rm -rf "$printed"' EXIT
.ci/generate-docs "$program" "$printed"
if ! diff -u docs/scenarios.md "$printed/scenarios.md" || ! diff -ru docs/aggregators "$printed/aggregators" ||
  ! diff -ru docs/attacks "$printed/attacks" || ! diff -ru docs/market "$printed/market" ||
  ! diff -ru docs/defences "$printed/defences" || ! diff -ru docs/models "$printed/models" ||
  ! diff -ru docs/unlearning "$printed/unlearning" || ! diff -ru docs/codecs "$printed/codecs"; then
  echo "the generated documents are not what the program prints; write them anew: .ci/generate-docs build/souk docs" >&2
  exit 1
fi
