#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "agents/unlearning/affected.hpp"
#include "agents/unlearning/mean_objective.hpp"
#include "agents/unlearning/retraining.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Erase, then rectify. With F the diagonals of the empirical Fisher information of all units, of those forgotten and
/// of the neighbours that feel it:
///   erase:   b = min(F_all / F_u, F_all^2 / (F_u F_nb)), q its quantile; theta_i <- theta_i b_i / q where b_i < q
///   rectify: theta <- theta - l grad of the mean loss on what stays, in the data that stay.
/// Yang et al., AAAI 2025. Their last step writes that gradient as (N g_all - u g_u - i g_nb + i g_nb') / m, which is
/// the same; that the smaller of both ratios decides is our reading.
class Etr final : public UnlearningOperator {
 public:
  explicit Etr(const scenario::EraseRectify& config) : config_(config) {}

  ForgettingCost forget(const ForgettingCase& request, RoundRecord& record) override {
    ForgettingCost cost;
    const std::vector<DealtUnits> stay = units_that_stay(request.federation());
    if (stay.empty()) return cost;
    for (ModelServer* server : request.servers) {
      std::vector<float> model(server->parameters().begin(), server->parameters().end());
      const std::size_t erased = erase(request, *server, stay, model, cost);
      MeanObjective rest(*server, request.federation().task(), stay, model);
      const std::vector<double> gradient = rest.gradient_of_losses();
      const double rate = config_.learning_rate() / static_cast<double>(rest.units());
      for (std::size_t v = 0; v < gradient.size(); ++v) model[v] -= static_cast<float>(rate * gradient[v]);
      cost += rest.cost();
      record.events.push_back({"etr", -1, fmt::format("{} of {} parameters erased", erased, gradient.size())});
      server->take_model(model);
    }
    return cost;
  }

 private:
  std::size_t erase(const ForgettingCase& request, ModelServer& server, std::span<const DealtUnits> stay,
                    std::vector<float>& model, ForgettingCost& cost) const {
    const TaskBefore before(request);
    const auto fisher = [&](std::span<const DealtUnits> holders) {
      MeanObjective some(server, before.task(), holders, model);
      std::vector<double> diagonal = some.fisher_diagonal();
      cost += some.cost();
      return diagonal;
    };
    const std::vector<DealtUnits> near = units_that_feel(request, stay);
    const std::vector<DealtUnits> every = united(stay, request.holders);
    const std::vector<double> all = fisher(every);
    const std::vector<double> gone = fisher(request.holders.empty() ? std::span(near) : request.holders);
    const std::vector<double> felt = near.empty() ? std::vector<double>() : fisher(near);
    std::vector<double> ratio(all.size());
    for (std::size_t v = 0; v < all.size(); ++v) {
      const double u = std::max(gone[v], 1e-30);
      ratio[v] = all[v] / u;
      if (!felt.empty()) ratio[v] = std::min(ratio[v], all[v] * all[v] / (u * std::max(felt[v], 1e-30)));
    }
    std::vector<double> sorted = ratio;
    const auto place = static_cast<std::size_t>(config_.erase_ratio() * static_cast<double>(sorted.size()));
    if (place == 0) return 0;
    const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(std::min(place, sorted.size() - 1));
    std::ranges::nth_element(sorted, at);
    const double quantile = *at;
    std::size_t erased = 0;
    for (std::size_t v = 0; v < ratio.size(); ++v) {
      if (!(ratio[v] < quantile)) continue;
      model[v] = static_cast<float>(static_cast<double>(model[v]) * ratio[v] / quantile);
      ++erased;
    }
    return erased;
  }

  const scenario::EraseRectify& config_;
};

const Register<UnlearningOperator, Etr, scenario::EraseRectify> register_etr;

}  // namespace
}  // namespace souk
