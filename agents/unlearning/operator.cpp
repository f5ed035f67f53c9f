#include "agents/unlearning/operator.hpp"

#include "scenarios/unlearning.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {

std::string prefix_of_numbers(const Owner& owner, std::size_t index, const std::string& request) {
  return (index == 0 ? "" : "buyer." + owner.name + ".") + "unlearning." + request + ".";
}

std::string ForgettingCase::prefix(const ModelServer& server) const {
  return prefix_of_numbers(server.owner(), server.index(), name);
}

std::unique_ptr<UnlearningOperator> make_unlearning_operator(const scenario::ForgetRequest& request) {
  return PluginRegistry<UnlearningOperator>::instance().create(request, "operator");
}

}  // namespace souk
