#include "attacks/sybil/mixture.hpp"

namespace souk {

Crafted SybilMixture::craft(const View<Pool>& view) {
  const std::optional<ColumnVector> mean = memory_.winners_mean(view.own);
  const std::vector<SybilPart> parts = memory_.parts(view.members);
  const bool can_follow = mean.has_value() || winners_ == 0.0F;
  ColumnMatrixBuilder rows(view.comm, view.own.rows(), view.own.dimension());
  double following = 0.0;
  for (std::size_t i = 0; i < view.members.size(); ++i) {
    const auto own = view.own.row(i);
    const auto out = rows.row(i);
    if (parts[i] == SybilPart::submit_own || !can_follow) {
      std::ranges::copy(own, out.begin());
      continue;
    }
    following += 1.0;
    for (std::size_t c = 0; c < out.size(); ++c) {
      out[c] = own_ * own[c] + (mean ? winners_ * mean->values()[c] : 0.0F);
    }
    if (parts[i] == SybilPart::explore) {
      add_relative_noise(view, view.members[i], view.own, memory_.exploration(), out);
    }
  }
  Crafted crafted{std::move(rows).finish(), {{"following", following}}};
  memory_.submitted(view.members, crafted.rows);
  return crafted;
}

}  // namespace souk
