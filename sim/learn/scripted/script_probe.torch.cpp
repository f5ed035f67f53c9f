#include "sim/learn/scripted/script_probe.torch.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>
#include <span>
#include <vector>

#include <ATen/Context.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include "sim/base/contract.hpp"
#include "sim/learn/scripted/operator_meter.hpp"

namespace souk {
namespace {

using at::Tensor;

constexpr std::size_t few = 2, more = 3;  ///< samples
constexpr const char* counter = "num_batches_tracked";

/// Values in [0, 1) without pattern, and words below the vocabulary.
Tensor some_features(const ModelShape& shape, std::size_t samples, const at::Device& device) {
  constexpr double golden = 0.61803398874989485;
  std::vector<float> values(samples * shape.inputs());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = std::fmod(golden * static_cast<double>(i + 1), 1.0);
    values[i] =
        static_cast<float>(shape.vocabulary > 0 ? std::floor(value * static_cast<double>(shape.vocabulary)) : value);
  }
  const auto extent = [](std::size_t size) { return static_cast<std::int64_t>(size); };
  const auto& input = shape.input;
  return at::from_blob(values.data(), {extent(samples), extent(input[0]), extent(input[1]), extent(input[2])},
                       at::kFloat)
      .clone()
      .to(device);
}

bool same_bits(const Tensor& a, const Tensor& b) {
  const Tensor x = a.detach().cpu().contiguous(), y = b.detach().cpu().contiguous();
  return x.sizes() == y.sizes() && x.scalar_type() == y.scalar_type() &&
         std::memcmp(x.data_ptr(), y.data_ptr(), x.nbytes()) == 0;
}

class ScriptTrial {
 public:
  ScriptTrial(ScriptBody& body, const at::Device& device)
      : body_(body), device_(device), features_(some_features(body.shape(), few, device)) {
    const std::span<const float> values = body.first_values();
    first_ = at::from_blob(const_cast<float*>(values.data()), {static_cast<std::int64_t>(values.size())}, at::kFloat)
                 .clone()
                 .to(device);
    for (const auto& constant : body.constants()) constants_.push_back(constant.tensor.clone());
  }

  ScriptCost run() {
    test();
    const Pass first = train();
    Pass second;
    const OperatorCost tested = measure_operators([&] { test_on(features_); });
    const OperatorCost trained = measure_operators([&] { second = train(); });
    SOUK_REQUIRE(
        same_bits(first.outputs, second.outputs) && same_bits(first.flat, second.flat),
        "{}: answers otherwise when it is trained on the same batch from the same values and seed again, so that "
        "no run could be repeated",
        body_.name());
    const auto samples = static_cast<double>(few);
    const auto own = static_cast<double>(first_.nbytes());  // this trial's copy
    return {.flops = tested.flops / samples,
            .trained_bytes = std::max(0.0, trained.bytes - own) / samples,
            .tested_bytes = std::max(0.0, tested.bytes - own) / samples};
  }

 private:
  struct Pass {
    Tensor outputs, flat;
  };

  /// With values of its own.
  Pass test_on(const Tensor& features) {
    const c10::NoGradGuard no_gradients;
    Pass pass{{}, first_.clone()};
    body_.place(pass.flat);
    pass.outputs = body_.forward(features, RunningStatistics::use, {}).outputs;
    return pass;
  }

  void test() {
    const Pass pass = test_on(features_);
    SOUK_REQUIRE(!drew(),
                 "{}: draws random numbers where it is tested: a module that is traced in training mode does, "
                 "call net.eval() before torch.jit.trace, or use torch.jit.script",
                 body_.name());
    SOUK_REQUIRE(same_bits(pass.flat, first_),
                 "{}: changes its parameters or buffers where it is tested: a module with batch normalisation that is "
                 "traced in training mode does, use torch.jit.script",
                 body_.name());
    check_constants(false);
    SOUK_REQUIRE(same_bits(pass.outputs, test_on(features_).outputs),
                 "{}: answers otherwise when it is asked the same again", body_.name());
    test_on(some_features(body_.shape(), more, device_));
  }

  Pass train() {
    Pass pass{{}, first_.clone()};
    const std::vector<Tensor> trainable = body_.place(pass.flat);
    pass.outputs = body_.forward(features_, RunningStatistics::update, 1).outputs;
    SOUK_REQUIRE(pass.outputs.requires_grad(),
                 "{}: its answers do not depend on its parameters in a way that can be "
                 "differentiated",
                 body_.name());
    try {
      torch::autograd::grad({pass.outputs.sum()}, trainable, {}, /*retain_graph=*/false, /*create_graph=*/false,
                            /*allow_unused=*/true);
    } catch (const std::exception& error) {
      throw_input_error("{}: cannot be differentiated: {}", body_.name(), complaint_of(error));
    }
    pass.outputs = pass.outputs.detach();
    const auto trained = static_cast<std::int64_t>(body_.layout().trainable());
    SOUK_REQUIRE(same_bits(pass.flat.narrow(0, 0, trained), first_.narrow(0, 0, trained)),
                 "{}: changes its parameters while it computes, which is training's to do", body_.name());
    check_constants(true);
    return pass;
  }

  /// Whether the generator was drawn from since forward seeded it.
  bool drew() const {
    at::Generator generator = at::globalContext().defaultGenerator(device_).clone();
    const Tensor now = generator.get_state();
    generator.set_current_seed(0);
    return !same_bits(now, generator.get_state());
  }

  void check_constants(bool training) const {
    for (std::size_t i = 0; i < constants_.size(); ++i) {
      const auto& constant = body_.constants()[i];
      const bool counts = training && constant.name.ends_with(counter);
      SOUK_REQUIRE(counts || same_bits(constant.tensor, constants_[i]),
                   "{}: changes {} from call to call, which is no parameter and no buffer of float32", body_.name(),
                   constant.name);
    }
  }

  const std::lock_guard<std::recursive_mutex> alone_{torch_generator_in_use()};
  ScriptBody& body_;
  at::Device device_;
  Tensor features_, first_;
  std::vector<Tensor> constants_;  ///< as they were
};

}  // namespace

ScriptCost try_script(ScriptBody& body, const at::Device& device) { return ScriptTrial(body, device).run(); }

}  // namespace souk
