#include "sim/serve/served_network.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <type_traits>

#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/learn/graphs/graph_network.hpp"
#include "sim/learn/graphs/known_products.hpp"
#include "sim/serve/connected_parts.hpp"
#include "sim/serve/input_rows.hpp"
#include "sim/serve/scaled_answers.hpp"

namespace souk {
namespace {

template <class T>
class ServedIn final : public ServedNetwork {
 public:
  ServedIn(const scenario::Task& task, const Dataset& train, const Graph& graph)
      : graph_(graph),
        row_factors_(train.scaling().rows ? factors_of_rows(graph.features) : std::vector<float>()),
        scaling_{.shift = train.scaling().shift, .scale = train.scaling().scale, .row_factors = row_factors_},
        network_(make_graph_network(task.model(), train, make_objective(task.objective(), true))),
        all_(graph, scaling_),
        known_({.features = &all_.features(), .scaling = &scaling_, .width = graph.features.width}, graph.nodes()),
        spreads_(std::is_same_v<T, double> && ScaledAnswers::can_answer(network_.architecture(), graph)) {}

  void take(std::span<const float> parameters) override {
    parameters_.assign(parameters.begin(), parameters.end());
    known_.forget();
    answers_.clear();
    spreading_.clear();
  }
  std::size_t classes() const override { return network_.classes(); }
  std::size_t hops() const override { return network_.hops(); }

  void logits(const EditedGraph& graph, std::span<const NodeIndex> targets, std::span<double> out) override {
    SOUK_EXPECT(!parameters_.empty() && out.size() == targets.size() * classes());
    if (!graph.is_only_scaled()) return compute(graph, targets, out);
    if (spreads_) return spread(graph, targets, out);
    const std::vector<NodeIndex> scaled = graph.scaled();
    if (scaled.empty()) return copy(targets, out);
    compute_within_reach(graph, scaled, targets, out);
  }

  NodeSource extra(ExtraInput kind) override {
    switch (kind) {
      case ExtraInput::zero:
        break;
      case ExtraInput::mean:
        if (!mean_) mean_ = add_input(mean_input(graph_.features, scaling_));
        return {*mean_, 1.0};
      case ExtraInput::median:
        if (!median_) median_ = add_input(median_input(graph_.features, scaling_));
        return {*median_, 1.0};
    }
    return {0, 0.0};
  }
  NodeIndex typical() override {
    if (!typical_) typical_ = nearest_input(graph_.features, scaling_, mean_input(graph_.features, scaling_));
    return *typical_;
  }

  const GraphNetwork& network() const override { return network_; }
  const FeatureScaling& scaling() const override { return scaling_; }

  double bytes() const override {
    const auto nodes = static_cast<double>(graph_.nodes());
    double values = static_cast<double>(classes());
    const std::size_t first = network_.widths().front();
    values += 2.0 * static_cast<double>(first);
    const double weight = static_cast<double>(graph_.features.width * first);
    for (const std::size_t width : network_.widths()) values += 2.0 * static_cast<double>(width);
    return nodes * (values * sizeof(T) + 32.0) + weight * sizeof(T);
  }

 private:
  std::uint32_t add_input(const std::vector<double>& input) {
    spreading_.clear();
    return known_.add(input);
  }

  void compute(const EditedGraph& graph, std::span<const NodeIndex> targets, std::span<double> out) {
    const ReceptiveField field(graph, targets, hops(), places_);
    logits_.resize(out.size());
    network_.outputs(std::span<const T>(parameters_), field, targets.size(), known_, std::span(logits_));
    std::ranges::copy(logits_, out.begin());
  }

  /// Answers of the graph as it was first are computed once.
  std::span<const T> first_answers() {
    if (answers_.empty()) {
      answers_.resize(graph_.nodes() * classes());
      network_.outputs(std::span<const T>(parameters_), all_, graph_.nodes(), std::span(answers_));
    }
    return answers_;
  }
  void copy(std::span<const NodeIndex> targets, std::span<double> out) {
    const auto answers = first_answers();
    for (std::size_t i = 0; i < targets.size(); ++i) {
      std::ranges::copy(answers.subspan(targets[i] * classes(), classes()),
                        out.begin() + static_cast<std::ptrdiff_t>(i * classes()));
    }
  }

  /// Answers for nodes farther away from all that was scaled than the network sees are those of before.
  void compute_within_reach(const EditedGraph& graph, std::span<const NodeIndex> scaled,
                            std::span<const NodeIndex> targets, std::span<double> out) {
    copy(targets, out);
    mark_within_reach(scaled);
    std::vector<NodeIndex> near;
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      if (places_.of(targets[i]) == NodePlaces::absent) continue;
      near.push_back(targets[i]);
      rows.push_back(i);
    }
    if (near.empty()) return;
    std::vector<double> computed(near.size() * classes());
    compute(graph, near, computed);
    for (std::size_t i = 0; i < near.size(); ++i) {
      std::copy_n(computed.begin() + static_cast<std::ptrdiff_t>(i * classes()), classes(),
                  out.begin() + static_cast<std::ptrdiff_t>(rows[i] * classes()));
    }
  }
  void mark_within_reach(std::span<const NodeIndex> from) {
    places_.begin(graph_.nodes());
    std::vector<NodeIndex> reached(from.begin(), from.end());
    for (const NodeIndex node : reached) places_.put(node, 0);
    for (std::size_t hop = 0, begin = 0; hop < hops(); ++hop) {
      const std::size_t end = reached.size();
      for (; begin < end; ++begin) {
        const SparseRows& edges = graph_.edges;
        const std::uint64_t first = edges.offsets[reached[begin]], last = edges.offsets[reached[begin] + 1];
        for (std::uint64_t e = first; e < last; ++e) {
          const NodeIndex to = edges.columns[e];
          if (places_.of(to) != NodePlaces::absent) continue;
          places_.put(to, 0);
          reached.push_back(to);
        }
      }
    }
  }

  /// Part by part of the graph: what happens in one changes no answer in another.
  void spread(const EditedGraph& graph, std::span<const NodeIndex> targets, std::span<double> out) {
    if (parts_.nodes.empty()) parts_ = connected_parts(graph_);
    if (targets.empty()) return;
    const std::uint32_t first = parts_.part[targets.front()];
    if (std::ranges::all_of(targets, [&](NodeIndex node) { return parts_.part[node] == first; })) {
      return spreading(first).logits(graph, targets, out);
    }
    std::map<std::uint32_t, std::vector<std::size_t>> of_parts;
    for (std::size_t i = 0; i < targets.size(); ++i) of_parts[parts_.part[targets[i]]].push_back(i);
    std::vector<NodeIndex> nodes;
    std::vector<double> answers;
    for (const auto& [part, rows] : of_parts) {
      nodes.clear();
      for (const std::size_t row : rows) nodes.push_back(targets[row]);
      answers.resize(rows.size() * classes());
      spreading(part).logits(graph, nodes, answers);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        std::copy_n(answers.begin() + static_cast<std::ptrdiff_t>(i * classes()), classes(),
                    out.begin() + static_cast<std::ptrdiff_t>(rows[i] * classes()));
      }
    }
  }
  ScaledAnswers& spreading(std::uint32_t part) {
    std::unique_ptr<ScaledAnswers>& known = spreading_[part];
    if constexpr (std::is_same_v<T, double>) {
      if (known == nullptr) {
        known =
            std::make_unique<ScaledAnswers>(network_, graph_, parts_.nodes[part], parts_.place, parameters_, known_);
      }
    }
    return *known;
  }

  const Graph& graph_;
  std::vector<float> row_factors_;
  FeatureScaling scaling_;
  GraphNetwork network_;
  ReceptiveField all_;
  KnownProducts<T> known_;
  bool spreads_;  ///< changes of features are spread
  ConnectedParts parts_;
  std::map<std::uint32_t, std::unique_ptr<ScaledAnswers>> spreading_;  ///< by part, of those that were asked about
  std::optional<std::uint32_t> mean_, median_;                         ///< rows of inputs
  std::optional<NodeIndex> typical_;
  std::vector<T> parameters_, answers_, logits_;
  NodePlaces places_;
};

}  // namespace

std::unique_ptr<ServedNetwork> make_served_network(const scenario::Task& task, const Dataset& train, const Graph& graph,
                                                   bool in_double) {
  if (in_double) return std::make_unique<ServedIn<double>>(task, train, graph);
  return std::make_unique<ServedIn<float>>(task, train, graph);
}

}  // namespace souk
