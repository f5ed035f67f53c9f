#include "attacks/rule_search.hpp"

#include <algorithm>
#include <cmath>

#include "sim/params/linear.hpp"

namespace souk {
namespace {

/// A submission tried on the rule: how far its step is from the benign mean.
class Trials {
 public:
  Trials(const RuleView& view, const std::function<ColumnVector(double)>& submit)
      : view_(view),
        submit_(submit),
        mean_(
            combine(view.known, std::vector<double>(view.known.rows(), 1.0 / static_cast<double>(view.known.rows())))),
        first_(view.rows.size(), 0) {}

  void evaluate(double value) {
    const ColumnVector submission = submit_(value);
    // One row in everybody's place: a view, not copies.
    const ColumnMatrix one = view_.honest.select(view_.comm, {}).with_row(view_.comm, submission);
    const ColumnMatrix members = one.select(view_.comm, first_);
    ProbeResult result = view_.rule.probe(view_.honest.replaced(view_.comm, view_.rows, members));
    for (std::size_t c = 0; c < mean_.values().size(); ++c) result.step.values()[c] -= mean_.values()[c];
    const double distance = std::sqrt(squared_norm(view_.comm, view_.honest.plan(), result.step));
    if (distance > best_.distance) best_ = {value, distance};
  }
  const Harm& best() const { return best_; }

 private:
  const RuleView& view_;
  const std::function<ColumnVector(double)>& submit_;
  ColumnVector mean_;
  std::vector<std::size_t> first_;  ///< [members] all 0
  Harm best_;
};

}  // namespace

Harm most_harmful(const RuleView& view, double limit, bool both_signs, std::size_t evaluations,
                  const std::function<ColumnVector(double)>& submit) {
  constexpr double closest = 1e-6;
  Trials trials(view, submit);
  const std::size_t coarse = std::max<std::size_t>(2, evaluations / 2);
  for (std::size_t i = 0; i < coarse; ++i) {
    const auto halvings = static_cast<int>(both_signs ? i / 2 : i);
    trials.evaluate(std::ldexp(both_signs && i % 2 == 1 ? -limit : limit, -halvings));
  }
  std::size_t left = evaluations - coarse;
  for (double factor = std::sqrt(2.0); left > 0 && factor > 1.0 + closest; factor = std::sqrt(factor)) {
    const double center = trials.best().value;
    for (const double value : {center * factor, center / factor}) {
      if (left == 0 || std::abs(value) > limit) continue;
      trials.evaluate(value);
      --left;
    }
  }
  return trials.best();
}

}  // namespace souk
