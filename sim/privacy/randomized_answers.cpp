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

/// sum_k max(0, P(k) - e^epsilon Q(k)): k answers are true in one world and n - k in the other. Further than 9 sqrt(n)
/// from their mean k answers have a probability below e^-162 (Hoeffding), which no delta sees.
double delta_at(double epsilon, const std::vector<double>& logs, double probability) {
  const auto n = static_cast<double>(logs.size() - 1);
  const double mean = probability * n, far = 9.0 * std::sqrt(n) + 1.0;
  const auto first = static_cast<std::size_t>(std::max(0.0, std::floor(mean - far)));
  const auto last = static_cast<std::size_t>(std::min(n, std::ceil(mean + far)));
  double delta = 0.0;
  for (std::size_t k = first; k <= last; ++k) {
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
  const double probability = 1.0 / (1.0 + std::exp(-epsilon_of_one));
  if (delta_at(0.0, logs, probability) <= delta) return 0.0;
  double low = 0.0, high = all;
  for (int step = 0; step < 100 && high - low > 1e-12 * high; ++step) {
    const double middle = 0.5 * (low + high);
    (delta_at(middle, logs, probability) <= delta ? high : low) = middle;
  }
  return high;
}

}  // namespace souk
