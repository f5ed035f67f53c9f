#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "agents/cast/federation.hpp"
#include "agents/privacy/private_root.hpp"
#include "agents/training/attackers.hpp"
#include "agents/training/poisoner.hpp"
#include "agents/training/rewirer.hpp"
#include "agents/training/round_recorder.hpp"
#include "agents/training/sent_models.hpp"
#include "sim/base/footprint.hpp"
#include "sim/learn/task.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk {

/// What an owner trains on beside the clients, and under which id.
struct OwnTraining {
  AgentId id;
  std::span<const SampleIndex> samples;
  const PrivateRootUpdate* mechanism = nullptr;  ///< instead of training as clients do
};

/// A round's local training: clients, and the owner of the model itself, on whichever ranks have time for them, the
/// longest first; then the rows they leave, turned into columns. Keeps its memory from round to round.
class LocalRound {
 public:
  LocalRound(const Comm& comm, const Federation& federation);
  /// Where this rank trains whom; does not train yet.
  void assign(std::span<const AgentId> clients, const std::optional<OwnTraining>& own);
  /// This rank's share of the work: from `global`, and those who were sent another model from that. Does not
  /// communicate.
  void train(RoundIndex round, std::span<const float> global, const OtherModel& other, const Attackers& attackers,
             Poisoner& poisoner, Rewirer& rewirer);
  /// Lets `change` see every update that this rank trained, [trainable].
  void for_each_update(const std::function<void(AgentId, std::span<float>)>& change);
  /// Columns of what was trained. Collective.
  void gather();
  /// Rows and columns of so many updates, and what a client's training needs.
  Footprint footprint(std::size_t updates, bool trains_own, int ranks) const;
  std::span<const AgentId> agents() const { return rows_.agents(); }
  std::span<const int> owners() const { return rows_.owners(); }    ///< [rows] ranks that train them, once assigned
  std::span<const TrainedRow> trained() const { return trained_; }  ///< [rows], once gathered
  const ColumnMatrix& updates() const { return updates_; }          ///< [rows, trainable]
  const ColumnMatrix& buffers() const { return buffers_; }          ///< [rows, others]; no columns: there are none
  bool has_buffers() const { return trainable_ < federation_.parameters(); }
  /// The owner's own update; null where it trains none.
  const ColumnVector* own_update() const { return own_update_ ? &*own_update_ : nullptr; }

 private:
  void train_own(RoundIndex round, std::span<const float> global);
  void train_client(RoundIndex round, std::size_t row, std::span<const float> global, const Attackers& attackers,
                    Poisoner& poisoner, Rewirer& rewirer);
  const Comm& comm_;
  const Federation& federation_;
  std::size_t trainable_;
  std::optional<OwnTraining> own_;
  RowMatrix rows_, own_row_;
  std::vector<TrainedRow> trained_;
  ColumnMatrix updates_, buffers_;
  std::optional<ColumnVector> own_update_;
};

}  // namespace souk
