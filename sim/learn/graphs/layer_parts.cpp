#include "sim/learn/graphs/layer_parts.hpp"

#include "scenarios/graph_models.pb.h"

namespace souk::graph_parts {

Activation activation_of(scenario::GraphActivation activation) {
  return activation == scenario::ELU ? Activation::elu : Activation::relu;
}

}  // namespace souk::graph_parts
