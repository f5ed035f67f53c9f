#include "sim/learn/scripted/script_operators.torch.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <ATen/core/function_schema.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/passes/inliner.h>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

struct Refused {
  std::string_view name, why;
};
constexpr std::string_view own_seed = "seeds of its own would not follow the run's";
constexpr std::string_view several_threads = "what runs on several threads has no fixed order";
constexpr std::string_view shows_late = "which code that is shows only when it runs";
constexpr std::string_view other_processes = "a network asks no other processes";
constexpr std::array refused{Refused{"aten::save", "a network writes no files"},
                             Refused{"aten::from_file", "a network reads no files"},
                             Refused{"prim::Print", "a network prints nothing"},
                             Refused{"prim::fork", several_threads},
                             Refused{"prim::awaitable", several_threads},
                             Refused{"aten::wait", several_threads},
                             Refused{"prim::TimePoint", "the clock differs from run to run"},
                             Refused{"aten::seed", own_seed},
                             Refused{"aten::initial_seed", own_seed},
                             Refused{"aten::manual_seed", own_seed},
                             Refused{"aten::data_ptr", "places in memory differ from run to run"},
                             Refused{"prim::CallMethod", shows_late},
                             Refused{"prim::CallFunction", shows_late},
                             Refused{"prim::rpc_async", other_processes},
                             Refused{"prim::rpc_sync", other_processes},
                             Refused{"prim::rpc_remote", other_processes},
                             Refused{"prim::PythonOp", "there is no Python here"}};

/// Of batch normalisations; counts what nobody reads (ScriptProbe makes sure).
constexpr std::string_view harmless_counter = "num_batches_tracked";

class OperatorCheck {
 public:
  explicit OperatorCheck(const std::string& path) : path_(path) {}

  void all_of(at::ArrayRef<const torch::jit::Block*> blocks) const {
    for (const torch::jit::Block* block : blocks) {
      for (const torch::jit::Node* node : block->nodes()) {
        check(*node);
        all_of(node->blocks());
      }
    }
  }

 private:
  void check(const torch::jit::Node& node) const {
    const c10::Symbol kind = node.kind();
    const std::string name = kind.toQualString();
    const auto* found = std::ranges::find(refused, name, &Refused::name);
    SOUK_REQUIRE(found == refused.end(), "{}: forward calls {}, and {}", path_, name, found->why);
    SOUK_REQUIRE(kind.is_aten() || kind.is_prim(), "{}: forward calls {}, which is no operator of LibTorch's own",
                 path_, name);
    if (kind == c10::prim::SetAttr) {
      const std::string& attribute = node.s(c10::attr::name);
      SOUK_REQUIRE(attribute == harmless_counter,
                   "{}: forward sets self.{}, which would be kept from call to call and is no tensor of the model's",
                   path_, attribute);
    }
    check_what_it_writes(node);
  }

  /// Lists and dictionaries of the module's are no part of the model, so nothing may be kept in them.
  void check_what_it_writes(const torch::jit::Node& node) const {
    const c10::FunctionSchema* schema = node.maybeSchema();
    if (schema == nullptr) return;
    const std::size_t known = std::min(schema->arguments().size(), node.inputs().size());
    for (std::size_t i = 0; i < known; ++i) {
      const auto* alias = schema->arguments()[i].alias_info();
      const torch::jit::Value* value = node.input(i);
      if (alias == nullptr || !alias->isWrite() || value->node()->kind() != c10::prim::GetAttr) continue;
      SOUK_REQUIRE(value->type()->kind() == c10::TypeKind::TensorType,
                   "{}: forward changes self.{}, which would be kept from call to call and is no tensor of the model's",
                   path_, value->node()->s(c10::attr::name));
    }
  }

  const std::string& path_;
};

}  // namespace

void check_operators(const std::string& path, const torch::jit::Module& module) {
  const auto graph = module.get_method("forward").graph()->copy();
  torch::jit::Inline(*graph);
  OperatorCheck(path).all_of(graph->block());
}

}  // namespace souk
