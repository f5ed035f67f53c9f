#!/bin/sh
# browser_test.sh SOUK DIRECTORY: browser_test.mjs under Node, or exit code 77 where there is none.
command -v node >/dev/null || { echo "skipped: node is not installed"; exit 77; }
exec node "$(dirname "$0")/browser_test.mjs" "$1" "$2"
