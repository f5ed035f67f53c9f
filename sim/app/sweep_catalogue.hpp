#pragma once

#include <map>
#include <string>
#include <vector>

#include "agents/cast/shared_data.hpp"
#include "sim/sweep/cost_model.hpp"
#include "sim/sweep/plan.hpp"

namespace souk {

/// The data sets of a sweep, each loaded once per node, and what its runs are expected to need. Where all of them are
/// more than a quarter of the node's memory, those that come last are loaded by their runs.
class SweepCatalogue {
 public:
  enum class Keep : std::uint8_t { nothing, what_fits };
  /// Loads every data set of the plan, which gives its runs their identities. Collective; throws PhaseError.
  SweepCatalogue(const Comm& comm, SweepPlan& plan, Keep keep = Keep::what_fits);

  /// Nothing in it where the run loads it by itself.
  const SharedData& data_of(std::size_t run) const { return entries_.at(key_of_run_[run]).data; }
  const std::string& hash_of(std::size_t run) const { return entries_.at(key_of_run_[run]).hash; }
  /// Keeps the data sets of these runs only.
  void keep(const std::vector<std::size_t>& runs);

 private:
  struct Entry {
    SharedData data;
    std::string hash;
  };
  std::map<std::string, Entry> entries_;
  std::vector<std::string> key_of_run_;
};

/// What one run is expected to need.
struct Estimate {
  double seconds = 0.0;  ///< on one core
  double bytes = 0.0;    ///< beside the data set
  std::string refusal;   ///< why it cannot be run at all; empty: it can
};

/// Sets every run up on the processor, without running it, spread over the ranks. Collective.
std::vector<Estimate> estimate(const Comm& comm, const SweepPlan& plan, const SweepCatalogue& catalogue,
                               const std::vector<std::size_t>& runs);

/// Corrects the estimates by what finished runs took (cost_model.hpp).
void refine(const SweepPlan& plan, const std::vector<Measured>& finished, std::vector<Estimate>& estimates);

}  // namespace souk
