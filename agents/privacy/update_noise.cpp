#include "agents/privacy/update_noise.hpp"

#include <cmath>

#include "sim/params/normal_values.hpp"

namespace souk {
double shorten(std::span<float> values, double bound) {
  double square = 0.0;
  for (const float value : values) square += static_cast<double>(value) * static_cast<double>(value);
  const double norm = std::sqrt(square);
  if (!std::isfinite(norm) || norm <= bound) return norm;
  for (float& value : values) value = static_cast<float>(static_cast<double>(value) * (bound / norm));
  return norm;
}

void add_panel_noise(std::span<float> values, double sigma, std::uint64_t seed, const PanelNoise& stream) {
  const PanelPlan plan(values.size());
  for (std::size_t p = 0; p < plan.count(); ++p) {
    const ColumnRange columns = plan.columns(p);
    add_normal_values(values.subspan(columns.begin, columns.size()), sigma, seed, stream(p));
  }
}

void add_panel_noise(const Comm& comm, const PanelPlan& plan, std::span<float> columns, double sigma,
                     std::uint64_t seed, const PanelNoise& stream) {
  const std::size_t begin = plan.columns_of(comm.rank(), comm.size()).begin;
  for (std::size_t p = plan.first_panel(comm.rank(), comm.size()); p < plan.first_panel(comm.rank() + 1, comm.size());
       ++p) {
    const ColumnRange range = plan.columns(p);
    add_normal_values(columns.subspan(range.begin - begin, range.size()), sigma, seed, stream(p));
  }
}

}  // namespace souk
