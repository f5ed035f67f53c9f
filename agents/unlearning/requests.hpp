#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agents/cast/federation.hpp"
#include "agents/unlearning/history.hpp"
#include "agents/unlearning/operator.hpp"

namespace souk {

/// A request that falls due in a round.
struct DueRequest {
  std::size_t index = 0;              ///< in the scenario
  Forgotten what{};                   ///< that is still there to be forgotten
  std::vector<AgentId> thrown_out{};  ///< of its clients, those named as attackers or found by the rule; ascending
};

/// The requests of a scenario: who or what is asked to be forgotten, and when.
class Requests {
 public:
  /// Throws InputError naming the field. `federation` is as it was dealt; all outlive it.
  Requests(const scenario::Scenario& scenario, const Federation& federation);
  std::size_t size() const { return operators_.size(); }
  const std::string& name(std::size_t index) const { return names_[index]; }
  /// As the schema calls it.
  const std::string& operator_name(std::size_t index) const { return kinds_[index]; }
  /// Requests with the same settings have one operator, which remembers what it did for all of them.
  UnlearningOperator& operator_of(std::size_t index) const { return *operators_[index]; }
  /// Whether two are carried out together where they fall due in one round.
  bool alike(std::size_t a, std::size_t b) const { return how_[a] == how_[b]; }
  /// Whether any may make clients leave.
  bool let_clients_leave() const;
  /// Training units that one names when it first comes; all, where that is not known beforehand.
  std::size_t named_units(std::size_t index) const;
  /// What operators keep between rounds.
  void serialize(Archive& archive);
  /// Those that fall due before the learning of this round, in the order of the scenario. The same on every rank.
  std::vector<DueRequest> due(RoundIndex round, const History& history) const;

 private:
  void check(std::size_t index) const;
  std::vector<AgentId> clients_of(const scenario::ForgetRequest& request, std::size_t index, std::uint32_t occurrence,
                                  std::vector<AgentId>& thrown_out) const;
  std::vector<AgentId> rejected(const scenario::ForgetRequest& request, const History& history) const;
  std::vector<SampleIndex> units_of(const scenario::ForgetRequest& request, std::size_t index,
                                    std::uint32_t occurrence) const;
  void cut_graph(const scenario::ForgetRequest& request, std::size_t index, std::uint32_t occurrence,
                 Forgotten& what) const;
  void take_along(std::span<const AgentId> clients, Forgotten& what) const;

  const scenario::Scenario& scenario_;
  const Federation& federation_;
  std::vector<std::string> names_, kinds_, settings_, how_;
  std::vector<std::shared_ptr<UnlearningOperator>> operators_;
};

/// "unlearning.requests[2]"
std::string path_of_request(std::size_t index);

}  // namespace souk
