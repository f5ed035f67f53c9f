#!/bin/sh
# The table of docs/architecture.md as a script: who may include whom, and which file may include which heavy library.
# Prints every offending line; runs in a second.
cd "$1" || exit 1
failed=0

# check FOLDER "ALLOWED…": project includes of FOLDER must start with one of ALLOWED (itself included).
check() {
  folder=$1
  shift
  [ -d "$folder" ] || { echo "no such folder: $folder"; failed=1; }
  pattern=$(printf '%s|' "$@")
  bad=$(grep -rnE '^#include "(sim|agents|aggregators|attacks|analysis|scenarios)/' "$folder" --include='*.hpp' --include='*.cpp' |
    grep -vE "#include \"(${pattern}${folder}/)")
  if [ -n "$bad" ]; then
    printf 'not allowed in %s:\n%s\n' "$folder" "$bad"
    failed=1
  fi
}

# only LIBRARY-PATTERN NAME-PATTERN: only files whose name matches may include the library.
only() {
  bad=$(grep -rnE "^#include <($1)" sim agents aggregators attacks analysis --include='*.hpp' --include='*.cpp' | grep -vE "^[^:]*($2)")
  if [ -n "$bad" ]; then
    printf 'only files named %s may include this:\n%s\n' "$2" "$bad"
    failed=1
  fi
}

check sim/base scenarios/none
check sim/stats sim/base/
check sim/privacy sim/base/
check sim/comm sim/base/
check sim/params sim/base/ sim/comm/
check sim/data sim/base/ scenarios/
check sim/python sim/base/ sim/comm/ sim/params/ sim/data/data_path.hpp
check sim/learn sim/base/ sim/params/ sim/data/ scenarios/
check sim/serve sim/base/ sim/data/ sim/learn/ scenarios/
check sim/engine sim/base/ sim/comm/ sim/params/ scenarios/
check sim/sweep sim/base/ sim/engine/ scenarios/
check aggregators sim/base/ sim/stats/ sim/comm/ sim/params/ sim/learn/ sim/python/ scenarios/
check attacks sim/base/ sim/stats/ sim/comm/ sim/params/ sim/learn/ sim/data/ sim/serve/ sim/python/ scenarios/
check agents sim/base/ sim/python/ sim/stats/ sim/comm/ sim/params/ sim/data/ sim/learn/ sim/serve/ sim/engine/ sim/privacy/ aggregators/aggregator.hpp attacks/attack.hpp attacks/buyer_attack.hpp attacks/class_shares_limit.hpp attacks/edge_attack.hpp attacks/inference_attack.hpp attacks/shadow_evidence.hpp attacks/table_cells.hpp scenarios/
check analysis sim/base/ sim/stats/ sim/engine/ scenarios/

only 'torch/|ATen/|c10/' '\.torch\.(cpp|hpp):'
only 'mpi\.h' '\.mpi\.cpp:'
only 'sqlite3\.h' '\.sqlite\.cpp:'
only 'spdlog/' 'sim/base/log\.cpp:'
only 'CLI/' 'sim/app/'
only 'pybind11/|Python\.h|numpy/' '\.python\.cpp:'
only 'httplib\.h' '\.http\.cpp:'
only 'nlohmann/json\.hpp' '(analysis/report/[a-z_]+|sim/data/leaf_json|sim/data/graphs/features_json)\.cpp:'

# torch/torch.h costs 26 s in every file that includes it; the headers of tensors and of single operators, 6.
bad=$(grep -rnE '^#include <torch/(torch|all)\.h>' sim agents aggregators attacks analysis tests --include='*.hpp' --include='*.cpp')
if [ -n "$bad" ]; then
  printf 'include ATen/core/Tensor.h and ATen/ops instead:\n%s\n' "$bad"
  failed=1
fi

# Who runs layers knows no kind of them, and kinds of layers know no network.
bad=$(grep -nE '^#include "sim/learn/layers/' sim/learn/*.hpp sim/learn/*.cpp
  grep -rnE '^#include "sim/learn/(networks|objectives|tasks)/' sim/learn/layers)
if [ -n "$bad" ]; then
  printf 'layers are plug-ins:\n%s\n' "$bad"
  failed=1
fi

# The program links everything: two types of one name are one to the linker, whichever it meets first.
twice=$(find sim agents aggregators attacks analysis -name '*.hpp' -exec grep -hoE '^(struct|class) [A-Za-z]+ (final )?[:{]' {} + |
  awk '{print $2}' | sort | uniq -d)
if [ -n "$twice" ]; then
  printf 'more than one header defines a type of this name:\n%s\n' "$twice"
  failed=1
fi

# Names of random streams stand together, where it can be seen that they differ.
bad=$(grep -rnE 'Purpose::|<Purpose>' sim agents aggregators attacks analysis --include='*.hpp' --include='*.cpp' | grep -vE '^sim/base/(random|streams)\.')
if [ -n "$bad" ]; then
  printf 'names of random streams belong in sim/base/streams.hpp:\n%s\n' "$bad"
  failed=1
fi

# Generated headers cost 3 s each: sources only.
bad=$(grep -rnE '^#include ".*\.pb\.h"' sim agents aggregators attacks analysis --include='*.hpp')
if [ -n "$bad" ]; then
  printf 'generated headers belong in .cpp files:\n%s\n' "$bad"
  failed=1
fi
exit $failed
