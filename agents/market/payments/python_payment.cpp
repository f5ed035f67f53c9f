#include <cmath>
#include <numeric>
#include <utility>

#include "agents/market/payment.hpp"
#include "scenarios/market.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/python/python_function.hpp"
#include "sim/python/settings.hpp"
#include "sim/python/shared_answer.hpp"

namespace souk {
namespace {

constexpr const char* payment_field = "market.python_payment";

/// What a purchase holds for the function, by the names of its arguments; docs/own-rules.md says what each is.
const std::vector<std::string> offered_to_payments{"sellers", "weights", "cosines", "values", "available"};

/// Columns of a list of purchases.
struct PurchaseColumns {
  explicit PurchaseColumns(std::span<const Purchase> bought) {
    for (const Purchase& purchase : bought) {
      sellers.push_back(purchase.seller.value);
      weights.push_back(purchase.weight);
      cosines.push_back(purchase.cosine);
      values.push_back(purchase.value);
    }
  }
  std::vector<std::int64_t> sellers;
  std::vector<double> weights, cosines, values;
};

MicroCredits in_all(const std::vector<MicroCredits>& prices) { return std::reduce(prices.begin(), prices.end()); }

/// A function of the user's own. Rank 0 runs it and tells the others.
class PythonPaymentRule final : public PaymentRule {
 public:
  explicit PythonPaymentRule(const scenario::PythonPayment& config) : highest_(to_micro(config.highest_price())) {
    SOUK_REQUIRE(!config.file().empty(), "{}.file: is empty, must name a Python file with the payment", payment_field);
    function_ = load_python({.field = payment_field,
                             .path = config.file(),
                             .name = "pay",
                             .offers = offered_to_payments,
                             .settings = python_settings(payment_field, config.settings())});
  }

  bool splits_a_sum() const override { return highest_ == 0; }
  bool needs_cosine() const override { return function_->asks("cosines"); }
  bool needs_valuation() const override { return function_->asks("values"); }
  MicroCredits highest_price() const override { return highest_; }

  std::vector<MicroCredits> pay(std::span<const Purchase> bought, MicroCredits available) const override {
    if (bought.empty()) return {};
    const PurchaseColumns columns(bought);
    return prices_of(function_->call(call_of(columns, available)), available);
  }

  std::vector<MicroCredits> pay_together(const Comm& comm, std::span<const Purchase> bought,
                                         MicroCredits available) const override {
    if (bought.empty()) return {};
    const PurchaseColumns columns(bought);
    const PythonAnswer answer = call_on_first_rank(comm, *function_, call_of(columns, available),
                                                   [&](const PythonAnswer& given) { prices_of(given, available); });
    return prices_of(answer, available);
  }

 private:
  PythonCall call_of(const PurchaseColumns& columns, MicroCredits available) const {
    PythonCall call;
    const auto hand = [&](const char* name, PythonValue value) {
      if (function_->asks(name)) call.arguments.emplace_back(name, std::move(value));
    };
    hand("sellers", python_array(columns.sellers));
    hand("weights", python_array(columns.weights));
    hand("cosines", python_array(columns.cosines));
    hand("values", python_array(columns.values));
    hand("available", to_credits(available));
    call.wanted = {{"prices", PythonNumber::float64, {{columns.sellers.size()}}}};
    return call;
  }

  /// Rounded to the nearest millionths, or down where the nearest come to more than there is.
  std::vector<MicroCredits> prices_of(const PythonAnswer& answer, MicroCredits available) const {
    SOUK_REQUIRE(!answer.none && answer.numbers.contains("prices") && answer.diagnostics.empty(),
                 "{}: pay must answer prices and nothing else", function_->path());
    const std::vector<double>& credits = answer.numbers.at("prices");
    const double most = to_credits(highest_ > 0 ? highest_ : available);
    std::vector<MicroCredits> nearest, below;
    for (std::size_t i = 0; i < credits.size(); ++i) {
      SOUK_REQUIRE(credits[i] >= 0.0, "{}: pay answers {} credits for update {}, must not be negative",
                   function_->path(), credits[i], i);
      SOUK_REQUIRE(credits[i] <= most * (1.0 + 1e-12),
                   "{}: pay answers {} credits for update {}, and at most {} were {}", function_->path(), credits[i], i,
                   most, highest_ > 0 ? "put aside for one (highest_price)" : "put into escrow");
      nearest.push_back(to_micro(credits[i]));
      below.push_back(static_cast<MicroCredits>(std::floor(credits[i] * static_cast<double>(micro_per_credit))));
    }
    if (in_all(nearest) <= available) return nearest;
    SOUK_REQUIRE(in_all(below) <= available, "{}: pay answers {} credits in all, and {} were put into escrow",
                 function_->path(), to_credits(in_all(nearest)), to_credits(available));
    return below;
  }

  MicroCredits highest_;
  std::unique_ptr<PythonFunction> function_;
};

const Register<PaymentRule, PythonPaymentRule, scenario::PythonPayment> register_python_payment;

}  // namespace
}  // namespace souk
