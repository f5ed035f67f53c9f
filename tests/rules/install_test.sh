#!/bin/sh
# install_test.sh BUILD_DIRECTORY: what `cmake --install` puts in place runs from there.
set -eu
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
cmake --install "$1" --prefix "$prefix" >/dev/null
"$prefix/bin/souk" --version
cd "$prefix"
bin/souk run share/souk/scenarios/quickstart.textproto -q --set rounds=1 --out run
