#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "aggregators/aggregator.hpp"
#include "attacks/attack.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"

namespace souk {

/// What a rule is given in a round beside the updates.
struct RuleSetting {
  const Comm& comm;
  RoundIndex round;
  std::uint64_t seed;
  std::size_t tolerated_f;
  const ColumnVector& global;
  const ColumnVector* root_update;  ///< null: the server has none
  const ParameterLayout* layout;
  std::uint16_t owner = 0;  ///< of the model; every owner's rule draws for itself
};

/// How the owner's rule names its random numbers: streams::rule, or where it is tried out, one of its kin.
using RuleDraws = StreamKey (*)(std::uint16_t owner, RoundIndex round);

/// Runs the rule on finite updates. `losses` may be null for rules that judge no models. Collective.
RuleOutput run_rule(Aggregator& rule, const RuleSetting& setting, std::span<const Submission> submissions,
                    const ColumnMatrix& updates, LossOracle* losses, RuleDraws draws);

/// Rows whose norms are finite, ascending; `squared_norms` are theirs.
std::vector<std::size_t> finite_rows(std::span<const double> squared_norms);

/// The server's rule as it is at one moment, to be tried out: what copies do leaves the rule as it was.
class RuleSnapshot {
 public:
  /// Collective where the rule has a memory. `config`, that of the rule, must outlive the snapshot.
  RuleSnapshot(const scenario::Aggregator& config, Aggregator& rule, const Comm& comm);
  /// A rule in the same state. Collective where it has a memory.
  std::unique_ptr<Aggregator> copy() const;

 private:
  const scenario::Aggregator& config_;
  Comm comm_;
  std::vector<std::byte> state_;  ///< empty: the rule has no memory
};

/// A copy of the server's rule for attackers to try their submissions on. It draws random numbers of its own: what the
/// server will draw nobody knows.
class ServerProbe final : public RuleProbe {
 public:
  /// `losses` makes the judge that a trial asks; its evaluations cost the server nothing. Empty for rules that ask
  /// none.
  ServerProbe(const scenario::Aggregator& config, Aggregator& rule, const RuleSetting& setting,
              std::vector<Submission> submissions, std::function<std::unique_ptr<LossOracle>()> losses);

 private:
  ProbeResult judge(const ColumnMatrix& updates, std::span<const std::size_t> rows) override;
  const scenario::Aggregator& config_;
  Aggregator& rule_;
  RuleSetting setting_;
  std::vector<Submission> submissions_;
  std::function<std::unique_ptr<LossOracle>()> losses_;
  std::optional<RuleSnapshot> snapshot_;  ///< taken at the first trial: most attacks make none
};

}  // namespace souk
