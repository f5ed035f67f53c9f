#!/bin/sh
# headers_test.sh REPO COMPILER FLAGS…: every header compiles alone, and what must not compile does not. A header that its
# own source includes before all else has been compiled alone by the build.
cd "$1" || exit 1
compiler=$2
shift 2
failed=0

compiles() { "$compiler" -std=c++20 -fsyntax-only -I. "$@" -x c++ - 2>/dev/null; }

is_first_include_of_its_source() {
  for source in "${1%.hpp}".cpp "${1%.hpp}".*.cpp; do
    [ -f "$source" ] && [ "$(grep -m1 '^#include' "$source")" = "#include \"$1\"" ] && return 0
  done
  return 1
}

for header in $(find sim agents aggregators attacks analysis -name '*.hpp'); do
  is_first_include_of_its_source "$header" && continue
  printf '#include "%s"\n' "$header" | compiles "$@" || {
    echo "does not compile alone: $header"
    failed=1
  }
done

# expect compiles|refused CODE: what the types must allow, and what they must not.
may() { printf '#include "sim/comm/comm.hpp"\n#include "sim/base/streams.hpp"\nusing namespace souk;\nvoid f(const Comm& comm, AgentId agent, RoundIndex round) { (void)comm; (void)agent; (void)round; %s; }\n' "$1" | compiles; }
expect() {
  code=$2
  may "$code" && result=compiles || result=refused
  [ "$result" = "$1" ] || {
    echo "$code: expected $1, but it $result"
    failed=1
  }
}
expect compiles 'comm.all_sum(1)'
expect refused 'comm.all_sum(1.0F)'
expect refused 'comm.all_max(1.0)'
expect compiles 'Stream(1, streams::availability(agent, round))'
expect refused 'Stream(1, streams::availability(round, agent))'
expect refused 'agent + 1'
expect refused 'agent == round'
expect refused 'comm.broadcast(&agent, 0)'
exit $failed
