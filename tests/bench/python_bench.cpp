// What the door to Python costs, on one rank: rules that do nothing but answer.
//   OPENBLAS_NUM_THREADS=1 build/bench/python_bench
#include <filesystem>
#include <fstream>

#include <benchmark/benchmark.h>

#include "tests/bench/bench_rule.hpp"

namespace souk {
namespace {

void answer(benchmark::State& state, const std::string& text) {
  const std::filesystem::path file = std::filesystem::temp_directory_path() / "souk_python_bench.py";
  std::ofstream(file) << text;
  scenario::Aggregator config;
  config.mutable_python()->set_file(file);
  time_rule(state, config);
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->Unit(benchmark::kMillisecond)->Args({100, 1'000})->Args({100, 1'000'000});
}

BENCHMARK_CAPTURE(answer, a_row, "def aggregate(updates): return updates[0]\n")->Apply(sizes);
BENCHMARK_CAPTURE(answer, a_row_by_columns, "columnwise = True\ndef aggregate(updates): return updates[0]\n")
    ->Apply(sizes);
BENCHMARK_CAPTURE(answer, what_numpy_takes_for_a_mean, "def aggregate(updates): return updates.mean(axis=0)\n")
    ->Apply(sizes);

}  // namespace
}  // namespace souk

int main(int argc, char** argv) { return souk::run_benchmarks(argc, argv); }
