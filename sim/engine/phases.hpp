#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/comm/comm.hpp"
#include "sim/engine/round_record.hpp"

namespace souk {

/// A fault to inject, for tests of collective errors: "rank=1,round=2,phase=train". Kind "throw" (default), "hang", or
/// "kill": SIGKILL to itself, as if the machine had failed.
struct InjectedFault {
  int rank = 0;
  std::uint32_t round = 0;
  std::string phase;
  enum class Kind : std::uint8_t { fail, hang, kill } kind = Kind::fail;
};

/// Parses "rank=1,round=2,phase=train[,kind=hang|kill]". Throws InputError.
InjectedFault parse_fault(const std::string& text);

/// One phase's time, in nanoseconds: the communicator sums no floats, and times need no more.
struct OwnPhaseTime {
  const char* phase;
  std::int64_t elapsed = 0;
  std::int64_t busy = 0;
};

/// The phases of one round: runs each, agrees on failures, measures it. Ranks agree where they would wait for each
/// other anyway, and nowhere else.
class Phases {
 public:
  Phases(const Comm& comm, RoundIndex round, const std::optional<InjectedFault>& fault)
      : comm_(comm), round_(round), fault_(fault) {}
  Phases(const Comm&, RoundIndex, std::optional<InjectedFault>&&) = delete;  // it is not copied
  /// Local work that does not communicate, timed; whether it failed anywhere is agreed on in the next phase, which does
  /// nothing then.
  void prepare(const char* name, const std::function<void()>& work);
  /// Local work that does not communicate: Comm::run_phase, timed.
  void local(const char* name, const std::function<void()>& work);
  /// Collective work that agrees on failures by itself, timed.
  void collective(const char* name, const std::function<void()>& work);
  /// This rank's times so far, of the same phases in the same order on every rank.
  std::span<const OwnPhaseTime> own_times() const { return own_; }

 private:
  OwnPhaseTime& own(const char* name);
  void add(const char* name, double seconds, double busy_seconds);
  void inject(const char* name) const;
  void agree_on(const char* name, const std::function<void()>& work);
  Comm comm_;
  RoundIndex round_;
  const std::optional<InjectedFault>& fault_;
  std::vector<OwnPhaseTime> own_;
  bool prepared_ = false;               ///< something was, and nothing is agreed on yet
  const char* failed_phase_ = nullptr;  ///< of what was prepared here
  std::exception_ptr failure_;          ///< of what was prepared here
};

}  // namespace souk
