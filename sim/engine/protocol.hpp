#pragma once

#include <span>

#include "sim/base/archive.hpp"
#include "sim/base/ids.hpp"
#include "sim/comm/comm.hpp"
#include "sim/engine/phases.hpp"
#include "sim/engine/round_record.hpp"

namespace souk {

/// What happens in one round: federated learning, a market, a served graph, an unlearning request. The engine reaches
/// agents only through this port.
class Protocol {
 public:
  virtual ~Protocol() = default;
  /// What is known before the first round. The same on every rank.
  virtual SetUpRecord set_up_record() const = 0;
  /// Collective. Fills `record` alike on every rank, times and processes excepted.
  virtual void run_round(RoundIndex round, bool last, Phases& phases, RoundRecord& record) = 0;
  /// State between rounds; replicated or gathered, so that any number of ranks can load what any other saved.
  /// Collective.
  virtual void serialize(Archive& archive) = 0;
  /// The trained model: flat float32 values in schema order. The same on every rank.
  virtual std::span<const float> parameters() const = 0;
};

}  // namespace souk
