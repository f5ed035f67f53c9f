#pragma once

#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include "aggregators/aggregator.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/random.hpp"
#include "tests/bench/bench_updates.hpp"

namespace souk {

/// Times the rule on one rank, f = n / 5, over the updates of the benchmark's arguments n and d.
inline void time_rule(benchmark::State& state, const scenario::Aggregator& config) {
  const auto rule = make_aggregator(config);
  const ColumnMatrix& matrix = bench_updates(state);
  const Comm comm = Comm::self();
  std::vector<Submission> submissions;
  for (std::uint32_t i = 0; i < matrix.rows(); ++i) submissions.push_back({AgentId{i}, 1});
  Stream random(1, StreamKey{Purpose::aggregation, nobody, {1}});
  for (auto _ : state) {
    benchmark::DoNotOptimize(rule->aggregate({.comm = comm,
                                              .round = {1},
                                              .submissions = submissions,
                                              .updates = matrix,
                                              .random = random,
                                              .tolerated_f = matrix.rows() / 5}));
  }
}

}  // namespace souk
