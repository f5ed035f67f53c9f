#include "attacks/sybil/mixture.hpp"

#include "sim/base/contract.hpp"

namespace souk {

void SybilMixture::check() const { SOUK_REQUIRE(own_ != 1.0F || winners_ != 0.0F, "{}: changes nothing", setting_); }

Crafted SybilMixture::craft(const View<Pool>& view) {
  const std::optional<ColumnVector> mean = memory_.winners_mean(view.members, view.own);
  const std::vector<SybilPart> parts = memory_.parts(view.members);
  ColumnMatrixBuilder rows(view.comm, view.own.rows(), view.own.dimension());
  double following = 0.0;
  for (std::size_t i = 0; i < view.members.size(); ++i) {
    const auto own = view.own.row(i);
    const auto out = rows.row(i);
    if (parts[i] == SybilPart::submit_own || !mean) {
      std::ranges::copy(own, out.begin());
      continue;
    }
    following += 1.0;
    for (std::size_t c = 0; c < out.size(); ++c) out[c] = own_ * own[c] + winners_ * mean->values()[c];
    if (parts[i] == SybilPart::explore) {
      add_relative_noise(view, view.members[i], view.own, memory_.exploration(), out);
    }
  }
  Crafted crafted{std::move(rows).finish(), {{"following", following}}};
  if (!mean) crafted.idle = "has no winner to follow";
  if (mean && following == 0.0) crafted.idle = "has nobody who lost";
  memory_.submitted(view.members, crafted.rows);
  return crafted;
}

}  // namespace souk
