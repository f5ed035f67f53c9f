#!/bin/sh
# Sets up a bare Debian 12 or Ubuntu machine: installs what is missing with apt-get, gets the libraries of the report with
# npm, then configures and builds. Running it again does only what is left to do.
#   ./setup.sh [PRESET]   (release; debug, asan)
set -eu

PATH=$PATH:/usr/sbin:/sbin # ldconfig is not in a Debian user's PATH
preset=${1:-release}
cd "$(dirname "$0")"

say() { printf 'setup: %s\n' "$*"; }
fail() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

packages="g++ cmake ninja-build pkg-config git ca-certificates
  libopenmpi-dev openmpi-bin openssh-client libtorch-dev libopenblas0-pthread libopenblas-dev
  libprotobuf-dev protobuf-compiler libspdlog-dev libfmt-dev libcli11-dev libsqlite3-dev
  libhwy-dev zlib1g-dev libpng-dev libjpeg62-turbo-dev libcurl4-openssl-dev libssl-dev
  nlohmann-json3-dev libcpp-httplib-dev libgtest-dev libgmock-dev libbenchmark-dev"

# Ubuntu calls libjpeg-turbo's headers otherwise.
if ! apt-cache show libjpeg62-turbo-dev >/dev/null 2>&1 && grep -qi ubuntu /etc/os-release 2>/dev/null; then
  packages=$(printf '%s' "$packages" | sed 's/libjpeg62-turbo-dev/libjpeg-turbo8-dev/')
fi

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Without these everything works but the charts of reports and the test of them; they may come from elsewhere than Debian.
optional=""
command -v node >/dev/null 2>&1 || optional="$optional nodejs"
command -v npm >/dev/null 2>&1 || optional="$optional npm"
command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || optional="$optional chromium"

missing=""
command -v dpkg-query >/dev/null 2>&1 || fail "this is no Debian or Ubuntu machine (no dpkg): install the packages named in $0 by hand, then run cmake --preset $preset"
for package in $packages; do
  is_installed "$package" || missing="$missing $package"
done

# install PACKAGES: through apt-get, as root or with sudo; false where that fails.
install() {
  command -v apt-get >/dev/null 2>&1 || return 1
  if [ "$(id -u)" -eq 0 ]; then
    as_root=""
  elif command -v sudo >/dev/null 2>&1; then
    as_root=sudo
  else
    say "installing needs root or sudo"
    return 1
  fi
  $as_root apt-get update -qq &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

if [ -n "$missing" ]; then
  say "installing$missing"
  install $missing || fail "could not install:$missing"
else
  say "all packages are installed"
fi

if [ -n "$optional" ]; then
  say "installing$optional"
  install $optional || say "could not install$optional: without them, reports have no charts or their test is skipped"
fi

# The libraries that draw the figures of reports; npm checks them against the hashes in package-lock.json.
report=analysis/report
if [ ! $report/node_modules/.package-lock.json -nt $report/package-lock.json ]; then
  (cd $report && npm ci --silent --ignore-scripts --no-audit --no-fund --fetch-retries=1 --fetch-timeout=30000) >/dev/null 2>&1 ||
    say "npm could not get Vega: everything else works, but the report will contain tables but no charts"
fi

# Debian's LibTorch computes with whatever libblas.so.3 is; the reference BLAS is some twenty times slower.
blas=$(readlink -f "$(ldconfig -p | awk '/libblas\.so\.3 /{print $NF; exit}')") || fail "libblas.so.3 is not there"
case "$blas" in
*openblas*) ;;
*) fail "libblas.so.3 is $blas and not OpenBLAS: choose it with 'update-alternatives --config libblas.so.3-$(uname -m)-linux-gnu'" ;;
esac

say "configuring and building (preset $preset)"
cmake --preset "$preset" >build-setup.log 2>&1 || {
  cat build-setup.log >&2
  fail "cmake failed: see above"
}
rm -f build-setup.log
cmake --build --preset "$preset" --parallel "$(nproc)" || fail "the build failed: see above"
say "done: $(ls -d build/souk build-"$preset"/souk 2>/dev/null | head -n 1)"
