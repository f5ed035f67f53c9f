#include "sim/learn/torch_network.hpp"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/cuda.h>

#include "sim/base/contract.hpp"
#include "sim/learn/layer.hpp"
#include "sim/learn/torch_body.torch.hpp"

namespace souk {
namespace {

using at::Tensor;

/// A tensor over memory that outlives it; never written through where the memory is const.
Tensor view(std::span<const float> values, std::vector<std::int64_t> shape) {
  return at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat);
}

std::int64_t extent(std::size_t size) { return static_cast<std::int64_t>(size); }

Tensor joined(const TorchAnswer& answer) {
  return answer.attention.defined() ? at::cat({answer.outputs, answer.attention}, 1) : answer.outputs;
}

/// Some columns of a matrix, row by row.
struct BatchColumns {
  std::size_t first = 0, count = 0, width = 0;
  std::vector<float> of(std::span<const float> whole) const {
    std::vector<float> part;
    for (std::size_t row = first; row < whole.size(); row += width) {
      part.insert(part.end(), whole.begin() + extent(row), whole.begin() + extent(row + count));
    }
    return part;
  }
  void put(std::span<const float> part, std::span<float> whole) const {
    for (std::size_t i = 0; i * count < part.size(); ++i) {
      std::ranges::copy(part.subspan(i * count, count), whole.begin() + extent(i * width + first));
    }
  }
};

/// The layers of an architecture by LibTorch's operators.
class LayeredBody final : public TorchBody {
 public:
  explicit LayeredBody(const Architecture& architecture)
      : architecture_(architecture), slots_(architecture.slots()), layout_(architecture.layout()) {}

  const ParameterLayout& layout() const override { return layout_; }
  const ModelShape& shape() const override { return architecture_.shape(); }
  const Architecture* architecture() const override { return &architecture_; }
  bool follows_statistics() const override { return true; }
  std::string name() const override { return architecture_.name(); }
  double forward_flops() const override { return architecture_.forward_flops(); }
  void initialise(Stream& random, std::span<float> parameters) const override {
    architecture_.initialise(random, parameters);
  }

  /// In training every layer's output is kept for the way back, on which there are two gradients more, and those of
  /// the parameters; in tests two outputs at a time. LibTorch itself takes 24 MB when it is first used.
  Footprint footprint(std::size_t trained, std::size_t tested) const override {
    std::size_t all = 0, largest = 0, unfolded = 0;
    for (const auto& layer : architecture_.layers()) {
      const TorchMemory memory = layer->torch_memory();
      all += memory.kept;
      largest = std::max(largest, layer->out().size());
      unfolded = std::max(unfolded, memory.unfolded);
    }
    Footprint footprint;
    footprint.held = 24e6;
    footprint.at(Moment::training) =
        static_cast<double>((trained * (all + 2 * largest + unfolded) + layout_.trainable()) * sizeof(float));
    footprint.at(Moment::testing) = static_cast<double>(tested * (3 * largest + unfolded) * sizeof(float));
    return footprint;
  }

  std::vector<Tensor> place(const Tensor& flat) override {
    tensors_.clear();
    std::vector<Tensor> trainable;
    for (const Slot& slot : slots_) {
      const Tensor values = flat.narrow(0, extent(slot.offset), extent(slot.size)).view(slot.shape);
      tensors_.push_back(slot.trainable ? values.detach().requires_grad_(true) : values);
      if (slot.trainable) trainable.push_back(tensors_.back());
    }
    return trainable;
  }

  TorchAnswer forward(const Tensor& features, RunningStatistics statistics, std::optional<std::uint64_t>) override {
    std::vector<Tensor> saved;
    Tensor value = features, attention;
    std::vector<Tensor> moves(slots_.size());
    TorchPass pass{
        .slots = tensors_, .saved = saved, .attention = attention, .statistics = statistics, .moves = &moves};
    for (const auto& layer : architecture_.layers()) value = layer->forward(value, pass);
    std::erase_if(moves, [](const Tensor& move) { return !move.defined(); });
    return {value, attention, std::move(moves)};
  }

 private:
  Architecture architecture_;
  std::vector<Slot> slots_;  ///< by number
  ParameterLayout layout_;
  std::vector<Tensor> tensors_;  ///< of every slot, by number
};

class TorchNetwork final : public Network {
 public:
  TorchNetwork(std::unique_ptr<TorchBody> body, const std::string& device, std::shared_ptr<const Objective> objective)
      : body_(std::move(body)),
        objective_(std::move(objective)),
        layout_(body_->layout()),
        device_(torch_device(device)) {}

  const ParameterLayout& layout() const override { return layout_; }
  const ModelShape& shape() const override { return body_->shape(); }
  const Architecture* architecture() const override { return body_->architecture(); }
  bool follows_statistics() const override { return body_->follows_statistics(); }
  double forward_flops() const override { return body_->forward_flops(); }
  Footprint footprint(std::size_t trained, std::size_t tested) const override {
    return body_->footprint(trained, tested);
  }
  void initialise(Stream& random, std::span<float> parameters) const override { body_->initialise(random, parameters); }

  void outputs(std::span<const float> parameters, const Batch& batch, std::span<float> out) override {
    SOUK_EXPECT(out.size() == batch.samples * shape().outputs());
    const c10::NoGradGuard no_gradients;
    place(parameters);
    copy_out(forward(batch, RunningStatistics::use).outputs, out);
  }

  double gradient(std::span<float> parameters, const Batch& batch, std::span<float> gradient) override {
    SOUK_EXPECT(gradient.size() == layout_.trainable() && batch.samples > 0);
    place(parameters);
    const double loss = backward(forward(batch, RunningStatistics::update), batch, gradient);
    const std::size_t trainable = layout_.trainable();
    if (!device_.is_cpu()) copy_out(flat_.slice(0, extent(trainable)), parameters.subspan(trainable));
    return loss;
  }

  // With outputs f, Jacobian J and loss L(f): H v = J^T L'' J v, plus the second derivatives of f weighted by L'. For
  // weights w, v^T J^T w has the derivative J v in w and, at w = L', that second term in the parameters; and in the
  // inputs, whose own Jacobian takes the place of the first J^T.
  void directional(std::span<const float> parameters, const Batch& batch, std::span<const float> direction,
                   const DirectionalGradients& out) override {
    SOUK_EXPECT(batch.samples > 0 && (direction.size() == layout_.trainable() ||
                                      (direction.size() == layout_.dimension() && follows_statistics())));
    SOUK_EXPECT(out.trainable.empty() || out.trainable.size() == layout_.trainable());
    SOUK_EXPECT(out.shares.empty() || objective_->takes_shares());
    place(parameters);
    try {
      multiply(batch, direction, out);
    } catch (const InputError&) {
      throw;
    } catch (const std::exception& error) {
      throw_input_error("{}: a product with its Hessian is asked for, and cannot be formed: {}", body_->name(),
                        complaint_of(error));
    }
  }

 private:
  void multiply(const Batch& batch, std::span<const float> direction, const DirectionalGradients& out) {
    const Tensor read = out.features.empty() ? features(batch) : features(batch).clone().requires_grad_(true);
    const bool follows = direction.size() > layout_.trainable();
    const TorchAnswer answer =
        body_->forward(read, follows ? RunningStatistics::follow : RunningStatistics::leave, batch.draws);
    const Tensor outputs = joined(answer);
    const std::vector<float> answers = to_floats(outputs);
    std::vector<float> values = answers;
    differentiate(batch, values);
    const Tensor weights = like(outputs, values).requires_grad_(true);
    std::vector<Tensor> inputs = out.trainable.empty() ? std::vector<Tensor>() : trainable_;
    if (!out.features.empty()) inputs.push_back(read);
    const std::vector<Tensor> asked = inputs;
    inputs.push_back(weights);
    Tensor along = dot(pulled(outputs, weights), direction);
    if (follows) along = along.add(dot_with_moves(answer.moves, direction.subspan(layout_.trainable())));
    std::vector<Tensor> products = derivative(along, inputs);
    std::vector<float> bend = to_floats(products.back());
    products.pop_back();
    if (!out.shares.empty()) {
      std::ranges::copy(bend, out.shares.begin());
      objective_->share_slopes(answers, shape().outputs(), batch.samples, out.shares);
    }
    if (asked.empty()) return;
    bend_along(answers, batch, bend);
    const std::vector<Tensor> first = derivative(outputs, asked, like(outputs, bend));
    for (std::size_t i = 0; i < first.size(); ++i) products[i] = products[i].add(first[i]);
    if (!out.features.empty()) {
      copy_out(products.back(), out.features);
      products.pop_back();
    }
    if (!out.trainable.empty()) copy_slots(products, out.trainable);
  }

  /// Makes the network's tensors views of the parameters, or of their copy on the device.
  void place(std::span<const float> parameters) {
    SOUK_EXPECT(parameters.size() == layout_.dimension());
    flat_ = view(parameters, {extent(parameters.size())}).to(device_);
    trainable_ = body_->place(flat_);
  }

  Tensor features(const Batch& batch) const {
    const auto& input = shape().input;
    return view(batch.features, {extent(batch.samples), extent(input[0]), extent(input[1]), extent(input[2])})
        .to(device_);
  }

  /// The loss, and its gradient in the trainable values. Cross-entropy stays on the device, by LibTorch's operator.
  double backward(const TorchAnswer& answer, const Batch& batch, std::span<float> gradient) const {
    const Tensor& outputs = answer.outputs;
    if (objective_->is_cross_entropy() && batch.shares.empty() && batch.weights.empty()) {
      const Tensor labels =
          at::from_blob(const_cast<std::int32_t*>(batch.labels.data()), {extent(batch.samples)}, at::kInt)
              .to(device_, at::kLong);
      const Tensor loss = at::cross_entropy_loss(outputs, labels);
      copy_slots(grad_of({loss}), gradient);
      return loss.item<double>();
    }
    std::vector<float> values = to_floats(outputs);
    const double sum = objective_->gradient(values, shape().outputs(), batch.targets(), batch.samples);
    std::vector<Tensor> ends{outputs}, slopes{like(outputs, values)};  // which look at the vectors' memory
    std::vector<float> attention;
    double of_attention = 0.0;
    if (answer.attention.defined()) {
      attention = to_floats(answer.attention);
      of_attention = objective_->attention_gradient(attention, attention.size() / batch.samples, batch.targets());
      ends.push_back(answer.attention);
      slopes.push_back(like(answer.attention, attention));
    }
    copy_slots(grad_of(ends, slopes), gradient);
    return sum / static_cast<double>(batch.samples) + of_attention;
  }

  /// BatchColumns of the outputs and of the attention in joined answers.
  std::pair<BatchColumns, BatchColumns> columns(std::size_t size, std::size_t samples) const {
    const std::size_t outputs = shape().outputs(), width = size / samples;
    return {{.first = 0, .count = outputs, .width = width},
            {.first = outputs, .count = width - outputs, .width = width}};
  }

  /// Joined answers become the slope of the mean loss in them.
  void differentiate(const Batch& batch, std::span<float> answers) const {
    const auto [of_outputs, of_attention] = columns(answers.size(), batch.samples);
    std::vector<float> values = of_outputs.of(answers);
    objective_->gradient(values, of_outputs.count, batch.targets(), batch.samples);
    of_outputs.put(values, answers);
    if (of_attention.count == 0) return;
    values = of_attention.of(answers);
    objective_->attention_gradient(values, of_attention.count, batch.targets());
    of_attention.put(values, answers);
  }

  /// A direction in the joined answers becomes the curvature of the mean loss along it.
  void bend_along(std::span<const float> answers, const Batch& batch, std::span<float> direction) const {
    const auto [of_outputs, of_attention] = columns(answers.size(), batch.samples);
    std::vector<float> part = of_outputs.of(direction);
    objective_->curvature(of_outputs.of(answers), of_outputs.count, batch.targets(), batch.samples, part);
    of_outputs.put(part, direction);
    if (of_attention.count == 0) return;
    part = of_attention.of(direction);
    objective_->attention_curvature(of_attention.of(answers), of_attention.count, batch.targets(), part);
    of_attention.put(part, direction);
  }

  /// Derivatives in the trainable tensors; undefined where nothing depends on one.
  std::vector<Tensor> grad_of(const std::vector<Tensor>& ends, const std::vector<Tensor>& slopes = {}) const {
    return torch::autograd::grad(ends, trainable_, slopes, /*retain_graph=*/false, /*create_graph=*/false,
                                 /*allow_unused=*/true);
  }

  /// J^T weights, to be differentiated once more.
  std::vector<Tensor> pulled(const Tensor& outputs, const Tensor& weights) const {
    return torch::autograd::grad({outputs}, trainable_, {weights}, /*retain_graph=*/true, /*create_graph=*/true,
                                 /*allow_unused=*/true);
  }

  /// Values in slot order times a flat vector.
  Tensor dot(const std::vector<Tensor>& values, std::span<const float> flat) const {
    const Tensor along = view(flat, {extent(flat.size())}).to(device_);
    Tensor sum = at::zeros({}, device_);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!values[i].defined()) continue;
      const Slot& slot = layout_.slots()[i];
      sum = sum.add(values[i].reshape(-1).mul(along.narrow(0, extent(slot.offset), extent(slot.size))).sum());
    }
    return sum;
  }

  /// Moves of buffers, in their order, times a flat vector.
  Tensor dot_with_moves(const std::vector<Tensor>& moves, std::span<const float> flat) const {
    const Tensor along = view(flat, {extent(flat.size())}).to(device_);
    return at::cat(moves).mul(along).sum();
  }

  /// Derivatives of `value`, zeros where it does not depend on one of `in`; `weights`: of each of its elements.
  static std::vector<Tensor> derivative(const Tensor& value, const std::vector<Tensor>& in,
                                        const Tensor& weights = {}) {
    const std::vector<Tensor> of_elements = weights.defined() ? std::vector<Tensor>{weights} : std::vector<Tensor>();
    std::vector<Tensor> result(in.size());
    if (value.requires_grad()) {
      result = torch::autograd::grad({value}, in, of_elements, /*retain_graph=*/true, /*create_graph=*/false,
                                     /*allow_unused=*/true);
    }
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (!result[i].defined()) result[i] = at::zeros_like(in[i]);
    }
    return result;
  }

  static std::vector<float> to_floats(const Tensor& values) {
    std::vector<float> floats(static_cast<std::size_t>(values.numel()));
    copy_out(values, floats);
    return floats;
  }

  /// A tensor of this shape, on the same device.
  Tensor like(const Tensor& shaped, std::span<const float> values) const {
    return view(values, shaped.sizes().vec()).to(device_);
  }

  TorchAnswer forward(const Batch& batch, RunningStatistics statistics) {
    return body_->forward(features(batch), statistics, batch.draws);
  }

  static void copy_out(const Tensor& values, std::span<float> out) {
    const Tensor here = values.detach().to(at::kCPU).contiguous();
    SOUK_EXPECT(static_cast<std::size_t>(here.numel()) == out.size());
    std::copy_n(here.data_ptr<float>(), out.size(), out.data());
  }

  void copy_slots(const std::vector<Tensor>& values, std::span<float> out) const {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const Slot& slot = layout_.slots()[i];
      const std::span<float> place = out.subspan(slot.offset, slot.size);
      if (values[i].defined()) {
        copy_out(values[i], place);
      } else {
        std::ranges::fill(place, 0.0F);
      }
    }
  }

  std::unique_ptr<TorchBody> body_;
  std::shared_ptr<const Objective> objective_;
  ParameterLayout layout_;
  at::Device device_;
  Tensor flat_;                    ///< all parameters
  std::vector<Tensor> trainable_;  ///< those of trainable slots, which are leaves, in slot order
};

}  // namespace

at::Device torch_device(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  SOUK_REQUIRE(name == "cuda" || name.rfind("cuda:", 0) == 0, "device \"{}\": must be cpu, cuda or cuda:K", name);
  SOUK_REQUIRE(torch::cuda::is_available(),
               "device \"{}\": this LibTorch has no CUDA; use \"cpu\", or build against a LibTorch with it", name);
  const at::Device device(name);
  SOUK_REQUIRE(!device.has_index() || static_cast<std::size_t>(device.index()) < torch::cuda::device_count(),
               "device \"{}\": this machine has {} CUDA devices", name, torch::cuda::device_count());
  return device;
}

std::string complaint_of(const std::exception& error) {
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  const std::string text = of_torch != nullptr ? of_torch->what_without_backtrace() : error.what();
  // Where the interpreter speaks, the reason stands behind the traceback.
  constexpr std::string_view mark = "Error: ";
  const std::size_t at = text.rfind(mark);
  const std::string_view from = std::string_view(text).substr(at == std::string::npos ? 0 : at + mark.size());
  const std::size_t first = from.find_first_not_of("\n ");
  if (first == std::string_view::npos) return "it says nothing more";
  return std::string(from.substr(first, from.find('\n', first) - first));
}

std::unique_ptr<Network> make_torch_network(const Architecture& architecture, const std::string& device,
                                            std::shared_ptr<const Objective> objective) {
  return make_torch_network(std::make_unique<LayeredBody>(architecture), device, std::move(objective));
}

std::unique_ptr<Network> make_torch_network(std::unique_ptr<TorchBody> body, const std::string& device,
                                            std::shared_ptr<const Objective> objective) {
  return std::make_unique<TorchNetwork>(std::move(body), device, std::move(objective));
}

}  // namespace souk
