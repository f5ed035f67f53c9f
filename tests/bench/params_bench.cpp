// The kernels on update matrices, one rank, n = 10 and 100 updates of a million values. Bound by memory, except the
// Gram matrix of many updates: bytes/s are those of the updates read once; compare with `copy`, the machine's own.
#include <cstring>
#include <map>

#include <benchmark/benchmark.h>

#include "sim/params/columnwise.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

constexpr std::size_t dimension = 1 << 20;

/// n rows of small integers, built once per n.
const ColumnMatrix& updates(std::size_t n) {
  static std::map<std::size_t, ColumnMatrix> made;
  auto found = made.find(n);
  if (found == made.end()) {
    ColumnMatrixBuilder builder(Comm::self(), n, dimension);
    for (std::size_t i = 0; i < n; ++i) {
      const auto row = builder.row(i);
      for (std::size_t c = 0; c < row.size(); ++c) row[c] = static_cast<float>((c * 31 + i * 17) % 101) - 50.0F;
    }
    found = made.emplace(n, std::move(builder).finish()).first;
  }
  return found->second;
}

void report(benchmark::State& state, double flops_per_value) {
  const double values = static_cast<double>(state.range(0)) * static_cast<double>(dimension);
  const auto rate = benchmark::Counter::kIsIterationInvariantRate;
  state.counters["bytes/s"] = benchmark::Counter(4 * values, rate);
  state.counters["flop/s"] = benchmark::Counter(flops_per_value * values, rate);
}

void copy(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  std::vector<float> out(dimension);
  for (auto _ : state) {
    for (std::size_t i = 0; i < n; ++i) std::memcpy(out.data(), updates(n).row(i).data(), 4 * dimension);
    benchmark::DoNotOptimize(out.data());
  }
  report(state, 0);
}

void combine_rows(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::vector<double> weights(n, 1.0 / static_cast<double>(n));
  for (auto _ : state) benchmark::DoNotOptimize(combine(updates(n), weights));
  report(state, 2);
}

void norms(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(squared_norms(Comm::self(), updates(n)));
  report(state, 2);
}

void gram_matrix(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(gram(Comm::self(), updates(n)));
  report(state, static_cast<double>(n + 1));
}

void median(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(median_of_columns(updates(n)));
  report(state, 0);
}

BENCHMARK(copy)->Arg(10)->Arg(100)->Unit(benchmark::kMillisecond);
BENCHMARK(combine_rows)->Arg(10)->Arg(100)->Unit(benchmark::kMillisecond);
BENCHMARK(norms)->Arg(10)->Arg(100)->Unit(benchmark::kMillisecond);
BENCHMARK(gram_matrix)->Arg(10)->Arg(100)->Unit(benchmark::kMillisecond);
BENCHMARK(median)->Arg(10)->Arg(100)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace souk

BENCHMARK_MAIN();
