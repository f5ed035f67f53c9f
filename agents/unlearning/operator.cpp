#include "agents/unlearning/operator.hpp"

#include "scenarios/unlearning.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {

std::unique_ptr<UnlearningOperator> make_unlearning_operator(const scenario::ForgetRequest& request) {
  return PluginRegistry<UnlearningOperator>::instance().create(request, "operator");
}

}  // namespace souk
