#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agents/stage.hpp"
#include "agents/training/model_server.hpp"

namespace souk {

/// The stage that every scenario has: each owner's model goes through its round, is tested where a test is due, and
/// ends the run when all are done.
class Learning final : public Stage {
 public:
  /// `others`: the scenario's other stages, which may have a say. Throws InputError.
  Learning(const World& world, const std::vector<std::unique_ptr<Stage>>& others);
  void set_up(SetUpRecord& record) const override;
  void run(RoundIndex round, bool last, Phases& phases, RoundRecord& record) override;
  void serialize(Archive& archive) override;
  std::vector<PartFootprint> footprints(int ranks) const override;
  /// [owners]
  ModelServer& model(std::size_t owner) const { return *models_[owner]; }

 private:
  void run_model(std::size_t index, RoundIndex round, bool last, Phases& phases, RoundRecord& record);
  template <class Work>
  void into_record_of(std::size_t index, RoundRecord& record, Work work) const;
  bool tests_are_due(RoundIndex round, bool last) const;
  bool is_over(std::size_t index) const { return stops_[index].has_value(); }

  const scenario::Scenario& scenario_;
  const std::vector<Owner>& owners_;
  std::vector<const ServerHooks*> mergers_;           ///< [owners] of those beyond the first, who brings it
  std::vector<std::unique_ptr<ModelServer>> models_;  ///< [owners]
  std::vector<std::optional<Stop>> stops_;            ///< [owners] why its model stays as it is
};

}  // namespace souk
