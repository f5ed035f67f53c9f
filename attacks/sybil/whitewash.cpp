#include <algorithm>
#include <map>
#include <set>

#include "attacks/update_attack.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/sybil_attacks.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Cheap identities make reputations worthless: Friedman and Resnick, "The Social Cost of Cheap Pseudonyms", Journal of
/// Economics & Management Strategy, 2001.
class Whitewash final : public CraftWith<Pool> {
 public:
  explicit Whitewash(const scenario::Whitewash& config)
      : after_(config.after()), limit_(config.limit()), cost_(config.cost()) {}

  bool may_behave() const override { return true; }
  /// Updates stay as they are; it is the name that changes.
  Crafted craft(const View<Pool>& view) override {
    std::int64_t most = 0;
    for (const AgentId member : view.members) {
      submitters_.insert(member.value);
      const auto found = members_.find(member.value);
      if (found != members_.end()) most = std::max(most, found->second.rejections);
    }
    return {map_values(view.comm, view.own, [](float value) { return value; }),
            {{"rejections", static_cast<double>(most)}}};
  }

  void observe(const Published& published) override {
    leaving_.clear();
    for (std::size_t i = 0; i < published.selected.size(); ++i) {
      const AgentId agent = published.agents[i];
      if (!submitters_.contains(agent.value)) continue;
      Member& member = members_[agent.value];
      member.rejections = published.selected[i] != 0.0 ? 0 : member.rejections + 1;
      if (member.rejections < after_ || (limit_ > 0 && member.renewals >= limit_)) continue;
      member = {.rejections = 0, .renewals = member.renewals + 1};
      leaving_.push_back(agent);
    }
    submitters_.clear();
  }

  std::vector<AgentId> leaving() override { return leaving_; }
  double identity_cost() const override { return cost_; }

  void serialize(Archive& archive, const Comm&) override {
    std::vector<std::int64_t> values;
    for (const auto& [id, member] : members_) values.insert(values.end(), {id, member.rejections, member.renewals});
    archive.field("identities", values);
    if (!archive.loading()) return;
    members_.clear();
    for (std::size_t i = 0; i + 2 < values.size(); i += 3) {
      members_[static_cast<std::uint32_t>(values[i])] = {values[i + 1], values[i + 2]};
    }
  }

 private:
  struct Member {
    std::int64_t rejections = 0;  ///< in a row
    std::int64_t renewals = 0;
  };
  std::int64_t after_, limit_;
  double cost_;
  std::map<std::uint32_t, Member> members_;
  std::set<std::uint32_t> submitters_;  ///< of this round
  std::vector<AgentId> leaving_;
};

const Register<UpdateAttack, Whitewash, scenario::Whitewash> register_whitewash;

}  // namespace
}  // namespace souk
