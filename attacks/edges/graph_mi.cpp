#include <algorithm>
#include <cmath>

#include "attacks/edge_attack.hpp"
#include "attacks/graph_inversion.hpp"
#include "scenarios/edge_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

/// Of which all pairs are held in memory, four numbers for each.
constexpr std::size_t most_nodes = 3000;

class GraphInversion final : public InferWith<WhiteBox> {
 public:
  explicit GraphInversion(const scenario::GraphInversion& config) : config_(config) {}

  void check(const EdgeSetting& setting) override {
    SOUK_REQUIRE(setting.graph.nodes() <= most_nodes, "graph_mi: takes graphs of up to {} nodes, and this one has {}",
                 most_nodes, setting.graph.nodes());
    for (const auto& layer : setting.network.architecture().layers) {
      SOUK_REQUIRE(
          layer->normalized_form().has_value(),
          "graph_mi: inverts layers that weigh neighbours by 1 / sqrt((d_i + 1) (d_j + 1)) or look at none, and "
          "the network {} has others",
          setting.network.name());
    }
    edges_ = static_cast<double>(setting.graph.secret_edges().entries() / 2);
  }

  /// Networks that are served stay what they are for many rounds: the same one is inverted once.
  void look_at(const View& view, std::span<const EdgeQuestion>) override {
    const std::vector<std::int32_t> classes = known_classes(view);
    if (classes == classes_ && std::ranges::equal(view.parameters, parameters_)) return;
    classes_ = classes;
    parameters_.assign(view.parameters.begin(), view.parameters.end());
    invert(view);
  }

  void rank(const View&, const EdgeQuestion& question, std::span<double> scores) override {
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const double* a = embeddings_.data() + question.target * width_;
      const double* b = embeddings_.data() + question.candidates[i] * width_;
      double cosine = 0.0;
      for (std::size_t c = 0; c < width_; ++c) cosine += a[c] * b[c];
      scores[i] = std::max(cosine, 0.0);
    }
  }

  double bytes(double nodes, double) const override { return 16.0 * nodes * nodes + 1000.0 * nodes; }

 private:
  std::vector<std::int32_t> known_classes(const View& view) const {
    std::vector<NodeIndex> nodes;
    for (NodeIndex v = 0; v < view.node_classes.size(); ++v) {
      if (view.node_classes[v] >= 0) nodes.push_back(v);
    }
    Stream draws(view.seed(), streams::attacker_knowledge(1));
    if (config_.labels() < 1.0) draws.shuffle(nodes);
    nodes.resize(static_cast<std::size_t>(std::ceil(config_.labels() * static_cast<double>(nodes.size()))));
    std::vector<std::int32_t> classes(view.features.nodes(), -1);
    for (const NodeIndex v : nodes) classes[v] = view.node_classes[v];
    return classes;
  }

  void invert(const View& view) {
    InversionLoss<float> loss({.network = view.network,
                               .parameters = view.parameters,
                               .features = view.features.features,
                               .scaling = view.scaling,
                               .classes = classes_},
                              {.norm = config_.norm(), .smoothness = config_.smoothness()});
    const std::size_t n = loss.nodes();
    const auto rate = static_cast<float>(config_.rate());
    std::vector<float> graph(n * n), derivatives(n * n);
    for (std::uint32_t step = 0; step < config_.steps(); ++step) {
      loss.evaluate(graph, 2 * step >= config_.steps(), derivatives);
      for (std::size_t i = 1; i < n; ++i) {
        for (std::size_t j = 0; j < i; ++j) graph[i * n + j] -= rate * derivatives[i * n + j];
      }
      project_graph(std::span(graph), n, edges_);
      heartbeat::beat();
    }
    embeddings_ = loss.embeddings(graph);
    width_ = loss.embedding_width();
  }

  scenario::GraphInversion config_;
  double edges_ = 0.0;  ///< of the graph: their number is all that the attacker is told
  std::vector<std::int32_t> classes_;
  std::vector<float> parameters_;   ///< of the network that was inverted
  std::vector<double> embeddings_;  ///< [nodes, width]
  std::size_t width_ = 0;
};

const Register<EdgeAttack, GraphInversion, scenario::GraphInversion> register_graph_inversion;

}  // namespace
}  // namespace souk
