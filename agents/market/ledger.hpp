#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/engine/round_record.hpp"

namespace souk {

class Archive;

/// Money, in millionths of a credit: integers, so that sums are exact.
using MicroCredits = std::int64_t;

inline constexpr MicroCredits micro_per_credit = 1'000'000;

/// Rounded to nearest. Contract: not negative, and less than 1e12 credits.
MicroCredits to_micro(double credits);
inline double to_credits(MicroCredits amount) {
  return static_cast<double>(amount) / static_cast<double>(micro_per_credit);
}

/// Whose money it is: agents by their number, the market and its buyers by numbers below 0.
namespace account {
inline constexpr std::int64_t market = -1;          ///< holds in escrow what a round may cost
inline constexpr std::int64_t buyer = first_buyer;  ///< -3, -4, … are its rivals
}  // namespace account

/// Double-entry accounts: whatever one loses another gains, and nobody falls below 0. Replicated: every rank books the
/// same.
class Ledger {
 public:
  /// New money for `payee`; booked as a transfer to itself.
  void issue(std::int64_t payee, MicroCredits amount, RoundRecord& record);
  /// Money that has come from outside, which another stage has booked.
  void receive(std::int64_t payee, MicroCredits amount);
  /// Contract: the payer has it.
  void transfer(const std::string& kind, std::int64_t payer, std::int64_t payee, MicroCredits amount,
                RoundRecord& record);
  MicroCredits balance(std::int64_t account) const;
  void serialize(Archive& archive);

 private:
  std::map<std::int64_t, MicroCredits> balances_;
  MicroCredits issued_ = 0;
};

/// Parts of `amount` in proportion to `shares`, exact: rounded down, and what is left goes in millionths to the largest
/// remainders (ties: the first). All 0 where the shares are. Contract: amount and shares are not negative.
std::vector<MicroCredits> split_exactly(MicroCredits amount, const std::vector<double>& shares);

}  // namespace souk
