#include "sim/data/graphs/edge_budget.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {

std::optional<EdgeBudget> edge_budget_of(const scenario::Data& data) {
  const google::protobuf::Message* source = chosen(data, "source");
  const auto* field = source == nullptr ? nullptr : source->GetDescriptor()->FindFieldByName("graph");
  if (field == nullptr) return std::nullopt;
  const google::protobuf::Message& nodes = source->GetReflection()->GetMessage(*source, field);
  const google::protobuf::Message* noise = chosen(nodes, "edge_privacy");
  if (noise == nullptr) return std::nullopt;
  const auto* epsilon = noise->GetDescriptor()->FindFieldByName("epsilon");
  SOUK_EXPECT(epsilon != nullptr);
  return EdgeBudget{plugin_name(noise->GetDescriptor()), noise->GetReflection()->GetDouble(*noise, epsilon)};
}

}  // namespace souk
