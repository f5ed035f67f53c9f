#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "attacks/knowledge.hpp"
#include "sim/base/random.hpp"

namespace souk {

/// What a group's validators were asked, and may answer falsely.
struct OwnReports {
  static constexpr Knowledge level = Knowledge::colluders;
  std::span<const AgentId> members;    ///< validators of the group, ascending
  std::size_t steps = 0, classes = 0;  ///< proposed models, and classes
  std::span<double> own;               ///< [members, steps, classes] their honest answers, changed in place; NaN where
                                       ///< they do not judge
  std::span<const std::uint8_t> ours;  ///< [steps] 1: of all submissions it is closest in direction to one of the group
};

/// ALL: everybody's honest answers.
struct AllReports {
  static constexpr Knowledge level = Knowledge::all;
  std::span<const double> all;          ///< [validators, steps, classes]
  std::span<const AgentId> validators;  ///< rows of `all`, ascending
  std::span<const std::size_t> rows;    ///< [members] the members' rows of `all`
};

/// Reports as the engine hands them out.
struct ReportAccess {
  std::tuple<std::optional<OwnReports>, std::optional<AllReports>> grants;
};

/// During validation: changes what malicious validators report about proposed models.
class ReportAttack {
 public:
  virtual ~ReportAttack() = default;
  virtual Knowledge least() const = 0;
  virtual void report_from(const ReportAccess& access, Stream& random) const = 0;
};

template <class... Grants>
struct ReportView : Grants... {};

/// Base of every report attack: report() sees the grants that it names and no more.
template <class... Grants>
class ReportWith : public ReportAttack {
 public:
  Knowledge least() const final { return std::max({Grants::level...}); }
  void report_from(const ReportAccess& access, Stream& random) const final {
    report(ReportView<Grants...>{std::get<std::optional<Grants>>(access.grants).value()...}, random);
  }
  virtual void report(const ReportView<Grants...>& view, Stream& random) const = 0;
};

}  // namespace souk
