#include <algorithm>
#include <map>

#include "attacks/sybil/memory.hpp"
#include "scenarios/sybil_attacks.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Which share of a malicious update still passes is found by trying.
class SystematicProbe final : public CraftWith<Pool> {
 public:
  Knowledge least() const override { return Knowledge::colluders; }  // members share the memory
  explicit SystematicProbe(const scenario::SystematicProbe& config)
      : least_(config.least()), count_(config.probes()), memory_(config.memory()) {}

  AttackFootprint footprint(const AttackScale& scale) const override {
    AttackFootprint footprint = CraftWith::footprint(scale);
    footprint.held += memory_.bytes(scale);
    return footprint;
  }

  Crafted craft(const View<Pool>& view) override {
    const std::optional<ColumnVector> mean = memory_.winners_mean(view.members, view.own);
    ColumnMatrixBuilder rows(view.comm, view.own.rows(), view.own.dimension());
    double sum = 0.0;
    for (std::size_t i = 0; i < view.members.size(); ++i) {
      Probe& probe = probes_.try_emplace(view.members[i].value, Probe{.next = first_of(view.members[i])}).first->second;
      probe.now = probe.tried < count_ ? probe.next : std::max<std::int64_t>(probe.best, 0);
      const double share = share_of(probe.now);
      sum += share;
      const auto own = view.own.row(i);
      for (std::size_t c = 0; c < own.size(); ++c) {
        const float other = mean ? static_cast<float>(1.0 - share) * mean->values()[c] : 0.0F;
        rows.row(i)[c] = static_cast<float>(share) * own[c] + other;
      }
    }
    Crafted crafted{std::move(rows).finish(), {{"share", sum / static_cast<double>(view.members.size())}}};
    memory_.submitted(view.members, crafted.rows);
    return crafted;
  }

  void observe(const Published& published) override {
    for (std::size_t i = 0; i < published.selected.size(); ++i) {
      const auto found = probes_.find(published.agents[i].value);
      if (found == probes_.end() || found->second.now < 0) continue;
      Probe& probe = found->second;
      if (published.selected[i] != 0.0) probe.best = std::max(probe.best, probe.now);
      if (probe.tried < count_) {
        ++probe.tried;
        probe.next = (probe.next + 1) % count_;
      }
    }
    for (auto& [member, probe] : probes_) probe.now = -1;  // also of members whose updates did not arrive
    memory_.observe(published);
  }

  void serialize(Archive& archive, const Comm& comm) override {
    std::vector<std::int64_t> values;
    for (const auto& [member, probe] : probes_) {
      values.insert(values.end(), {member, probe.next, probe.tried, probe.best});
    }
    archive.field("probes", values);
    if (archive.loading()) {
      probes_.clear();
      for (std::size_t i = 0; i + 3 < values.size(); i += 4) {
        probes_[static_cast<std::uint32_t>(values[i])] = {values[i + 1], values[i + 2], values[i + 3]};
      }
    }
    memory_.serialize(archive, comm);
  }

 private:
  /// A member's place on the grid.
  struct Probe {
    std::int64_t next = 0, tried = 0, best = -1;
    std::int64_t now = -1;  ///< what it submitted in this round; -1: nothing
  };
  std::int64_t first_of(AgentId member) const { return static_cast<std::int64_t>(member.value) % count_; }
  double share_of(std::int64_t place) const {
    return least_ + (1.0 - least_) * static_cast<double>(place) / static_cast<double>(count_ - 1);
  }

  double least_;
  std::int64_t count_;
  SybilMemory memory_;
  std::map<std::uint32_t, Probe> probes_;
};

const Register<UpdateAttack, SystematicProbe, scenario::SystematicProbe> register_systematic_probe;

}  // namespace
}  // namespace souk
