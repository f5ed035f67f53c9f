#pragma once

#include <map>
#include <string>

#include "sim/engine/round_record.hpp"

namespace souk {

/// Where committed rounds go. Called on rank 0 only. Every call is all or nothing; calling it again for the same round
/// replaces what it wrote. Throws std::runtime_error with the reason (disk full, not writable).
class MetricSink {
 public:
  virtual ~MetricSink() = default;
  /// Facts about the run by name: identity, seed, versions. Replaces values of the same name.
  virtual void describe(const std::map<std::string, std::string>& facts) = 0;
  virtual void commit_set_up(const SetUpRecord& record) = 0;
  virtual void commit(const RoundRecord& record) = 0;
  /// Forgets rounds after this one, before a resumed run writes them again.
  virtual void rewind(RoundIndex last_kept) = 0;
};

}  // namespace souk
