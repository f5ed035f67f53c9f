#pragma once

#include <chrono>
#include <functional>
#include <optional>
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

/// The phases of one round: runs each, agrees on failures, measures it.
class Phases {
 public:
  Phases(const Comm& comm, RoundIndex round, const std::optional<InjectedFault>& fault)
      : comm_(comm), round_(round), fault_(fault) {}
  /// Local work that does not communicate: Comm::run_phase, timed.
  void local(const char* name, const std::function<void()>& work);
  /// Collective work that agrees on failures by itself, timed.
  void collective(const char* name, const std::function<void()>& work);
  /// Times of all phases so far, in the order of their first run. Collective.
  std::vector<PhaseTime> times() const;

 private:
  struct Own {
    const char* phase;
    double seconds = 0.0;
    double busy_seconds = 0.0;
  };
  Own& own(const char* name);
  void inject(const char* name) const;
  Comm comm_;
  RoundIndex round_;
  const std::optional<InjectedFault>& fault_;
  std::vector<Own> own_;
};

}  // namespace souk
