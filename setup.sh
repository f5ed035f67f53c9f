#!/bin/sh
# Sets up a bare Debian or Ubuntu machine: installs what is missing with apt-get, gets the libraries of the report with npm,
# then configures and builds. Running it again does only what is left to do.
#   ./setup.sh [tests] [PRESET]
# builds the program alone, or with `tests` the tests and benchmarks, too. PRESET is release (the default), debug, or asan.
set -eu

PATH=$PATH:/usr/sbin:/sbin # ldconfig is not in a Debian user's PATH
cd "$(dirname "$0")"

say() { printf 'setup: %s\n' "$*"; }
fail() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

what=program
preset=release
for word in "$@"; do
  case "$word" in
  tests) what=tests ;;
  release) preset=release ;;
  debug | asan) preset=$word ;;
  *) fail "'$word' is neither 'tests' nor a preset: ./setup.sh [tests] [release|debug|asan]" ;;
  esac
done
[ "$preset" = release ] && folder=build || folder=build-$preset

packages="g++ cmake ninja-build pkg-config git ca-certificates
  libopenmpi-dev openmpi-bin openssh-client libtorch-dev libopenblas0-pthread libopenblas-dev
  libprotobuf-dev protobuf-compiler libspdlog-dev libfmt-dev libcli11-dev libsqlite3-dev
  libhwy-dev zlib1g-dev libpng-dev libjpeg62-turbo-dev libcurl4-openssl-dev libssl-dev
  nlohmann-json3-dev libcpp-httplib-dev python3-dev python3-numpy pybind11-dev"
if [ $what = tests ]; then
  packages="$packages libgtest-dev libgmock-dev libbenchmark-dev
    python3-numpy python3-pandas python3-protobuf python3-pytest python3-matplotlib"
fi

# Ubuntu calls libjpeg-turbo's headers otherwise.
if ! apt-cache show libjpeg62-turbo-dev >/dev/null 2>&1 && grep -qi ubuntu /etc/os-release 2>/dev/null; then
  packages=$(printf '%s' "$packages" | sed 's/libjpeg62-turbo-dev/libjpeg-turbo8-dev/')
fi

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Without these everything works but the charts of reports and the test of them; they may come from elsewhere than Debian.
optional=""
command -v node >/dev/null 2>&1 || optional="$optional nodejs"
command -v npm >/dev/null 2>&1 || optional="$optional npm"
if [ $what = tests ]; then
  command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || optional="$optional chromium"
fi

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
  # What a package says while it is installed matters only where it fails.
  log=$(mktemp)
  if $as_root apt-get update -qq >"$log" 2>&1 &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$log" 2>&1; then
    rm -f "$log"
  else
    tail -n 20 "$log" >&2
    rm -f "$log"
    return 1
  fi
}

# took SINCE: the time since then, in words.
took() {
  seconds=$(($(date +%s) - $1))
  [ $seconds -lt 60 ] && echo "$seconds s" || echo "$((seconds / 60)) min $((seconds % 60)) s"
}

if [ -n "$missing" ]; then
  begin=$(date +%s)
  say "installing packages, which may take some minutes:$missing"
  install $missing || fail "could not install:$missing"
  say "installed them in $(took "$begin")"
else
  say "all packages are installed"
fi

if [ -n "$optional" ]; then
  begin=$(date +%s)
  say "installing what draws charts:$optional"
  if install $optional; then
    say "installed it in $(took "$begin")"
  else
    say "could not install$optional: without them, reports have no charts or their test is skipped"
  fi
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

# A compiler may take 1.5 GB: a machine with many cores and little memory compiles fewer files at a time.
jobs=$(awk -v cores="$(nproc)" '/^MemAvailable/{fit = int($2 / 1500000); print fit < 1 ? 1 : (fit < cores ? fit : cores)}' /proc/meminfo)

log=build-setup.log
configure() { # SOUK_CMAKE: further options, e.g. SOUK_CMAKE=-DSOUK_WERROR=ON
  cmake --preset "$preset" "$@" ${SOUK_CMAKE:-} >$log 2>&1 || {
    cat $log >&2
    fail "cmake failed: see above"
  }
}

# done_of_all: how many of how many steps of the build are over, as ninja numbers them in the log.
done_of_all() { tr '\r' '\n' <$log | sed -n 's/^\[\([0-9]*\)\/\([0-9]*\)\].*/\1 \2/p' | tail -n 1; }

# Says how far the build is: on a terminal in one line, elsewhere twice a minute.
watch_build() {
  [ -t 1 ] && pause=2 || pause=30
  while sleep $pause >/dev/null 2>&1; do # which outlives this loop and must not hold a pipe open
    progress=$(done_of_all)
    [ -n "$progress" ] || continue
    line="building the $what: ${progress% *} of ${progress#* } files after $(took "$build_begin")"
    if [ -t 1 ]; then printf '\r\033[Ksetup: %s' "$line"; else say "$line"; fi
  done
}

build() {
  watch_build &
  watcher=$!
  trap 'kill $watcher 2>/dev/null' EXIT
  trap 'exit 130' INT TERM
  ok=yes
  cmake --build --preset "$preset" --parallel "$jobs" "$@" >$log 2>&1 || ok=no
  kill $watcher 2>/dev/null
  trap - EXIT INT TERM
  [ ! -t 1 ] || printf '\r\033[K'
  if [ $ok = no ]; then
    # What failed, with its messages, and not the hundred lines about files that compiled.
    grep -v '^\[[0-9]*/[0-9]*\] ' $log | grep -v '^$' >&2
    fail "the build failed: see above"
  fi
}

build_begin=$(date +%s)
if [ $what = tests ]; then
  say "building the program, its tests and benchmarks with $jobs processes (preset $preset)"
  [ "$preset" = asan ] && bench=OFF || bench=ON
  configure -DSOUK_TESTS=ON -DSOUK_BENCH=$bench
  build
elif [ -f $folder/CMakeCache.txt ]; then
  say "building the program with $jobs processes (preset $preset)"
  configure
  build --target souk souk_report_libraries
else
  say "building the program with $jobs processes (preset $preset)"
  configure -DSOUK_TESTS=OFF -DSOUK_BENCH=OFF
  build
fi
rm -f $log
say "built in $(took "$build_begin"): $folder/souk"
