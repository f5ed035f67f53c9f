#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "agents/simulation.hpp"
#include "agents/stage.hpp"
#include "agents/unlearning/retraining.hpp"
#include "agents/unlearning/together.hpp"

namespace souk::scenario {
class Clusters;
}

namespace souk {

struct ForgettingCase;

/// Which cluster each client is in, [clients]; fake identities are in that of whoever is behind them. By how samples
/// were dealt at first, so that whatever is forgotten moves nobody.
std::vector<std::uint32_t> cluster_numbers(const scenario::Clusters& config, const Federation& federation);

/// Clients in clusters, each of which trains a model of its own: a simulation each, of the same scenario, data and
/// deal, in which all others are absent. The server's model is the mean of theirs; what is tested is that, or an answer
/// of all. SISA of Bourtoule et al., "Machine Unlearning", IEEE S&P 2021, and KNOT of Su and Li, INFOCOM 2023, over
/// clients; KNOT's clusters are by similarity and asynchronous, these are fixed and on one clock. GraphEraser of Chen
/// et al., CCS 2022, where a client for each cluster holds nodes of a graph; its edges to other clusters' are then
/// nobody's.
class ClusterModels final : public Stage {
 public:
  /// Throws InputError where the scenario has what works on one model.
  explicit ClusterModels(const World& world);
  ServerHooks* hooks(std::size_t owner) override;
  void set_up(SetUpRecord& record) const override;
  void run(RoundIndex round, bool last, Phases& phases, RoundRecord& record) override;
  void forget(const Forgetting& forgetting, RoundRecord& record) override;
  void serialize(Archive& archive) override;
  std::vector<PartFootprint> footprints(int ranks) const override;
  /// Parameters of the models of clusters where anybody has samples, of [dimension]; until anything is trained.
  ModelsApart models() const;
  /// Trains the models anew, up to the round of the request, that what is forgotten has touched, and gives the server
  /// the mean. Collective.
  ForgettingCost retrain_touched(const ForgettingCase& request, RoundRecord& record);

 private:
  struct Cluster {
    std::unique_ptr<Simulation> simulation;
    bool anew = false;  ///< it has been trained without what is being forgotten
  };
  class Server;
  std::unique_ptr<Simulation> simulation_of(std::size_t cluster) const;
  std::vector<std::size_t> touched_by(const Forgotten& now) const;
  bool holds_any(AgentId client, const Forgotten& now) const;
  bool holds_any_of_graph(AgentId client, const GraphReduction& cut) const;
  const AnswerChange* answers();
  void take_mean();

  const World& world_;
  std::unique_ptr<scenario::Scenario> scenario_;  ///< of each
  std::vector<std::uint32_t> cluster_of_;
  std::vector<Cluster> clusters_;
  std::unique_ptr<TogetherRule> together_;
  std::optional<AnswerTogether> answers_;  ///< of the last test
  std::unique_ptr<Server> server_;
};

/// The stage of a world whose scenario has clusters.
ClusterModels& cluster_models_of(const World& world);

}  // namespace souk
