#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aggregators/aggregator.hpp"

namespace souk {

/// The largest f with n >= factor f + offset; 0 where there is none.
std::size_t largest_f(std::size_t n, std::size_t factor, std::size_t offset);

/// The number of malicious updates a rule is told to withstand: its own field `f`, or the scenario's tolerated_f. What
/// its proof covers is an inequality, n >= factor f + offset.
class ToleratedF {
 public:
  /// `own` < 0: the scenario's. The inequality is n >= factor f + offset.
  ToleratedF(std::string_view rule, std::int32_t own, std::size_t factor, std::size_t offset);
  /// Whether the rule has no f of its own.
  bool from_scenario() const { return own_ < 0; }
  /// Throws InputError where the inequality fails for the updates a round wants.
  void check(const RoundSize& round) const;
  /// f for n updates: no more than they allow, which after dropouts may be less than was checked. The log, unless it is
  /// null, is told.
  std::size_t of(std::size_t n, std::size_t scenarios, RuleLog* log) const;
  std::size_t of(const RuleInput& input) const { return of(input.updates.rows(), input.tolerated_f, input.log); }

 private:
  std::string rule_;
  std::int32_t own_;
  std::size_t factor_, offset_;
};

/// 1/n each.
std::vector<double> uniform_weights(std::size_t n);

/// Every agent's share of all samples; 1/n each where nobody reports any.
std::vector<double> sample_shares(std::span<const Submission> submissions);

/// 1 / rows.size() for `rows`, 0 for the others; all 0 where there are none.
std::vector<double> weights_of(std::span<const std::size_t> rows, std::size_t n);

/// `coefficients` divided by their sum; all 0 where that is 0. They must not be negative.
std::vector<double> shares_of(std::span<const double> coefficients);

/// Step = sum of coefficients[i] times update i; weights are the coefficients' shares.
RuleOutput weighted_sum(const RuleInput& input, std::span<const double> coefficients);

/// A step put together coordinate by coordinate from n updates.
RuleOutput coordinate_wise(ColumnVector step, std::size_t n);

/// Says why the rule did otherwise than told, where somebody reads it.
void remark(const RuleInput& input, std::string sentence);

/// Step = mean of `rows`; nobody: a step of 0.
RuleOutput mean_of(const RuleInput& input, std::span<const std::size_t> rows);

/// Mean of `rows`, each scaled down to a norm of at most `limit` (norms of all n given): what many rules end with.
RuleOutput clipped_mean_of(const RuleInput& input, std::span<const std::size_t> rows, std::span<const double> norms,
                           double limit);

/// Indices of the `count` smallest values, ties to the smaller index; ascending index. NaN counts as +infinity.
std::vector<std::size_t> smallest(std::span<const double> values, std::size_t count);

/// Euclidean norms of the updates, [n]. Collective.
std::vector<double> norms_of(const RuleInput& input);

/// min(1, limit / norm): what clips to the limit; 1 for a zero vector.
double clip_factor(double norm, double limit);

/// Adds independent normal noise of standard deviation `sigma` to every value; nothing for 0. The draws depend on the
/// round and the column alone.
void add_noise(ColumnVector& step, const RuleInput& input, double sigma);

/// Bytes of a number kept for a client: a node of a map.
inline constexpr double client_number_bytes = 48.0;

/// A number per client, kept between rounds.
class ClientNumbers {
 public:
  explicit ClientNumbers(std::string name) : name_(std::move(name)) {}
  double& of(AgentId client) { return values_[client.value]; }  ///< 0 at first
  void serialize(Archive& archive);

 private:
  std::string name_;
  std::map<std::uint32_t, double> values_;
};

}  // namespace souk
