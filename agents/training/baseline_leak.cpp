#include "agents/training/baseline_leak.hpp"

#include <cmath>

#include <fmt/format.h>

#include "attacks/class_shares_limit.hpp"
#include "sim/base/contract.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

/// Total variation of two distributions.
template <class Share>
double total_variation(std::span<const double> truth, const Share& share) {
  double sum = 0.0;
  for (std::size_t c = 0; c < truth.size(); ++c) sum += std::abs(truth[c] - share(c));
  return 0.5 * sum;
}

double cosine_between(const Comm& comm, const ColumnMatrix& direction, const ColumnVector& root_update) {
  const auto [products, squares] = dots_and_norms(comm, direction, root_update);
  const double length = std::sqrt(squared_norm(comm, direction.plan(), root_update));
  return cosine_of(products.front(), std::sqrt(squares.front()) * length);
}

}  // namespace

void record_claim(const Comm& comm, int group, const BaselineClaim& claim, const BaselineTruth& truth,
                  RoundRecord& record) {
  SOUK_EXPECT(claim.class_shares.size() == truth.class_shares.size());
  const auto add = [&](const char* name, double value) { record.add(fmt::format("attack.{}.{}", group, name), value); };
  add("class_share_error", total_variation(truth.class_shares, [&](std::size_t c) { return claim.class_shares[c]; }));
  const double equal = 1.0 / static_cast<double>(truth.class_shares.size());
  add("class_share_guess", total_variation(truth.class_shares, [equal](std::size_t) { return equal; }));
  if (truth.score_noise > 0.0) {
    const ScoreNoise noise{
        .deviation = truth.score_noise, .sales = claim.sales, .threshold = 0.0, .turned = truth.turned_sales};
    const auto limit = class_share_limit(claim.evidence, truth.class_shares, noise);
    if (limit) add("class_share_limit", *limit);
  }
  if (truth.root_update != nullptr) {
    add("baseline_cosine", cosine_between(comm, claim.direction, *truth.root_update));
  }
}

}  // namespace souk
