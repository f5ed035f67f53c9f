#pragma once

#include "attacks/sybil/memory.hpp"

namespace souk {

/// A Sybil strategy of the form own g + winners avg. Where there is no winner to follow, members submit g.
class SybilMixture : public CraftWith<Pool> {
 public:
  /// Also where one member would do: members share the memory.
  Knowledge least() const override { return Knowledge::colluders; }
  std::size_t least_members() const override { return memory_.least_members(); }
  void check() const override;
  Crafted craft(const View<Pool>& view) override;
  AttackFootprint footprint(const AttackScale& scale) const override {
    AttackFootprint footprint = CraftWith::footprint(scale);
    footprint.held += memory_.bytes(scale);
    return footprint;
  }
  void observe(const Published& published) override { memory_.observe(published); }
  void serialize(Archive& archive, const Comm& comm) override { memory_.serialize(archive, comm); }

 protected:
  /// `setting`: what decides whether the strategy changes anything, for the message where it does not.
  SybilMixture(const scenario::SybilMemory& memory, double own, double winners, std::string setting)
      : memory_(memory),
        own_(static_cast<float>(own)),
        winners_(static_cast<float>(winners)),
        setting_(std::move(setting)) {}

 private:
  SybilMemory memory_;
  float own_, winners_;
  std::string setting_;
};

}  // namespace souk
