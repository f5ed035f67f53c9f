#include <algorithm>
#include <cmath>

#include "attacks/edge_attack.hpp"
#include "attacks/edge_changes.hpp"
#include "scenarios/edge_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// One change of a node's features serves all its candidates.
class LinkTeller final : public InferWith<AnyAnswer, AnyFeatures> {
 public:
  explicit LinkTeller(const scenario::LinkTeller& config) : config_(config) {}

  bool target_at_once() const override { return true; }
  bool one_direction() const override { return config_.direction() == scenario::LinkTeller::ONE; }

  std::string without_effect(bool in_double) const override {
    return vanishing("link_teller", config_.delta(), 1.0 + config_.delta(), in_double);
  }

  void look_at(const View& view, std::span<const EdgeQuestion> questions) override {
    std::vector<bool> asked;  // most nodes are candidates of most questions: marks instead of sorting them all
    for (const EdgeQuestion& question : questions) {
      for (const NodeIndex node : question.candidates) {
        if (node >= asked.size()) asked.resize(node + std::size_t{1});
        asked[node] = true;
      }
    }
    nodes_.clear();
    for (std::size_t node = 0; node < asked.size(); ++node) {
      if (asked[node]) nodes_.push_back(static_cast<NodeIndex>(node));
    }
    before_ = view.read_any(nodes_);
  }

  void rank(const View& view, const EdgeQuestion& question, std::span<double> scores) override {
    const std::size_t width = view.classes();
    view.begin_trial(question.target);
    view.scale_any(question.target, 1.0 + config_.delta());
    view.wait();
    const std::vector<double> after = view.read_any(question.candidates);
    std::size_t place = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      place = place_of(question.candidates[i], place);
      double squares = 0.0;
      for (std::size_t c = 0; c < width; ++c) {
        const double moved = (after[i * width + c] - before_[place * width + c]) / config_.delta();
        squares += moved * moved;
      }
      scores[i] = std::sqrt(squares);
    }
    view.end_trial();
  }
  double bytes(double nodes, double) const override { return nodes * 100.0; }

 private:
  /// Candidates are mostly asked about in order: one lies behind the place of the last, or next but one.
  std::size_t place_of(NodeIndex node, std::size_t last) const {
    for (std::size_t place = last; place < last + 3 && place < nodes_.size(); ++place) {
      if (nodes_[place] == node) return place;
    }
    return static_cast<std::size_t>(std::ranges::lower_bound(nodes_, node) - nodes_.begin());
  }

  scenario::LinkTeller config_;
  std::vector<NodeIndex> nodes_;  ///< that are asked about, ascending
  std::vector<double> before_;    ///< [nodes, classes]
};

const Register<EdgeAttack, LinkTeller, scenario::LinkTeller> register_link_teller;

}  // namespace
}  // namespace souk
