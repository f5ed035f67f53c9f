#include "sim/privacy/randomized_answers.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

/// ln of the probability of k true answers of n, for k = 0 .. n; 1 / (1 + e^-epsilon) is that of one.
std::vector<double> log_probabilities(double epsilon_of_one, std::uint64_t answers) {
  const double log_true = -std::log1p(std::exp(-epsilon_of_one)), log_false = log_true - epsilon_of_one;
  const auto n = static_cast<double>(answers);
  std::vector<double> logs;
  double log_ways = 0.0;
  for (std::uint64_t k = 0; k <= answers; ++k) {
    const auto trues = static_cast<double>(k);
    logs.push_back(log_ways + trues * log_true + (n - trues) * log_false);
    log_ways += std::log((n - trues) / (trues + 1.0));
  }
  return logs;
}

/// sum_k max(0, P(k) - e^epsilon Q(k)): k answers are true in one world and n - k in the other.
double delta_at(double epsilon, const std::vector<double>& logs) {
  double delta = 0.0;
  for (std::size_t k = 0; k < logs.size(); ++k) {
    const double loss = logs[k] - logs[logs.size() - 1 - k];
    if (loss > epsilon) delta += std::exp(logs[k]) * -std::expm1(epsilon - loss);
  }
  return delta;
}

}  // namespace

double randomized_answers_epsilon(double epsilon_of_one, std::uint64_t answers, double delta) {
  SOUK_EXPECT(epsilon_of_one >= 0.0 && delta >= 0.0 && delta < 1.0);
  const double all = epsilon_of_one * static_cast<double>(answers);
  if (delta == 0.0 || answers == 0) return all;
  const std::vector<double> logs = log_probabilities(epsilon_of_one, answers);
  if (delta_at(0.0, logs) <= delta) return 0.0;
  double low = 0.0, high = all;
  for (int step = 0; step < 100 && high - low > 1e-12 * high; ++step) {
    const double middle = 0.5 * (low + high);
    (delta_at(middle, logs) <= delta ? high : low) = middle;
  }
  return high;
}

}  // namespace souk
