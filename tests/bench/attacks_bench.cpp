// Update attacks from their messages, on one rank: n updates of d values, a fifth of them malicious, the others known.
// The Gram matrix of those known is what attacks on distances must pay, that of all what rules must.
//   OPENBLAS_NUM_THREADS=1 build/bench/attacks_bench [--benchmark_filter=min_max]
#include <benchmark/benchmark.h>
#include <google/protobuf/text_format.h>

#include "attacks/attack.hpp"
#include "scenarios/attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/params/linear.hpp"
#include "tests/bench/bench_updates.hpp"

namespace souk {
namespace {

/// A round of which the first fifth of the rows is malicious.
struct BenchRound {
  explicit BenchRound(const benchmark::State& state) : updates(bench_updates(state)) {
    for (std::uint32_t i = 0; i < updates.rows(); ++i) (i < updates.rows() / 5 ? own_rows : known_rows).push_back(i);
    for (const std::size_t i : own_rows) members.push_back({static_cast<std::uint32_t>(i)});
  }
  Comm comm = Comm::self();
  const ColumnMatrix& updates;
  std::vector<std::size_t> own_rows, known_rows;
  std::vector<AgentId> members;
};

void gram_of_all(benchmark::State& state) {
  const BenchRound round(state);
  for (auto _ : state) benchmark::DoNotOptimize(gram(round.comm, round.updates));
}

void gram_of_known(benchmark::State& state) {
  const BenchRound round(state);
  const ColumnMatrix known = round.updates.select(round.comm, round.known_rows);
  for (auto _ : state) benchmark::DoNotOptimize(gram(round.comm, known));
}

void craft(benchmark::State& state, const std::string& text) {
  scenario::Attack group;
  SOUK_REQUIRE(google::protobuf::TextFormat::ParseFromString(text, &group), "cannot parse {}", text);
  const auto attack = std::move(make_update_attacks(group).front());
  const BenchRound round(state);
  const ColumnMatrix own = round.updates.select(round.comm, round.own_rows);
  const ColumnMatrix known = round.updates.select(round.comm, round.known_rows);
  const ColumnVector zero(round.updates);
  const PublicRound open{round.comm, {1}, 1, round.updates.rows(), own.rows(), 1.0, zero, zero};
  RoundAccess access{open};
  access.grant(Pool{round.members, own, known});
  for (auto _ : state) benchmark::DoNotOptimize(attack->craft_from(access));
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->Unit(benchmark::kMillisecond)->Args({20, 1'000'000})->Args({100, 100'000})->Args({100, 1'000'000});
}

BENCHMARK(gram_of_all)->Apply(sizes);
BENCHMARK(gram_of_known)->Apply(sizes);
BENCHMARK_CAPTURE(craft, alie, "alie {}")->Apply(sizes);
BENCHMARK_CAPTURE(craft, min_max, "min_max {}")->Apply(sizes);
BENCHMARK_CAPTURE(craft, min_max_unit, "min_max { perturbation: UNIT }")->Apply(sizes);
BENCHMARK_CAPTURE(craft, min_sum, "min_sum {}")->Apply(sizes);
BENCHMARK_CAPTURE(craft, fang_krum, "fang_krum {}")->Apply(sizes);
BENCHMARK_CAPTURE(craft, fang_trim, "fang_trim {}")->Apply(sizes);
BENCHMARK_CAPTURE(craft, tailored_multi_krum, "agr_tailored { rule: MULTI_KRUM }")->Apply(sizes);
BENCHMARK_CAPTURE(craft, tailored_bulyan, "agr_tailored { rule: BULYAN }")->Apply(sizes);
BENCHMARK_CAPTURE(craft, tailored_dnc, "agr_tailored { rule: DNC }")->Apply(sizes);
BENCHMARK_CAPTURE(craft, tailored_trimmed_mean, "agr_tailored { rule: TRIMMED_MEAN }")->Apply(sizes);

}  // namespace
}  // namespace souk

int main(int argc, char** argv) { return souk::run_benchmarks(argc, argv); }
