// Rules from their messages, on one rank: n updates of d values, f = n / 5. `gram` is what rules on distances must pay.
//   OPENBLAS_NUM_THREADS=1 build/bench/rules_bench [--benchmark_filter=krum]
#include <benchmark/benchmark.h>
#include <google/protobuf/text_format.h>

#include "sim/base/contract.hpp"
#include "sim/params/linear.hpp"
#include "tests/bench/bench_rule.hpp"

namespace souk {
namespace {

void gram_matrix(benchmark::State& state) {
  const ColumnMatrix& matrix = bench_updates(state);
  for (auto _ : state) benchmark::DoNotOptimize(gram(Comm::self(), matrix));
}

void aggregate(benchmark::State& state, const std::string& text) {
  scenario::Aggregator config;
  SOUK_REQUIRE(google::protobuf::TextFormat::ParseFromString(text, &config), "cannot parse {}", text);
  time_rule(state, config);
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->Unit(benchmark::kMillisecond);
  for (const std::int64_t d : {100'000, 1'000'000}) {
    for (const std::int64_t n : {10, 50, 100, 500}) bench->Args({n, d});
  }
}

/// Also at the size of a large network.
void more_sizes(benchmark::internal::Benchmark* bench) {
  sizes(bench);
  bench->Args({50, 10'000'000});
}

BENCHMARK(gram_matrix)->Apply(more_sizes);
BENCHMARK_CAPTURE(aggregate, krum, "krum {}")->Apply(more_sizes);
BENCHMARK_CAPTURE(aggregate, median, "median {}")->Apply(more_sizes);
BENCHMARK_CAPTURE(aggregate, trimmed_mean, "trimmed_mean {}")->Apply(more_sizes);
BENCHMARK_CAPTURE(aggregate, bulyan, "bulyan {}")->Apply(sizes);
BENCHMARK_CAPTURE(aggregate, geometric_median_1, "geometric_median { iterations: 1 }")->Apply(sizes);
BENCHMARK_CAPTURE(aggregate, geometric_median_100, "geometric_median { iterations: 100 tolerance: 0 }")->Apply(sizes);
BENCHMARK_CAPTURE(aggregate, nnm_trimmed_mean, "pre { nnm {} } trimmed_mean {}")->Apply(sizes);
BENCHMARK_CAPTURE(aggregate, flame, "flame {}")->Apply(sizes);

}  // namespace
}  // namespace souk

int main(int argc, char** argv) { return souk::run_benchmarks(argc, argv); }
