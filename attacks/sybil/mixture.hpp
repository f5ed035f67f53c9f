#pragma once

#include "attacks/sybil/memory.hpp"

namespace souk {

/// A Sybil strategy of the form own g + winners avg. Before a member has won there is no avg, and members submit g, or
/// own g where the strategy does not use avg.
class SybilMixture : public CraftWith<Pool> {
 public:
  Crafted craft(const View<Pool>& view) override;
  void observe(const Published& published) override { memory_.observe(published); }
  void serialize(Archive& archive, const Comm& comm) override { memory_.serialize(archive, comm); }

 protected:
  SybilMixture(const scenario::SybilMemory& memory, double own, double winners)
      : memory_(memory), own_(static_cast<float>(own)), winners_(static_cast<float>(winners)) {}

 private:
  SybilMemory memory_;
  float own_, winners_;
};

}  // namespace souk
