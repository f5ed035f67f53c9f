#include "attacks/class_shares_estimate.hpp"

#include <algorithm>
#include <cmath>

#include "attacks/bfgs.hpp"
#include "attacks/class_cosines.hpp"
#include "attacks/softmax_of.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"
#include "sim/params/dot.hpp"

namespace souk {
namespace {

constexpr double bend = 0.02;  // h: width of the corner at cosine 0
constexpr double entropy_weight = 0.05;
constexpr double misfit_floor = 1e-3;  // an exact fit is worth no more than this
constexpr double least_share = 1e-6;   // to start from: further out no slope leads back
constexpr double least_width = 1e-3;   // of s, where a threshold parts what was sold from the rest
constexpr int drawn_starts = 6;

double logistic(double x) { return x >= 0.0 ? 1.0 / (1.0 + std::exp(-x)) : std::exp(x) / (1.0 + std::exp(x)); }
/// log(1 + exp(x)).
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

/// The entropy term, whose gradient is added to that by the shares, and the way from there to z of pi = softmax(z).
double with_entropy(std::span<const double> shares, std::span<double> by_shares, std::span<double> by_z) {
  double value = 0.0;
  for (std::size_t c = 0; c < shares.size(); ++c) {
    if (!(shares[c] > 0.0)) continue;  // far out, where the term no longer matters
    value += entropy_weight * shares[c] * std::log(shares[c]);
    by_shares[c] += entropy_weight * (std::log(shares[c]) + 1.0);
  }
  const double mean = dot(shares, by_shares);
  for (std::size_t c = 0; c < shares.size(); ++c) by_z[c] = shares[c] * (by_shares[c] - mean);
  return value;
}

/// Rounds that were paid together: the last of them has the outcomes.
using PaidRounds = std::span<const ScoredRound>;

std::vector<PaidRounds> paid_together(std::span<const ScoredRound> rounds) {
  std::vector<PaidRounds> payments;
  std::size_t first = 0;
  for (std::size_t t = 0; t < rounds.size(); ++t) {
    if (rounds[t].outcomes.empty()) continue;
    payments.push_back(rounds.subspan(first, t + 1 - first));
    first = t + 1;
  }
  return payments;
}

/// How badly the cosines of rounds explain what was earned in them, up to a factor; adds the gradient by the shares.
double misfit(PaidRounds rounds, std::span<const double> shares, std::span<double> gradient) {
  const std::vector<double>& outcomes = rounds.back().outcomes;
  const std::size_t updates = outcomes.size();
  std::vector<ClassCosines> cosines;
  std::vector<double> scores(updates, 0.0);
  for (const ScoredRound& round : rounds) {
    const ClassCosines& values = cosines.emplace_back(round, shares);
    for (std::size_t j = 0; j < updates; ++j) {
      if (values.has(j)) scores[j] += bend * softplus(values.values()[j] / bend);
    }
  }
  const double both = dot(outcomes, scores), earned = dot(outcomes, outcomes);
  const double scored = dot(scores, scores);
  const double alike = both * both / (earned * scored);
  const double rest = 1.0 - alike + misfit_floor;
  const double factor = -0.5 * static_cast<double>(updates) / rest;
  for (std::size_t j = 0; j < updates; ++j) {
    const double by_score = 2.0 * both / (earned * scored) * (outcomes[j] - scores[j] * both / scored);
    for (const ClassCosines& of_round : cosines) {
      if (!of_round.has(j)) continue;
      of_round.add_gradient(j, factor * by_score * logistic(of_round.values()[j] / bend), gradient);
    }
  }
  return 0.5 * static_cast<double>(updates) * std::log(rest);
}

bool says_something(PaidRounds rounds) {
  return std::ranges::any_of(rounds.back().outcomes, [](double outcome) { return outcome > 0.0; });
}

}  // namespace

std::vector<double> class_shares_from_scores(std::span<const ScoredRound> rounds, std::size_t classes, Stream& random,
                                             std::span<const double> before) {
  const std::vector<PaidRounds> payments = paid_together(rounds);
  if (std::ranges::none_of(payments, says_something)) return {};
  const Smooth loss = [&](std::span<const double> z, std::span<double> gradient) {
    const std::vector<double> shares = softmax_of(z);
    std::vector<double> by_shares(classes, 0.0);
    double value = 0.0;
    for (const PaidRounds together : payments) {
      if (says_something(together)) value += misfit(together, shares, by_shares);
    }
    return value + with_entropy(shares, by_shares, gradient);
  };
  Descent best = minimised(loss, std::vector<double>(classes, 0.0));
  const auto try_from = [&](std::vector<double> z) {
    Descent found = minimised(loss, std::move(z));
    if (found.value < best.value) best = std::move(found);
  };
  if (!before.empty()) {
    std::vector<double> z;
    for (const double share : before) z.push_back(std::log(std::max(share, least_share)));
    try_from(std::move(z));
  }
  for (int start = 0; start < drawn_starts; ++start) {
    std::vector<double> z(classes);
    std::ranges::generate(z, [&] { return random.normal(); });
    try_from(std::move(z));
  }
  return softmax_of(best.at);
}

std::vector<double> class_shares_from_sales(std::span<const ScoredRound> rounds, std::size_t classes,
                                            const SalesModel& model) {
  const std::optional<double>& threshold = model.threshold;
  const double sure = 1.0 - 2.0 * model.turned;
  if (rounds.empty()) return {};
  SOUK_EXPECT(std::ranges::none_of(rounds, [](const ScoredRound& round) { return round.outcomes.empty(); }));
  // Variables: z of the shares, the logarithm of s, and the thresholds that are to be found.
  const Smooth loss = [&](std::span<const double> at, std::span<double> gradient) {
    const std::vector<double> shares = softmax_of(at.first(classes));
    const double width = least_width + std::exp(at[classes]);
    std::vector<double> by_shares(classes, 0.0);
    std::ranges::fill(gradient, 0.0);
    double value = 0.0;
    for (std::size_t t = 0; t < rounds.size(); ++t) {
      const ClassCosines cosines(rounds[t], shares);
      const double tau = threshold ? *threshold : at[classes + 1 + t];
      for (std::size_t j = 0; j < rounds[t].outcomes.size(); ++j) {
        const double x = (cosines.values()[j] - tau) / width;
        const bool sold = rounds[t].outcomes[j] > 0.0;
        const double side = sold ? x : -x, right = logistic(side);
        // Where nothing is turned round, log1p's way: the other would be the logarithm of 0 far out.
        value += model.turned > 0.0 ? -std::log(model.turned + sure * right) : softplus(-side);
        const double told = model.turned > 0.0 ? sure * right / (model.turned + sure * right) : 1.0;
        const double by_x = (sold ? -1.0 : 1.0) * told * (1.0 - right);
        cosines.add_gradient(j, by_x / width, by_shares);
        gradient[classes] -= by_x * x * (width - least_width) / width;
        if (!threshold) gradient[classes + 1 + t] -= by_x / width;
      }
    }
    return value + with_entropy(shares, by_shares, gradient.first(classes));
  };
  Descent best;
  for (const double width : {0.03, 0.1, 0.3}) {
    std::vector<double> start(classes + 1 + (threshold ? 0 : rounds.size()), 0.0);
    start[classes] = std::log(width);
    Descent found = minimised(loss, std::move(start));
    if (best.at.empty() || found.value < best.value) best = std::move(found);
  }
  return softmax_of(std::span(best.at).first(classes));
}

}  // namespace souk
