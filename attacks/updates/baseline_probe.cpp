#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "attacks/class_shares_estimate.hpp"
#include "attacks/update_attack.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

using ProbeView = View<Pool, Laboratory>;

std::vector<double> lengths_of(const Comm& comm, const ColumnMatrix& rows) {
  std::vector<double> lengths = squared_norms(comm, rows);
  for (double& length : lengths) length = std::sqrt(length);
  return lengths;
}

/// What the group submitted in the round that is going on.
struct Submitted {
  std::vector<AgentId> members;
  ScoredRound round;     ///< without outcomes
  ColumnMatrix classes;  ///< [classes, d] their gradients
};

/// Members who compare what their updates earned with the gradients of classes (docs/privacy.md, the buyer's baseline).
class BaselineProbe final : public CraftWith<Pool, Laboratory> {
 public:
  explicit BaselineProbe(const scenario::BaselineProbe& config) : config_(config) {}

  Knowledge least() const override { return Knowledge::colluders; }
  bool may_behave() const override { return config_.submits() == scenario::BaselineProbe::HONEST; }

  std::string unmet(const ServerTerms& terms) const override {
    if (terms.classes == 0) return "baseline_probe: tells shares of classes, and the task has none";
    if (!terms.has_root) return "baseline_probe: the server has no root data that it could tell about";
    if (config_.channel() == scenario::BaselineProbe::SHARES) {
      return terms.publishes_weights ? "" : "baseline_probe.channel = SHARES: the server does not publish weights";
    }
    const char* name = config_.channel() == scenario::BaselineProbe::SALES ? "SALES" : "PAYMENTS";
    if (!terms.pays) return fmt::format("baseline_probe.channel = {}: nobody buys updates without a market", name);
    return "";
  }

  /// Gradients of the classes, while they are worked on twice over; those of the last round stay. A round is remembered
  /// by a few numbers.
  AttackFootprint footprint(const AttackScale& scale) const override {
    AttackFootprint own = UpdateAttack::footprint(scale);
    own.held += classes_guess * scale.vector;
    own.working += 2.0 * classes_guess * scale.vector;
    return own;
  }

  Crafted craft(const ProbeView& view) override {
    ClassGradients gradients = view.lab.class_gradients(view.members, config_.samples_per_class());
    const auto missing = std::ranges::count(gradients.samples, std::size_t{0});
    ColumnMatrix rows = probes(view, gradients.rows);
    submitted_.emplace(Submitted{.members = {view.members.begin(), view.members.end()},
                                 .round = {.products = products(view.comm, rows, gradients.rows),
                                           .between = gram(view.comm, gradients.rows),
                                           .outcomes = {}},
                                 .classes = std::move(gradients.rows)});
    return {std::move(rows), {{"classes_without_samples", static_cast<double>(missing)}}};
  }

  void learn(const OwnOutcomes& outcomes) override {
    if (config_.channel() == scenario::BaselineProbe::SHARES || outcomes.paid.empty()) return;
    turned_ = outcomes.turned;
    const bool sales = config_.channel() == scenario::BaselineProbe::SALES;
    std::vector<double> earned;
    for (const double paid : outcomes.paid) earned.push_back(sales ? (paid > 0.0 ? 1.0 : 0.0) : paid);
    remember(outcomes.members, earned);
  }

  void observe(const Published& published) override {
    if (config_.channel() != scenario::BaselineProbe::SHARES || published.weights.empty()) return;
    remember(published.agents, published.weights);
  }

  std::optional<BaselineClaim> claim(const Comm& comm) override {
    if (!submitted_) return std::nullopt;
    const std::size_t classes = submitted_->classes.rows();
    std::vector<double> shares;
    if (config_.channel() == scenario::BaselineProbe::SALES) {
      shares = class_shares_from_sales(
          rounds_, classes,
          {.threshold = config_.has_threshold() ? std::optional(config_.threshold()) : std::nullopt,
           .turned = turned_});
    } else {
      Stream random(seed_, streams::starts_of_fit(round_));
      shares = class_shares_from_scores(rounds_, classes, random, before_);
      before_ = shares;
    }
    std::optional<BaselineClaim> claim;
    if (!shares.empty()) {
      claim.emplace(BaselineClaim{.class_shares = shares,
                                  .direction = mix(comm, submitted_->classes, shares),
                                  .evidence = rounds_,
                                  .sales = config_.channel() == scenario::BaselineProbe::SALES,
                                  .prices = config_.channel() == scenario::BaselineProbe::PAYMENTS});
    }
    submitted_.reset();
    return claim;
  }

  void serialize(Archive& archive, const Comm&) override {
    archive.field("last estimate", before_);
    auto count = static_cast<std::int64_t>(rounds_.size());
    archive.field("rounds seen", count);
    rounds_.resize(static_cast<std::size_t>(count));
    for (ScoredRound& round : rounds_) {
      archive.field("products", round.products);
      auto order = static_cast<std::int64_t>(round.between.order);
      archive.field("classes", order);
      round.between.order = static_cast<std::size_t>(order);
      archive.field("between classes", round.between.lower);
      archive.field("outcomes", round.outcomes);
    }
  }

 private:
  ColumnMatrix probes(const ProbeView& view, const ColumnMatrix& classes) {
    seed_ = view.seed;
    round_ = view.round;
    const std::size_t members = view.members.size(), count = classes.rows();
    if (config_.submits() == scenario::BaselineProbe::HONEST) return copy_of(view.comm, view.own);
    std::vector<double> coefficients(members * count, 0.0);
    for (std::size_t i = 0; i < members; ++i) {
      const auto own = std::span(coefficients).subspan(i * count, count);
      switch (config_.submits()) {
        case scenario::BaselineProbe::CLASSES:
          own[i % count] = 1.0;
          break;
        case scenario::BaselineProbe::SIGNED_CLASSES:
          own[i % count] = i / count % 2 == 0 ? 1.0 : -1.0;
          break;
        default: {
          Stream random(view.seed, streams::update_values(view.members[i], view.round, 0, 0));
          std::ranges::generate(own, [&] { return random.normal(); });
        }
      }
    }
    const ColumnMatrix rows = mix(view.comm, classes, coefficients);
    const std::vector<double> honest = lengths_of(view.comm, view.own), lengths = lengths_of(view.comm, rows);
    std::vector<double> factors(members, 0.0);
    for (std::size_t i = 0; i < members; ++i) factors[i] = lengths[i] > 0.0 ? honest[i] / lengths[i] : 0.0;
    return scale_rows(view.comm, rows, factors);
  }

  /// [members, classes] <D_j, G_c> / |D_j|.
  static std::vector<double> products(const Comm& comm, const ColumnMatrix& rows, const ColumnMatrix& classes) {
    const std::vector<double> lengths = lengths_of(comm, rows);
    std::vector<double> all(rows.rows() * classes.rows(), 0.0);
    for (std::size_t c = 0; c < classes.rows(); ++c) {
      const std::vector<double> with_class = dots(comm, rows, copy_of_row(classes, c));
      for (std::size_t j = 0; j < rows.rows(); ++j) {
        all[j * classes.rows() + c] = lengths[j] > 0.0 ? with_class[j] / lengths[j] : 0.0;
      }
    }
    return all;
  }

  /// What members' updates came to, of those that the round used.
  void remember(std::span<const AgentId> agents, std::span<const double> outcomes) {
    if (!submitted_) return;
    const std::size_t classes = submitted_->classes.rows();
    ScoredRound seen{.products = {}, .between = submitted_->round.between, .outcomes = {}};
    for (std::size_t i = 0; i < submitted_->members.size(); ++i) {
      const auto at = std::ranges::lower_bound(agents, submitted_->members[i]);
      if (at == agents.end() || *at != submitted_->members[i]) continue;
      const auto products = std::span(submitted_->round.products).subspan(i * classes, classes);
      seen.products.insert(seen.products.end(), products.begin(), products.end());
      seen.outcomes.push_back(outcomes[static_cast<std::size_t>(at - agents.begin())]);
    }
    if (!seen.outcomes.empty()) rounds_.push_back(std::move(seen));
  }

  static constexpr double classes_guess = 10.0;  // of most data sets

  scenario::BaselineProbe config_;
  std::uint64_t seed_ = 0;
  RoundIndex round_{};
  double turned_ = 0.0;
  std::vector<double> before_;          ///< the last estimate from scores
  std::vector<ScoredRound> rounds_;     ///< all so far of which something is known
  std::optional<Submitted> submitted_;  ///< between submission and claim
};

const Register<UpdateAttack, BaselineProbe, scenario::BaselineProbe> register_baseline_probe;

}  // namespace
}  // namespace souk
