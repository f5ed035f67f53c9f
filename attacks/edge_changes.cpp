#include "attacks/edge_changes.hpp"

#include <array>

#include <fmt/format.h>

namespace souk {

std::string vanishing(const std::string& attack, double delta, double factor, bool in_double) {
  if (in_double ? factor != 1.0 : static_cast<float>(factor) != 1.0F) return {};
  return fmt::format("{}.delta = {}: is lost beside 1 in {} precision: no answer changes", attack, delta,
                     in_double ? "double" : "single");
}

std::vector<double> change(std::span<const double> before, std::span<const double> after, double delta) {
  std::vector<double> out(after.begin(), after.end());
  for (std::size_t c = 0; c < out.size(); ++c) out[c] = (out[c] - before[c]) / delta;
  return out;
}

void ChangeSeries::append(std::span<const double> before, std::span<const double> now, std::size_t classes,
                          std::size_t first_place, std::size_t second_place) {
  for (std::size_t c = 0; c < classes; ++c) {
    const std::size_t a = first_place * classes + c, b = second_place * classes + c;
    first.push_back(now[a] - before[a]);
    second.push_back(now[b] - before[b]);
  }
}

std::optional<AnswerChanges> influence_of_own_node(const ServiceView<OwnNodes>& view, scenario::AddedFeatures features,
                                                   NodeIndex beside_target, NodeIndex candidate, double delta) {
  const auto moving = add_beside(view, features, candidate);
  const auto reference = add_beside(view, features, candidate);
  if (!moving || !reference) return std::nullopt;
  const std::array watched{beside_target, *reference};
  const std::vector<double> before = view.read_own(watched);
  view.scale_own(*moving, 1.0 + delta);
  view.wait();
  const std::vector<double> moved = change(before, view.read_own(watched), delta);
  const auto middle = moved.begin() + static_cast<std::ptrdiff_t>(view.classes());
  return AnswerChanges{.at_target = {moved.begin(), middle}, .at_candidate = {middle, moved.end()}};
}

}  // namespace souk
