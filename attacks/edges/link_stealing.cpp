#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>

#include "attacks/edge_attack.hpp"
#include "attacks/pair_classifier.hpp"
#include "attacks/reference_network.hpp"
#include "attacks/shadow_graph.hpp"
#include "attacks/vector_distances.hpp"
#include "scenarios/edge_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/graphs/graph_network.hpp"

namespace souk {
namespace {

/// All eight attacks, as the attacker knows features, edges, a shadow graph, or none of these.
class LinkStealing final : public InferWith<AnyAnswer, FeaturesIfKnown, EdgesIfKnown, DesignIfKnown> {
 public:
  explicit LinkStealing(const scenario::LinkStealing& config) : config_(config) {}

  Rights needs() const override {
    Rights rights = AnyAnswer::rights;
    if (config_.features()) rights.add(Right::know_features);
    if (knows_edges()) rights.add(Right::know_edges);
    if (config_.has_shadow()) rights.add(Right::know_design);
    return rights;
  }

  void check(const EdgeSetting& setting) override {
    SOUK_REQUIRE(!learns() || config_.distance() == scenario::CORRELATION,
                 "link_stealing.distance = {}: where {} is given, all distances are read by a network",
                 scenario::VectorDistance_Name(config_.distance()), knows_edges() ? "known_edges" : "shadow");
    if (config_.has_shadow()) {
      shadow_ = std::make_unique<ShadowGraph>(config_.shadow(), setting.seed);
      shadow_->check(setting.design);
      pairs_learned_ += static_cast<double>(shadow_->graph().secret_edges().entries());
    }
    if (knows_edges()) check_known_edges(setting);
    const ReadAnswers width{.nodes = {}, .width = setting.network.classes(), .values = {}};
    pair_values_ =
        static_cast<double>(description_size({.answers = width,
                                              .features = config_.features() ? &setting.graph.features : nullptr,
                                              .reference = refers() ? &width : nullptr,
                                              .of_any_graph = config_.has_shadow()}));
  }

  void look_at(const View& view, std::span<const EdgeQuestion> questions) override {
    features_ = config_.features() ? &view.known_features->features : nullptr;
    KnownPairs known;
    if (knows_edges()) {
      Stream draws(view.seed(), streams::attacker_knowledge(0));
      known = known_pairs(*view.known_edges, config_.known_edges(), questions, draws);
    }
    read(view, questions, known);
    if (features_ != nullptr && (refers() || !learns()))
      reference_ = reference_answers(answers_, *features_, view.seed());
    if (learns()) {
      learn(view, known);
    } else if (features_ != nullptr) {
      find_scales(questions);
    }
  }

  void rank(const View&, const EdgeQuestion& question, std::span<double> scores) override {
    for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = likeness(question.target, question.candidates[i]);
  }

  double bytes(double nodes, double pairs) const override {
    const double of_shadow = shadow_ ? shadow_->bytes() + 300.0 * static_cast<double>(shadow_->graph().nodes()) : 0.0;
    return nodes * 300.0 + 2.0 * pairs * sizeof(NodeIndex) + pairs_learned_ * (pair_values_ * sizeof(double) + 100.0) +
           of_shadow;
  }

 private:
  /// Distances of answers and of features, and by how much that of the answers is larger than a reference network's.
  using Comparison = std::array<double, 3>;

  bool knows_edges() const { return config_.known_edges() > 0.0; }
  /// Whether a network is trained on pairs.
  bool learns() const { return knows_edges() || config_.has_shadow(); }
  /// Whether it reads answers of reference networks.
  bool refers() const { return config_.has_shadow() && config_.features(); }

  void check_known_edges(const EdgeSetting& setting) {
    Stream draws(0, streams::attacker_knowledge(0));
    const KnownPairs known = known_pairs(setting.graph, config_.known_edges(), setting.questions, draws);
    SOUK_REQUIRE(!known.edges.empty(),
                 "link_stealing.known_edges = {}: all edges are asked about, and none can be known",
                 config_.known_edges());
    SOUK_REQUIRE(!known.others.empty(),
                 "link_stealing.known_edges = {}: all pairs that are no edges are asked about, and none can be known",
                 config_.known_edges());
    pairs_learned_ += static_cast<double>(known.edges.size() + known.others.size());
  }

  /// Trains the network on pairs: of the shadow graph, of the graph itself, or of both.
  void learn(const View& view, const KnownPairs& known) {
    description_.emplace(PairSources{.answers = answers_,
                                     .features = features_,
                                     .reference = refers() ? &reference_ : nullptr,
                                     .of_any_graph = config_.has_shadow()});
    if (!shadow_) {
      classifier_.emplace(std::array{Lesson{*description_, known}}, view.seed());
      return;
    }
    look_at_shadow(view);
    const PairDescription of_shadow({.answers = shadow_answers_,
                                     .features = features_ != nullptr ? &shadow_->graph().features : nullptr,
                                     .reference = refers() ? &shadow_reference_ : nullptr,
                                     .of_any_graph = true});
    const KnownPairs shadow_pairs = shadow_->pairs();
    classifier_.emplace(std::array{Lesson{of_shadow, shadow_pairs}, Lesson{*description_, known}}, view.seed());
  }
  /// Once: it stays the same whatever is served.
  void look_at_shadow(const View& view) {
    if (!shadow_answers_.nodes.empty()) return;
    Stream noise(view.seed(), streams::shadow(1));
    shadow_answers_ =
        shadow_->answers(*view.known_design, [&](std::span<double> logits) { view.shape(logits, noise); });
    if (refers()) shadow_reference_ = reference_answers(shadow_answers_, shadow_->graph().features, view.seed());
  }

  /// What is asked about, and what is known.
  void read(const View& view, std::span<const EdgeQuestion> questions, const KnownPairs& known) {
    std::vector<NodeIndex> nodes;
    for (const EdgeQuestion& question : questions) {
      nodes.push_back(question.target);
      nodes.insert(nodes.end(), question.candidates.begin(), question.candidates.end());
    }
    for (const std::vector<NodePair>* pairs : {&known.edges, &known.others}) {
      for (const auto& [a, b] : *pairs) nodes.insert(nodes.end(), {a, b});
    }
    std::ranges::sort(nodes);
    nodes.erase(std::ranges::unique(nodes).begin(), nodes.end());
    answers_ = {.nodes = nodes, .width = view.classes(), .values = view.read_any(nodes)};
  }

  double apart(const ReadAnswers& answers, NodeIndex a, NodeIndex b) const {
    return distance(config_.distance(), answers.of(a), answers.of(b)).value_or(undefined_feature);
  }
  Comparison compare(NodeIndex a, NodeIndex b) const {
    const double answers = apart(answers_, a, b);
    return {answers, feature_distance(config_.distance(), *features_, a, b), answers - apart(reference_, a, b)};
  }
  void find_scales(std::span<const EdgeQuestion> questions) {
    scales_ = {};
    for (const EdgeQuestion& question : questions) {
      for (const NodeIndex candidate : question.candidates) {
        const Comparison pair = compare(question.target, candidate);
        for (std::size_t k = 0; k < pair.size(); ++k) scales_[k].add(pair[k]);
      }
      heartbeat::beat();
    }
  }

  double likeness(NodeIndex a, NodeIndex b) {
    if (classifier_) return classifier_->score(description_->of(a, b));
    if (features_ == nullptr) {
      const double answers = apart(answers_, a, b);
      return std::isnan(answers) ? lowest_score : -answers;
    }
    const Comparison pair = compare(a, b);
    if (std::isnan(pair[0])) return lowest_score;
    double sum = 0.0;
    for (std::size_t k = 0; k < pair.size(); ++k) sum += scales_[k].standardised(pair[k]);
    return -sum;
  }

  scenario::LinkStealing config_;
  double pairs_learned_ = 0.0, pair_values_ = 0.0;  ///< pairs that are trained on, and what is read of each
  const SparseRows* features_ = nullptr;            ///< null: not known
  ReadAnswers answers_, reference_;
  std::unique_ptr<ShadowGraph> shadow_;
  ReadAnswers shadow_answers_, shadow_reference_;
  std::array<RunningScale, 3> scales_;  ///< of comparisons, over the pairs asked about
  std::optional<PairDescription> description_;
  std::optional<PairClassifier> classifier_;
};

const Register<EdgeAttack, LinkStealing, scenario::LinkStealing> register_link_stealing;

}  // namespace
}  // namespace souk
