// The kernels on update matrices, one rank unless named: n updates of d values. bytes/s are those of the updates read
// once, to be compared with `read`; flop/s of Gram matrices, n (n + 1) d operations, with `ssyrk` and `sgemm`.
//   OPENBLAS_NUM_THREADS=1 build/bench/params_bench [--benchmark_filter=median]
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include <benchmark/benchmark.h>
#include <cblas.h>

#include "sim/base/multiversion.hpp"
#include "sim/comm/thread_team.hpp"
#include "sim/params/columnwise.hpp"
#include "sim/params/linear.hpp"
#include "tests/bench/bench_updates.hpp"

namespace souk {
namespace {

void report(benchmark::State& state, double flops) {
  const double values = static_cast<double>(state.range(0)) * static_cast<double>(state.range(1));
  const auto rate = benchmark::Counter::kIsIterationInvariantRate;
  state.counters["bytes/s"] = benchmark::Counter(4 * values, rate);
  if (flops > 0) state.counters["flop/s"] = benchmark::Counter(flops, rate);
}

double gram_flops(const benchmark::State& state) {
  const auto n = static_cast<double>(state.range(0));
  return n * (n + 1) * static_cast<double>(state.range(1));
}

SOUK_MULTIVERSION void add_bits(const float* values, std::size_t size, std::uint32_t* sums) {
  for (std::size_t c = 0; c + 128 <= size; c += 128) {
    for (std::size_t lane = 0; lane < 128; ++lane) sums[lane] += std::bit_cast<std::uint32_t>(values[c + lane]);
  }
}

/// What memory delivers at best: the sum of all values, as integers.
void read(benchmark::State& state) {
  const ColumnMatrix& matrix = bench_updates(state);
  for (auto _ : state) {
    std::array<std::uint32_t, 128> sums{};
    for (std::size_t i = 0; i < matrix.rows(); ++i) add_bits(matrix.row(i).data(), matrix.row(i).size(), sums.data());
    benchmark::DoNotOptimize(sums);
  }
  report(state, 0);
}

void copy(benchmark::State& state) {
  const ColumnMatrix& matrix = bench_updates(state);
  std::vector<float> out(matrix.dimension());
  for (auto _ : state) {
    for (std::size_t i = 0; i < matrix.rows(); ++i) std::memcpy(out.data(), matrix.row(i).data(), 4 * out.size());
    benchmark::DoNotOptimize(out.data());
  }
  report(state, 0);
}

/// OpenBLAS on the same matrix, in float throughout.
void ssyrk(benchmark::State& state) {
  const ColumnMatrix& matrix = bench_updates(state);
  const auto n = static_cast<int>(matrix.rows()), d = static_cast<int>(matrix.dimension());
  std::vector<float> product(matrix.rows() * matrix.rows());
  for (auto _ : state) {
    cblas_ssyrk(CblasRowMajor, CblasLower, CblasNoTrans, n, d, 1.0F, matrix.row(0).data(), d, 0.0F, product.data(), n);
    benchmark::DoNotOptimize(product.data());
  }
  report(state, gram_flops(state));
}

void sgemm(benchmark::State& state) {
  constexpr int order = 1024;
  const std::vector<float> a(order * order, 1.0F);
  std::vector<float> product(a.size());
  for (auto _ : state) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, order, order, order, 1.0F, a.data(), order, a.data(), order,
                0.0F, product.data(), order);
    benchmark::DoNotOptimize(product.data());
  }
  state.counters["flop/s"] =
      benchmark::Counter(2.0 * order * order * order, benchmark::Counter::kIsIterationInvariantRate);
}

void combine_rows(benchmark::State& state) {
  const ColumnMatrix& matrix = bench_updates(state);
  const std::vector<double> weights(matrix.rows(), 1.0 / static_cast<double>(matrix.rows()));
  for (auto _ : state) benchmark::DoNotOptimize(combine(matrix, weights));
  report(state, 0);
}

void norms(benchmark::State& state) {
  const ColumnMatrix& matrix = bench_updates(state);
  for (auto _ : state) benchmark::DoNotOptimize(squared_norms(Comm::self(), matrix));
  report(state, 0);
}

/// What an iteration of Weiszfeld's algorithm costs: distances to a centre.
void distances_to_center(benchmark::State& state) {
  const ColumnMatrix& matrix = bench_updates(state);
  const ColumnVector center(matrix);
  for (auto _ : state) benchmark::DoNotOptimize(squared_distances_to(Comm::self(), matrix, center));
  report(state, 0);
}

void products_and_norms(benchmark::State& state) {
  const ColumnMatrix& matrix = bench_updates(state);
  const ColumnVector vector(matrix);
  for (auto _ : state) benchmark::DoNotOptimize(dots_and_norms(Comm::self(), matrix, vector));
  report(state, 0);
}

void gram_matrix(benchmark::State& state) {
  const ColumnMatrix& matrix = bench_updates(state);
  for (auto _ : state) benchmark::DoNotOptimize(gram(Comm::self(), matrix));
  report(state, gram_flops(state));
}

/// What Krum is made of.
void distances(benchmark::State& state) {
  const ColumnMatrix& matrix = bench_updates(state);
  for (auto _ : state) benchmark::DoNotOptimize(squared_distances(Comm::self(), matrix));
  report(state, gram_flops(state));
}

void median(benchmark::State& state) {
  const ColumnMatrix& matrix = bench_updates(state);
  for (auto _ : state) benchmark::DoNotOptimize(median_of_columns(matrix));
  report(state, 0);
}

void trimmed_mean(benchmark::State& state) {
  const ColumnMatrix& matrix = bench_updates(state);
  for (auto _ : state) benchmark::DoNotOptimize(trimmed_mean_of_columns(matrix, matrix.rows() / 5));
  report(state, 0);
}

void near_center(benchmark::State& state) {
  const ColumnMatrix& matrix = bench_updates(state);
  const ColumnVector center(matrix);
  for (auto _ : state) benchmark::DoNotOptimize(mean_near(matrix, center, matrix.rows() * 3 / 5));
  report(state, 0);
}

/// Every row becomes the mean of half the rows, n^2 / 2 terms per column: what pre-aggregators do.
void mix_rows(benchmark::State& state) {
  const ColumnMatrix& matrix = bench_updates(state);
  const std::size_t n = matrix.rows();
  std::vector<double> coefficients(n * n);
  for (std::size_t i = 0; i < n * n; ++i) coefficients[i] = (i + i / n) % 2 == 0 ? 2.0 / static_cast<double>(n) : 0.0;
  for (auto _ : state) benchmark::DoNotOptimize(mix(Comm::self(), matrix, coefficients));
  report(state, static_cast<double>(n * n) * static_cast<double>(matrix.dimension()));
}

/// Means of two rows each: bucketing.
void mix_pairs(benchmark::State& state) {
  const ColumnMatrix& matrix = bench_updates(state);
  const std::size_t n = matrix.rows();
  std::vector<double> coefficients(n / 2 * n);
  for (std::size_t i = 0; i < n; ++i) coefficients[i / 2 * n + i] = 0.5;
  for (auto _ : state) benchmark::DoNotOptimize(mix(Comm::self(), matrix, coefficients));
  report(state, 0);
}

/// The third argument is the number of ranks, threads of this process.
template <class Kernel>
void on_ranks(benchmark::State& state, Kernel kernel) {
  const auto ranks = static_cast<int>(state.range(2));
  const ColumnMatrix& whole = bench_updates(state);
  std::vector<ColumnMatrix> parts(static_cast<std::size_t>(ranks));
  run_team(ranks, [&](const Comm& comm) {
    ColumnMatrixBuilder builder(comm, whole.rows(), whole.dimension());
    const std::size_t first = whole.plan().columns_of(comm.rank(), comm.size()).begin;
    for (std::size_t i = 0; i < whole.rows(); ++i) {
      std::copy_n(whole.row(i).data() + first, builder.row(i).size(), builder.row(i).data());
    }
    parts[static_cast<std::size_t>(comm.rank())] = std::move(builder).finish();
  });
  for (auto _ : state) {
    run_team(ranks, [&](const Comm& comm) { kernel(comm, parts[static_cast<std::size_t>(comm.rank())]); });
  }
  report(state, 0);
}

void ranks_distances(benchmark::State& state) {
  on_ranks(state,
           [](const Comm& comm, const ColumnMatrix& part) { benchmark::DoNotOptimize(squared_distances(comm, part)); });
}

void ranks_median(benchmark::State& state) {
  on_ranks(state, [](const Comm&, const ColumnMatrix& part) { benchmark::DoNotOptimize(median_of_columns(part)); });
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->Unit(benchmark::kMillisecond);
  for (const std::int64_t n : {10, 50, 100, 500}) bench->Args({n, 100'000});
  for (const std::int64_t n : {10, 50, 100, 500}) bench->Args({n, 1'000'000});
  bench->Args({50, 10'000'000});
}

void one_and_two_ranks(benchmark::internal::Benchmark* bench) {
  bench->Unit(benchmark::kMillisecond)->UseRealTime();
  for (const std::int64_t n : {10, 50, 100}) bench->Args({n, 1'000'000, 1})->Args({n, 1'000'000, 2});
}

BENCHMARK(sgemm)->Unit(benchmark::kMillisecond);
BENCHMARK(read)->Apply(sizes);
BENCHMARK(copy)->Apply(sizes);
BENCHMARK(ssyrk)->Apply(sizes);
BENCHMARK(combine_rows)->Apply(sizes);
BENCHMARK(norms)->Apply(sizes);
BENCHMARK(products_and_norms)->Apply(sizes);
BENCHMARK(distances_to_center)->Apply(sizes);
BENCHMARK(gram_matrix)->Apply(sizes);
BENCHMARK(distances)->Apply(sizes);
BENCHMARK(median)->Apply(sizes);
BENCHMARK(trimmed_mean)->Apply(sizes);
BENCHMARK(near_center)->Apply(sizes);
BENCHMARK(ranks_distances)->Apply(one_and_two_ranks);
BENCHMARK(ranks_median)->Apply(one_and_two_ranks);
BENCHMARK(mix_rows)->Apply(sizes);
BENCHMARK(mix_pairs)->Apply(sizes);

}  // namespace
}  // namespace souk

int main(int argc, char** argv) { return souk::run_benchmarks(argc, argv); }
