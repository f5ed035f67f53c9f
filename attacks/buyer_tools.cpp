#include "attacks/buyer_tools.hpp"

#include <algorithm>

#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"

namespace souk {

std::optional<std::size_t> row_of(const BaselineView& view, AgentId seller) {
  const auto found = std::ranges::find(view.sellers, seller);
  if (found == view.sellers.end()) return std::nullopt;
  return static_cast<std::size_t>(found - view.sellers.begin());
}

/// A stream for each panel, named by numbers from the view's: which rank owns it decides nothing.
ColumnVector normal_noise(const BaselineView& view) {
  const std::uint64_t seed = view.random.next_seed();
  ColumnVector noise(view.updates);
  for (const Panel& panel : view.updates.panels()) {
    Stream random(seed, streams::baseline_noise(panel.index, view.round));
    for (float& value : noise.panel(panel)) value = static_cast<float>(random.normal());
  }
  return noise;
}

std::vector<bool> marked_classes(std::string_view field, std::span<const std::uint32_t> listed, int classes) {
  std::vector<bool> marked(static_cast<std::size_t>(classes), false);
  for (const std::uint32_t which : listed) {
    SOUK_REQUIRE(which < marked.size(), "market.misconduct.{}: there is no class {}; the data have {} classes, from 0",
                 field, which, classes);
    marked[which] = true;
  }
  return marked;
}

std::vector<bool> part_of_classes(int classes, std::uint64_t parts, std::uint64_t part) {
  SOUK_EXPECT(part < parts && parts <= static_cast<std::uint64_t>(classes));
  const std::uint64_t each = static_cast<std::uint64_t>(classes) / parts;
  const std::uint64_t larger = static_cast<std::uint64_t>(classes) % parts;
  const auto begin_of = [&](std::uint64_t p) { return p * each + std::min(p, larger); };
  std::vector<bool> shown(static_cast<std::size_t>(classes), false);
  for (std::uint64_t c = begin_of(part); c < begin_of(part + 1); ++c) shown[c] = true;
  return shown;
}

std::vector<bool> first_half_of_classes(int classes) { return part_of_classes(classes, classes < 2 ? 1 : 2, 0); }

}  // namespace souk
