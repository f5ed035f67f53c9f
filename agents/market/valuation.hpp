#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/comm/comm.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk::scenario {
class Market;
}

namespace souk {

class Archive;
class Stream;

/// Which of a round's updates take part, [n].
using Coalition = std::vector<bool>;

/// What coalitions of a round's updates are worth to the buyer: by how much its model gets better on its root data
/// through a step with theirs alone (scenario::Worth). The empty one is worth 0.
class CoalitionWorth {
 public:
  virtual ~CoalitionWorth() = default;
  /// [coalitions]. What was asked before is remembered and costs nothing. Collective; equal on every rank.
  virtual std::vector<double> of(std::span<const Coalition> coalitions) = 0;
  /// Models evaluated so far.
  virtual std::uint64_t evaluations() const = 0;
};

/// A round as a valuation sees it. Everything but the columns is the same on every rank.
struct ValuationInput {
  const Comm& comm;
  RoundIndex round;
  Stream& random;
  std::span<const AgentId> sellers;  ///< [n], n >= 1, ascending; row i of `updates` is that of sellers[i]
  std::span<const double> samples;   ///< [n] as sellers report them
  const ColumnMatrix& updates;       ///< [n, d]
  const ColumnVector* root_update;   ///< [d]; null unless needed
  CoalitionWorth* worth;             ///< null unless needed
};

/// Values of a round's updates.
struct Valuation {
  std::vector<double> values;             ///< [n]
  std::vector<double> standard_errors{};  ///< [n] of values found by sampling; empty: exact
};

/// What a valuation must be given beside the updates.
struct ValuationNeeds {
  bool root_update = false;
  bool worth = false;
  std::size_t most_updates = 0;  ///< that it can cope with; 0: any number
};

/// What each update of a round contributes. One file each; chosen in Market.valuation.
class ValuationRule {
 public:
  virtual ~ValuationRule() = default;
  virtual ValuationNeeds needs() const = 0;
  /// Throws InputError where it cannot work as it was set.
  virtual void check() const {}
  /// How many coalitions of so many updates a round asks about, at most: what a run may cost hangs on it.
  virtual double most_coalitions(std::size_t) const { return 0.0; }
  /// Bytes that a rank needs to value so many updates, beside the models of coalitions: what is known of these.
  virtual double bytes(std::size_t updates) const {
    constexpr double entry = 64.0;  // of a table, and a bit for each update
    return most_coalitions(updates) * (entry + static_cast<double>(updates) / 8.0);
  }
  /// Collective; equal on every rank.
  virtual Valuation value(const ValuationInput& input) = 0;
  /// State kept between rounds; most have none.
  virtual void serialize(Archive&) {}
};

/// The valuation chosen in the scenario; null where there is none.
std::unique_ptr<ValuationRule> make_valuation_rule(const scenario::Market& market);

/// Multiplies values by exp(-lambda * sum over j other than i of max(0, cos(u_i, u_j))) (Agarwal, Dahleh and Sarkar, "A
/// Marketplace for Data", 2019, section 5). From lambda = log 2 on, k copies of an update earn no more together than it
/// earned alone, given a valuation by which copies are worth no more each. Collective.
void penalise_replication(double lambda, const Comm& comm, const ColumnMatrix& updates, Valuation& valuation);

}  // namespace souk
