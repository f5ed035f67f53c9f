// One training step of 32 samples, our kernels against LibTorch, per network; and the speed of a large SGEMM for
// comparison. One core: OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 build/bench/learn_bench

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <cblas.h>
#include <google/protobuf/text_format.h>

#include "scenarios/learning.pb.h"
#include "sim/learn/architecture.hpp"
#include "sim/learn/chain_network.hpp"
#include "sim/learn/model.hpp"
#include "sim/learn/torch_network.hpp"

namespace souk {
namespace {

constexpr std::size_t samples = 32;

std::vector<float> random_values(std::size_t size, float scale) {
  Stream random(1, StreamKey{Purpose::dataset, nobody, RoundIndex{0}});
  std::vector<float> values(size);
  for (float& value : values) value = scale * static_cast<float>(random.normal());
  return values;
}

/// Best of 20 products of order 1024, flops per second.
double measured_peak() {
  static const double peak = [] {
    constexpr int n = 1024;
    const auto a = random_values(n * n, 1.0F), b = random_values(n * n, 1.0F);
    std::vector<float> c(n * n);
    double best = 0.0;
    for (int repetition = 0; repetition < 20; ++repetition) {
      const auto start = std::chrono::steady_clock::now();
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1.0F, a.data(), n, b.data(), n, 0.0F, c.data(),
                  n);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      best = std::max(best, 2.0 * n * n * n / seconds.count());
    }
    return best;
  }();
  return peak;
}

/// What a dense step multiplies: forward, weight gradient, and input gradient but for the first layer. Our convolutions
/// skip the zeros of the backward pass, so their share of SGEMM can exceed 1.
double step_flops(const Architecture& architecture) {
  const double flops = 3.0 * architecture.forward_flops() - architecture.layers().front()->forward_flops();
  return flops * static_cast<double>(samples);
}

using MakeNetwork = std::function<std::unique_ptr<Network>(const Architecture&)>;

void train(benchmark::State& state, const Architecture& architecture, const MakeNetwork& make) {
  const auto network = make(architecture);
  std::vector<float> parameters(network->layout().dimension()), gradient(network->layout().trainable());
  Stream random(1, StreamKey{Purpose::weight_init, nobody, RoundIndex{0}});
  network->initialise(random, parameters);
  const auto& input = architecture.shape().input;
  const auto features = random_values(samples * input[0] * input[1] * input[2], 1.0F);
  std::vector<std::int32_t> labels(samples);
  for (std::size_t i = 0; i < samples; ++i) labels[i] = static_cast<std::int32_t>(i) % architecture.shape().classes;
  const Batch batch{.features = features, .labels = labels, .samples = samples};
  for (auto _ : state) {
    if (network->descends()) {
      benchmark::DoNotOptimize(network->descend(parameters, batch, 1e-3, 0.0));
    } else {
      benchmark::DoNotOptimize(network->gradient(parameters, batch, gradient));
      for (std::size_t i = 0; i < gradient.size(); ++i) parameters[i] -= 1e-3F * gradient[i];
    }
  }
  using benchmark::Counter;
  const double flops = step_flops(architecture);
  state.counters["flop_rate"] = Counter(flops, Counter::kIsIterationInvariantRate, Counter::kIs1000);
  state.counters["share_of_sgemm"] = Counter(flops / measured_peak(), Counter::kIsIterationInvariantRate);
}

void multiply(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(measured_peak());
  state.counters["flop_rate"] = measured_peak();
}

void register_all() {
  benchmark::RegisterBenchmark("sgemm_1024", multiply);
  struct Task {
    std::string model;
    ModelShape shape;
  };
  const ModelShape grey{.input = {1, 28, 28}, .classes = 10}, colour{.input = {3, 32, 32}, .classes = 10};
  for (const Task& task : {Task{"logreg", grey}, Task{"mlp", grey}, Task{"lenet5", grey}, Task{"cnn_small", grey},
                           Task{"cnn", grey}, Task{"cnn_cifar", colour}, Task{"resnet20", colour}}) {
    scenario::Model model;
    google::protobuf::TextFormat::ParseFromString(task.model + " {}", &model);
    const Architecture architecture = make_architecture(model, task.shape);
    const auto add = [&](const std::string& name, const MakeNetwork& make) {
      benchmark::RegisterBenchmark((task.model + name).c_str(), [=](benchmark::State& state) {
        train(state, architecture, make);
      })->Unit(benchmark::kMillisecond);
    };
    if (is_chain(architecture)) {
      add("/chain", [](const Architecture& network) { return make_chain_network(network, make_objective({}, true)); });
    }
    add("/torch",
        [](const Architecture& network) { return make_torch_network(network, "cpu", make_objective({}, true)); });
  }
}

}  // namespace
}  // namespace souk

int main(int argc, char** argv) {
  openblas_set_num_threads(1);
  souk::register_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
