// Accounts of differential privacy: what an epsilon takes.
#include <vector>

#include <benchmark/benchmark.h>

#include "sim/privacy/accountant.hpp"
#include "sim/privacy/loss_accountant.hpp"

namespace {

using souk::Accountant;

const std::vector<souk::SubsampledGaussian> releases{{.sampling = 0.01, .noise = 1.0, .count = 10000}};

void epsilon(benchmark::State& state, Accountant accountant) {
  for (auto _ : state) benchmark::DoNotOptimize(souk::epsilon_by(accountant, releases, 1e-6));
}
BENCHMARK_CAPTURE(epsilon, loss_distributions, Accountant::loss_distributions)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(epsilon, renyi, Accountant::renyi)->Unit(benchmark::kMillisecond);

/// Of a round of a run, which knows its grid and the distribution of a release.
void next_round(benchmark::State& state) {
  souk::LossAccountant accountant = souk::LossAccountant::fit_for(releases, 1e-6);
  for (auto _ : state) benchmark::DoNotOptimize(accountant.epsilons(releases, 1e-6));
}
BENCHMARK(next_round)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
