// Products of sparse with dense matrices, ours and LibTorch's, on a graph as large as Twitch's Germany with loops:
// 9,498 nodes and 315,774 entries.
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/_sparse_csr_tensor_unsafe.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/matmul.h>
#include <benchmark/benchmark.h>

#include "sim/base/random.hpp"
#include "sim/learn/graphs/graph_kernels.hpp"

namespace souk {
namespace {

constexpr std::size_t nodes = 9498, edges = 153138;

/// Ends drawn by a power law, as friends are; both directions and a loop of each node.
struct Friends {
  Friends() {
    Stream random(3, StreamKey{Purpose::dataset, nobody, RoundIndex{0}});
    const auto draw = [&random] {
      const double u = random.uniform();
      return static_cast<std::uint32_t>(static_cast<double>(nodes) * u * u);
    };
    std::set<std::pair<std::uint32_t, std::uint32_t>> all;
    for (std::uint32_t v = 0; v < nodes; ++v) all.insert({v, v});
    while (all.size() < nodes + 2 * edges) {
      const std::uint32_t a = draw(), b = draw();
      if (a == b) continue;
      all.insert({a, b});
      all.insert({b, a});
    }
    offsets.push_back(0);
    for (const auto& [a, b] : all) {
      while (offsets.size() <= a) offsets.push_back(columns.size());
      columns.push_back(b);
    }
    offsets.push_back(columns.size());
    values.assign(columns.size(), 0.5F);
  }
  SparseRows rows() const { return {.offsets = offsets, .columns = columns, .values = values, .width = nodes}; }
  std::vector<std::uint64_t> offsets;
  std::vector<std::uint32_t> columns;
  std::vector<float> values;
};

const Friends& friends() {
  static const Friends graph;
  return graph;
}

void count(benchmark::State& state, std::size_t width) {
  const auto entries = static_cast<double>(friends().columns.size());
  const auto rounds = static_cast<double>(state.iterations());
  state.counters["flops"] =
      benchmark::Counter(2.0 * entries * static_cast<double>(width) * rounds, benchmark::Counter::kIsRate);
  // A row of the dense matrix for each entry, column and value of it, and the result.
  const double bytes = entries * (8.0 + 4.0 * static_cast<double>(width)) + 4.0 * static_cast<double>(nodes * width);
  state.counters["bytes"] = benchmark::Counter(bytes * rounds, benchmark::Counter::kIsRate);
}

void ours(benchmark::State& state) {
  const auto width = static_cast<std::size_t>(state.range(0));
  std::vector<float> in(nodes * width, 0.25F), out(nodes * width);
  const SparseRows rows = friends().rows();
  for ([[maybe_unused]] auto _ : state) {
    kernels::multiply_sparse(kernels::SparseProduct<float>{.matrix = rows,
                                                           .rows = nodes,
                                                           .columns = static_cast<std::uint32_t>(nodes),
                                                           .width = width,
                                                           .in = in.data(),
                                                           .out = out.data()});
    benchmark::DoNotOptimize(out.data());
  }
  count(state, width);
}

void libtorch(benchmark::State& state) {
  at::set_num_threads(1);
  const auto width = static_cast<std::int64_t>(state.range(0));
  std::vector<std::int64_t> offsets(friends().offsets.begin(), friends().offsets.end());
  std::vector<std::int64_t> columns(friends().columns.begin(), friends().columns.end());
  std::vector<float> values = friends().values, dense(nodes * static_cast<std::size_t>(width), 0.25F);
  const auto entries = static_cast<std::int64_t>(columns.size());
  const at::Tensor matrix = at::_sparse_csr_tensor_unsafe(
      at::from_blob(offsets.data(), {static_cast<std::int64_t>(nodes + 1)}, at::kLong),
      at::from_blob(columns.data(), {entries}, at::kLong), at::from_blob(values.data(), {entries}, at::kFloat),
      {static_cast<std::int64_t>(nodes), static_cast<std::int64_t>(nodes)},
      at::TensorOptions().dtype(at::kFloat).layout(at::kSparseCsr));
  const at::Tensor in = at::from_blob(dense.data(), {static_cast<std::int64_t>(nodes), width}, at::kFloat);
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(at::matmul(matrix, in));
  count(state, static_cast<std::size_t>(width));
}

/// What the machine reads: a sum over 64 MiB.
void read_memory(benchmark::State& state) {
  const std::vector<float> all(std::size_t{1} << 24U, 1.0F);
  for ([[maybe_unused]] auto _ : state) {
    float sums[64] = {};
    for (std::size_t i = 0; i < all.size(); i += 64) {
      for (std::size_t l = 0; l < 64; ++l) sums[l] += all[i + l];
    }
    benchmark::DoNotOptimize(sums);
  }
  state.counters["bytes"] = benchmark::Counter(
      static_cast<double>(all.size()) * 4.0 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

BENCHMARK(ours)->Arg(16)->Arg(64)->Arg(256)->Unit(benchmark::kMillisecond);
BENCHMARK(libtorch)->Arg(16)->Arg(64)->Arg(256)->Unit(benchmark::kMillisecond);
BENCHMARK(read_memory)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace souk

BENCHMARK_MAIN();
