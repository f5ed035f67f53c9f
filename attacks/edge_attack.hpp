#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sim/data/graphs/graph.hpp"
#include "sim/serve/session.hpp"

namespace souk::scenario {
class EdgeInference;
class Task;
enum AddedFeatures : int;
}  // namespace souk::scenario

namespace souk {

class GraphNetwork;
struct FeatureScaling;

/// What an attacker has learned otherwise; null and empty where it is not granted.
struct Background {
  const Graph* features = nullptr;  ///< KNOW_FEATURES: whose features it knows
  const Graph* edges = nullptr;     ///< KNOW_EDGES: whose true edges it knows a part of
  /// KNOW_MODEL: how the network is built and what becomes of features before it reads them, the trained values, and
  /// the classes of nodes; -1: unknown.
  const GraphNetwork* network = nullptr;
  const FeatureScaling* scaling = nullptr;
  std::span<const float> parameters{};
  std::span<const std::int32_t> classes{};
  const scenario::Task* design = nullptr;  ///< KNOW_DESIGN: how the network is built and trained
};

/// What the engine hands to an attack for one piece of work.
struct EdgeAccess {
  Session& session;
  std::uint64_t seed;  ///< of the attack's own draws, the same in every round
  const Background& background;
};

/// What everybody knows of a service, and its clock.
class PublicService {
 public:
  explicit PublicService(const EdgeAccess& access) : access_(access) {}
  std::size_t classes() const { return access_.session.classes(); }
  std::uint64_t seed() const { return access_.seed; }
  /// Until the next tick: answers are new then, and changes show.
  void wait() const { access_.session.wait(); }
  /// Turns logits [classes] of a network of the attacker's own into what the service would tell of them: that shows in
  /// its answers.
  void shape(std::span<double> logits, Stream& noise) const { access_.session.shape(logits, noise); }
  /// What follows is about this candidate, in a branch of the world that is gone with end_trial.
  void begin_trial(NodeIndex candidate) const { access_.session.begin_trial(candidate); }
  void end_trial() const { access_.session.end_trial(); }

 private:
  EdgeAccess access_;
};

// The grants. An attack names those it works with, and is handed these and nothing else.

/// Nodes of one's own: registering them, joining them to others, changing their features, reading their answers.
class OwnNodes {
 public:
  static constexpr Rights rights{Right::read_own, Right::write_own, Right::register_nodes, Right::connect};
  explicit OwnNodes(const EdgeAccess& access) : session_(access.session) {}
  NodeIndex add(scenario::AddedFeatures features) const;
  bool connect(NodeIndex own, NodeIndex other) const { return session_.connect(own, other); }
  void scale_own(NodeIndex own, double factor) const { session_.scale(own, factor); }
  std::vector<double> read_own(std::span<const NodeIndex> own) const { return session_.read(own); }

 private:
  Session& session_;
};

/// The answers for any node.
class AnyAnswer {
 public:
  static constexpr Rights rights{Right::read_any};
  explicit AnyAnswer(const EdgeAccess& access) : session_(access.session) {}
  std::vector<double> read_any(std::span<const NodeIndex> nodes) const { return session_.read(nodes); }

 private:
  Session& session_;
};

/// The features of any node, to change them.
class AnyFeatures {
 public:
  static constexpr Rights rights{Right::write_any};
  explicit AnyFeatures(const EdgeAccess& access) : session_(access.session) {}
  void scale_any(NodeIndex node, double factor) const { session_.scale(node, factor); }

 private:
  Session& session_;
};

/// For attacks that can do without: the features of all nodes, or null.
struct FeaturesIfKnown {
  static constexpr Rights rights{};
  explicit FeaturesIfKnown(const EdgeAccess& access) : known_features(access.background.features) {}
  const Graph* known_features;
};

/// Likewise the edges, of which the attack says how large a part it takes.
struct EdgesIfKnown {
  static constexpr Rights rights{};
  explicit EdgesIfKnown(const EdgeAccess& access) : known_edges(access.background.edges) {}
  const Graph* known_edges;
};

/// Likewise how the network is built and trained.
struct DesignIfKnown {
  static constexpr Rights rights{};
  explicit DesignIfKnown(const EdgeAccess& access) : known_design(access.background.design) {}
  const scenario::Task* known_design;
};

/// The trained network itself, the features of all nodes, and their classes.
struct WhiteBox {
  static constexpr Rights rights{Right::know_model, Right::know_features};
  explicit WhiteBox(const EdgeAccess& access)
      : features(*access.background.features),
        network(*access.background.network),
        scaling(*access.background.scaling),
        parameters(access.background.parameters),
        node_classes(access.background.classes) {}
  const Graph& features;
  const GraphNetwork& network;
  const FeatureScaling& scaling;
  std::span<const float> parameters;
  std::span<const std::int32_t> node_classes;
};

/// A target and the nodes of which it is asked whether they are its neighbours.
struct EdgeQuestion {
  NodeIndex target = 0;
  std::vector<NodeIndex> candidates;
};

/// Score of a pair that was not reached, or whose requests were refused; or of numbers too large to be any.
inline constexpr double no_score = std::numeric_limits<double>::quiet_NaN();
/// Below every other.
inline constexpr double lowest_score = -std::numeric_limits<double>::infinity();

/// What an attack is set on: what its own checks look at, and no attacker sees.
struct EdgeSetting {
  const Graph& graph;
  const GraphNetwork& network;
  std::span<const EdgeQuestion> questions;
  const scenario::Task& design;
  std::uint64_t seed;  ///< of the attack's own draws, as EdgeAccess has it
};

/// An attack that ranks pairs of nodes by how likely they are neighbours.
class EdgeAttack {
 public:
  virtual ~EdgeAttack() = default;
  /// What its principal must have been granted.
  virtual Rights needs() const = 0;
  /// Before the first round. Throws InputError where it cannot do its work.
  virtual void check(const EdgeSetting&) {}
  /// Whether the work on a target stands or falls as a whole, and not candidate by candidate.
  virtual bool target_at_once() const { return false; }
  /// Of two scores for one pair, asked in both directions: that of the later node's influence on the earlier one, or
  /// the larger one.
  virtual bool one_direction() const { return false; }
  /// What is set and can change no answer, where answers are computed in double or in single precision; empty: nothing.
  virtual std::string without_effect(bool /*in_double*/) const { return {}; }
  /// How many ticks go by for a pair, where no rate makes the principal wait.
  virtual std::size_t ticks() const { return 1; }
  /// How many hops apart lie what it changes and what it watches, at least: a network that does not see so far tells it
  /// nothing.
  virtual std::size_t hops_apart() const { return 0; }
  /// Before any target, on every rank alike, and again when the model has changed: what holds for all of them.
  /// `questions`: all that will be asked about.
  virtual void prepare(const EdgeAccess&, std::span<const EdgeQuestion>) {}
  /// Scores [candidates] of one question, higher is likelier; no_score where requests were refused. Depends on nothing
  /// but the question, prepare() and what it is granted.
  virtual void score(const EdgeAccess& access, const EdgeQuestion& question, std::span<double> scores) = 0;
  /// What the last question told of the target's class; nothing: nothing is said of it.
  virtual std::optional<std::size_t> class_of_target() const { return std::nullopt; }
  /// Bytes of a rank that it holds while it works, of a graph with so many nodes and questions about so many pairs.
  virtual double bytes(double /*nodes*/, double /*pairs*/) const { return 0.0; }
};

/// What an attack with these grants sees.
template <class... Grants>
struct ServiceView : PublicService, Grants... {
  explicit ServiceView(const EdgeAccess& access) : PublicService(access), Grants(access)... {}
};

/// Base of every attack: it sees the grants that it names and no more.
template <class... Grants>
class InferWith : public EdgeAttack {
 public:
  using View = ServiceView<Grants...>;
  Rights needs() const override { return (Grants::rights | ...); }
  void prepare(const EdgeAccess& access, std::span<const EdgeQuestion> questions) final {
    look_at(View(access), questions);
  }
  void score(const EdgeAccess& access, const EdgeQuestion& question, std::span<double> scores) final {
    rank(View(access), question, scores);
  }
  /// As prepare() and score().
  virtual void look_at(const View&, std::span<const EdgeQuestion>) {}
  virtual void rank(const View& view, const EdgeQuestion& question, std::span<double> scores) = 0;
};

/// Base of attacks that try one candidate after the other.
template <class... Grants>
class TryWith : public InferWith<Grants...> {
 public:
  using View = typename InferWith<Grants...>::View;
  void rank(const View& view, const EdgeQuestion& question, std::span<double> scores) final {
    const bool ready = approach(view, question.target);
    for (std::size_t i = 0; i < question.candidates.size(); ++i) {
      view.begin_trial(question.candidates[i]);
      scores[i] = ready ? infer(view, question.candidates[i]) : no_score;
      view.end_trial();
    }
  }
  /// What is done for a target once, and holds for all its candidates; false: it was refused.
  virtual bool approach(const View& view, NodeIndex target) = 0;
  /// In a branch of the world that is gone afterwards.
  virtual double infer(const View& view, NodeIndex candidate) = 0;
};

/// The attack chosen in the message.
std::unique_ptr<EdgeAttack> make_edge_attack(const scenario::EdgeInference& config);

}  // namespace souk
