#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <malloc.h>

#include "sim/base/random.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk {

/// n rows of normal values, d of them; the last one built is kept.
inline const ColumnMatrix& bench_updates(std::size_t n, std::size_t d) {
  static std::pair<std::size_t, std::size_t> made;
  static ColumnMatrix matrix;
  if (made == std::pair(n, d)) return matrix;
  matrix = {};
  ColumnMatrixBuilder builder(Comm::self(), n, d);
  Stream random(1, StreamKey{Purpose::update_attack, nobody, {1}});
  std::vector<float> normals(1 << 16);
  for (float& value : normals) value = static_cast<float>(random.normal());
  for (std::size_t i = 0; i < n; ++i) {
    const auto row = builder.row(i);
    for (std::size_t c = 0; c < row.size(); ++c) row[c] = normals[(c * 7919 + i * 104729 + c / 65521) % normals.size()];
  }
  made = {n, d};
  return matrix = std::move(builder).finish();
}

/// As many as the benchmark's first two arguments say.
inline const ColumnMatrix& bench_updates(const benchmark::State& state) {
  return bench_updates(static_cast<std::size_t>(state.range(0)), static_cast<std::size_t>(state.range(1)));
}

/// Keeps freed memory, as the program does: otherwise a result of 40 MB is fresh pages in every call, which the system
/// must clear.
inline int run_benchmarks(int argc, char** argv) {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, -1);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace souk
