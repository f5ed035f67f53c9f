#pragma once

#include <memory>
#include <span>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/comm/comm.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk::scenario {
class Misconduct;
}

namespace souk {

class Stream;

/// What a cheating buyer forges its baseline from. Everything but the columns is the same on every rank.
struct BaselineView {
  const Comm& comm;
  RoundIndex round;
  Stream& random;
  const ColumnVector& honest;        ///< [d] update trained on the root data it chose to show
  const ColumnMatrix& updates;       ///< [n, d] delivered
  std::span<const AgentId> sellers;  ///< [n] whose they are, in any order, each once
};

/// A buyer's way to cheat. One file each; chosen in Misconduct.method. Keeps no state: everything follows from the
/// round and its stream of random numbers.
class BuyerAttack {
 public:
  virtual ~BuyerAttack() = default;
  /// Throws InputError where it names a seller that there is not.
  virtual void check(std::size_t /*sellers*/) const {}
  /// Whether it cheats with the classes of its root data: refused where there are none.
  virtual bool by_class() const { return false; }
  /// Which classes its root data seem to have, [classes]; empty: all. `seed` is the run's.
  virtual std::vector<bool> shown_classes(RoundIndex, int /*classes*/, std::uint64_t /*seed*/) const { return {}; }
  /// The baseline that it hands to the market, [d]. Collective.
  virtual ColumnVector baseline(const BaselineView& view) const { return view.honest; }
  /// Of the updates that the rule gave these weights (above 0: it uses them), which it says were rejected, [n].
  virtual std::vector<bool> denies(std::span<const double> weights, Stream& /*random*/) const {
    return std::vector<bool>(weights.size(), false);
  }
};

/// The attack chosen in `config`. Throws InputError where none is.
std::unique_ptr<BuyerAttack> make_buyer_attack(const scenario::Misconduct& config);

}  // namespace souk
