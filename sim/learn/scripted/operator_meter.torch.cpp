#include "sim/learn/scripted/operator_meter.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_set>

#include <ATen/core/Tensor.h>
#include <ATen/record_function.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <torch/csrc/api/include/torch/version.h>

namespace souk {
namespace {

#if TORCH_VERSION_MAJOR >= 2
using BytesInAll = std::size_t;
#else
using BytesInAll = std::int64_t;
#endif

/// Told by LibTorch's allocator.
class MemoryMeter final : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void* place, std::int64_t bytes, BytesInAll, BytesInAll, c10::Device) override {
    // What was there before may go meanwhile, and does not count.
    if (bytes > 0) {
      ours_.insert(place);
    } else if (ours_.erase(place) == 0) {
      return;
    }
    now_ += bytes;
    most_ = std::max(most_, now_);
  }
  bool memoryProfilingEnabled() const override { return true; }
  double most() const { return static_cast<double>(most_); }

 private:
  std::unordered_set<void*> ours_;
  std::int64_t now_ = 0, most_ = 0;
};

double size(const at::Tensor& tensor) { return static_cast<double>(tensor.numel()); }

/// Multiply-adds of a matrix product: every value of the left takes part once for each column of the right.
double products(const at::Tensor& left, const at::Tensor& right) {
  return size(left) * (right.dim() > 1 ? static_cast<double>(right.size(-1)) : 1.0);
}

/// A convolution that has begun: every output takes the weights of its channel, and in a transposed one, every input.
struct BegunConvolution final : at::ObserverContext {
  double weights = 0.0;  ///< of a channel
  double inputs = 0.0;   ///< of a transposed one
};

thread_local double flops = 0.0;

/// Inputs show when an operator begins, outputs when it ends.
std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& call) {
  const std::string_view name = call.name();
  const auto tensor = [&](std::size_t i) { return call.inputs()[i].toTensor(); };  // not there for every operator
  if (name == "aten::mm" || name == "aten::bmm" || name == "aten::mv") {
    flops += 2.0 * products(tensor(0), tensor(1));
  } else if (name == "aten::addmm" || name == "aten::baddbmm" || name == "aten::addmv") {
    flops += 2.0 * products(tensor(1), tensor(2));
  } else if (name == "aten::convolution") {
    auto convolution = std::make_unique<BegunConvolution>();
    convolution->weights = size(tensor(1)) / static_cast<double>(tensor(1).size(0));
    const bool transposed = call.inputs()[6].toBool();
    if (transposed) convolution->inputs = size(tensor(0));
    return convolution;
  }
  return nullptr;
}

void end(const at::RecordFunction& call, at::ObserverContext* context) {
  const auto* convolution = dynamic_cast<const BegunConvolution*>(context);
  if (convolution == nullptr) return;
  const double places = convolution->inputs > 0.0 ? convolution->inputs : size(call.outputs().front().toTensor());
  flops += 2.0 * convolution->weights * places;
}

/// While it lives, operators of this thread are counted.
class Counting {
 public:
  Counting()
      : handle_(at::addThreadLocalCallback(at::RecordFunctionCallback(begin, end)
                                               .needsInputs(true)
                                               .needsOutputs(true)
                                               .scopes({at::RecordScope::FUNCTION}))) {
    flops = 0.0;
  }
  ~Counting() { at::removeCallback(handle_); }
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;

 private:
  at::CallbackHandle handle_;
};

}  // namespace

OperatorCost measure_operators(const std::function<void()>& work) {
  const auto memory = std::make_shared<MemoryMeter>();
  {
    const Counting counting;
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, memory);
    work();
  }
  return {.flops = flops, .bytes = memory->most()};
}

}  // namespace souk
