#include "agents/market/payment.hpp"

#include "scenarios/market.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {

std::unique_ptr<PaymentRule> make_payment_rule(const scenario::Market& market) {
  return PluginRegistry<PaymentRule>::instance().create(market, "payment");
}

}  // namespace souk
