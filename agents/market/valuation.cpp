#include "agents/market/valuation.hpp"

#include <algorithm>
#include <cmath>

#include "scenarios/market.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/linear.hpp"

namespace souk {

std::unique_ptr<ValuationRule> make_valuation_rule(const scenario::Market& market) {
  if (chosen(market, "valuation") == nullptr) return nullptr;
  return PluginRegistry<ValuationRule>::instance().create(market, "valuation");
}

void penalise_replication(double lambda, const Comm& comm, const ColumnMatrix& updates, Valuation& valuation) {
  SOUK_EXPECT(valuation.values.size() == updates.rows());
  if (lambda == 0.0) return;
  const SymmetricMatrix products = gram(comm, updates);
  for (std::size_t i = 0; i < updates.rows(); ++i) {
    double likeness = 0.0;
    for (std::size_t j = 0; j < updates.rows(); ++j) {
      const double lengths = std::sqrt(products(i, i) * products(j, j));
      if (j != i && lengths > 0.0) likeness += std::max(0.0, products(i, j) / lengths);
    }
    const double factor = std::exp(-lambda * likeness);
    valuation.values[i] *= factor;
    if (!valuation.standard_errors.empty()) valuation.standard_errors[i] *= factor;
  }
}

}  // namespace souk
