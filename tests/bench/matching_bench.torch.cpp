// Gradient matching by one directional derivative, against the same attack as one writes it in PyTorch: the gradient of
// the dummies with create_graph, and a second backward pass through it, by the operators of LibTorch that PyTorch
// calls. Evaluations take turns; medians of processor time. OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
// build/bench/matching_bench

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <benchmark/benchmark.h>
#include <cblas.h>
#include <google/protobuf/text_format.h>
#include <torch/csrc/autograd/autograd.h>

#include "attacks/update_match.hpp"
#include "scenarios/learning.pb.h"
#include "sim/learn/architecture.hpp"
#include "sim/learn/layer.hpp"
#include "tests/bench/in_turns.hpp"

namespace souk {
namespace {

using at::Tensor;

constexpr std::size_t batch = 4;

struct Matching {
  explicit Matching(const std::string& name, const ModelShape& of)
      : shape(of), random(3, StreamKey{Purpose::dataset, nobody, RoundIndex{0}}) {
    google::protobuf::TextFormat::ParseFromString(name + " {}", &model);
    network = make_network(model, shape, "cpu");
    parameters.resize(network->layout().dimension());
    network->initialise(random, parameters);
    for (std::size_t v = 0; v < network->layout().trainable(); ++v) {
      change.push_back(static_cast<float>(1e-2 * random.normal()));
    }
    for (std::size_t i = 0; i < batch; ++i) labels.push_back(static_cast<std::int32_t>(i));
  }
  scenario::Model model;
  ModelShape shape;
  Stream random;
  std::unique_ptr<Network> network;
  std::vector<float> parameters, change;
  std::vector<std::int32_t> labels;
};

UpdateMatch match_of(Matching& with, std::span<const PixelScale> pixels) {
  return UpdateMatch({.network = *with.network,
                      .model = with.parameters,
                      .change = with.change,
                      .clients = {{.rate = 1.0, .samples = batch, .batches = {{0, 1, 2, 3}}}},
                      .pixels = pixels,
                      .labels = with.labels,
                      .cost = MatchCost::cosine});
}

/// The attack in PyTorch's terms.
class DoubleBackward {
 public:
  explicit DoubleBackward(Matching& with) : architecture_(make_architecture(with.model, with.shape)) {
    const ParameterLayout layout = architecture_.layout();
    for (const Slot& slot : layout.slots()) {
      const auto tensor = [&](std::vector<float>& flat) {
        return at::from_blob(flat.data() + slot.offset, slot.shape, at::kFloat).clone();
      };
      slots_.push_back(tensor(with.parameters).requires_grad_(true));
      seen_.push_back(tensor(with.change));
    }
    std::vector<float> start(batch * with.shape.inputs());
    for (float& value : start) value = with.random.uniform_float();
    std::vector<std::int64_t> shape{static_cast<std::int64_t>(batch)};
    for (const std::size_t extent : with.shape.input) shape.push_back(static_cast<std::int64_t>(extent));
    x_ = at::from_blob(start.data(), shape, at::kFloat).clone().requires_grad_(true);
    labels_ = at::from_blob(with.labels.data(), {static_cast<std::int64_t>(batch)}, at::kInt).to(at::kLong);
  }

  void evaluate() {
    std::vector<Tensor> saved;
    Tensor attention, value = x_;
    TorchPass pass{.slots = slots_, .saved = saved, .attention = attention};
    for (const auto& layer : architecture_.layers()) value = layer->forward(value, pass);
    const std::vector<Tensor> gradient = torch::autograd::grad({at::cross_entropy_loss(value, labels_)}, slots_, {},
                                                               /*retain_graph=*/true, /*create_graph=*/true);
    Tensor product = at::zeros({}), square = at::zeros({}), seen_square = at::zeros({});
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      product = product.add(gradient[i].mul(seen_[i]).sum());
      square = square.add(gradient[i].mul(gradient[i]).sum());
      seen_square = seen_square.add(seen_[i].mul(seen_[i]).sum());
    }
    const Tensor cost = product.div(square.mul(seen_square).sqrt()).add(1.0);  // what is seen is minus the gradient
    benchmark::DoNotOptimize(torch::autograd::grad({cost}, {x_}).front().data_ptr<float>());
  }

 private:
  Architecture architecture_;
  std::vector<Tensor> slots_, seen_;
  Tensor x_, labels_;
};

/// `gradient` in the table that is printed is ours, `product` PyTorch's.
void match_in_turns(benchmark::State& state, const std::string& name, const ModelShape& shape) {
  Matching with(name, shape);
  const std::vector<PixelScale> pixels(shape.input[0], PixelScale{0.0F, 1.0F});
  UpdateMatch match = match_of(with, pixels);
  DoubleBackward plain(with);
  std::vector<double> at(match.variables()), gradient(at.size());
  for (double& value : at) value = with.random.uniform();
  compare(
      state, [&] { benchmark::DoNotOptimize(match.evaluate(at, gradient)); }, [&] { plain.evaluate(); });
}

const ModelShape grey{.input = {1, 28, 28}, .classes = 10};

BENCHMARK_CAPTURE(match_in_turns, cnn_small, "cnn_small", grey)->Iterations(1000)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(match_in_turns, mlp, "mlp", grey)->Iterations(1000)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(match_in_turns, lenet5, "lenet5", grey)->Iterations(1000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace souk

int main(int argc, char** argv) {
  openblas_set_num_threads(1);
  at::set_num_threads(1);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
