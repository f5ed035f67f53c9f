#pragma once

#include <algorithm>
#include <concepts>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "attacks/class_shares_estimate.hpp"
#include "attacks/knowledge.hpp"

namespace souk {

class Archive;

/// What a group submits.
struct Crafted {
  ColumnMatrix rows;                            ///< [m, d], laid out like the updates it was made from
  std::map<std::string, double> diagnostics{};  ///< recorded as attack.GROUP.NAME, e.g. the z that ALIE used
  std::vector<std::uint64_t> lengths{};         ///< [m] values that each pretends to have; empty: d each
  std::string idle{};  ///< why the attack left the updates as they were; empty: it did not, or its rows show it
};

/// What the protocol publishes of a round that is over.
struct Published {
  const Comm& comm;
  RoundIndex round;
  std::span<const AgentId> agents;   ///< whose updates the round used, ascending
  std::span<const double> selected;  ///< [agents] 1 or 0; empty where the server does not say
  std::span<const double> weights;   ///< [agents] shares in the step; empty where the server does not say
  const ColumnVector& step;          ///< [d] change of the global parameters
  std::size_t dimension = 0;         ///< d
};

/// What members are told of their own updates in a round that is over, whatever the server publishes.
struct OwnOutcomes {
  const Comm& comm;
  RoundIndex round;
  std::span<const AgentId> members;  ///< [m] whose updates the round used, ascending
  std::span<const AgentId> payees;  ///< [p] who are paid now, for this round or for all since they were last, ascending
  std::span<const double> paid;     ///< [p] credits, of each for its own
  double turned = 0.0;              ///< announced probability with which a sale is told and paid the other way round
};

/// What a group says about the root data that an owner scores updates with. Whoever runs the simulation compares it
/// with the truth; the group does not learn how close it is.
struct BaselineClaim {
  std::vector<double> class_shares;            ///< [classes] sum 1
  ColumnMatrix direction;                      ///< [1, d] its guess of this round's root update, up to a factor
  std::span<const ScoredRound> evidence = {};  ///< all rounds that it goes by, its own; until the next claim
  bool sales = false;                          ///< whether outcomes are sales, and not scores
  bool prices = false;                         ///< whether they are what was paid
};

/// What everybody knows of the protocol before the first round.
struct ServerTerms {
  int classes = 0;                 ///< of the task; 0: it has none
  bool has_baseline = false;       ///< updates are judged by root data of the owner, or by samples of validators
  std::uint32_t pays_every = 0;    ///< rounds, in a market; 0: nobody pays
  bool publishes_weights = false;  ///< of every update
};

/// A round as the engine hands it out: only what the group's knowledge grants is filled in.
struct RoundAccess {
  const PublicRound& round;
  std::tuple<std::optional<Own>, std::optional<Pool>, std::optional<Everyone>, std::optional<RuleAccess>,
             std::optional<RuleIfKnown>, std::optional<RootUpdate>, std::optional<Laboratory>>
      grants{};
  template <class Grant>
  void grant(const Grant& granted) {
    std::get<std::optional<Grant>>(grants).emplace(granted);
  }
  template <class Grant>
  const Grant& get() const {
    return std::get<std::optional<Grant>>(grants).value();
  }
};

/// What an update attack must be granted.
struct AttackNeeds {
  Knowledge least = Knowledge::own;  ///< less than this is refused
  bool one_by_one = false;           ///< crafts for a member at a time
  bool root_update = false;
  bool lab = false;
};

/// The rounds in which a group acts, on the rank that holds most columns: what its memory hangs on.
struct AttackScale {
  double updates = 0.0;  ///< of a round, at most
  double members = 0.0;  ///< of the group in a round, at most
  double group = 0.0;    ///< all members
  double vector = 0.0;   ///< bytes of an update's columns
};

/// Bytes of a rank that an attack needs beside what it is shown.
struct AttackFootprint {
  double held = 0.0;     ///< between rounds; what it submitted is held until the next one
  double working = 0.0;  ///< more while it crafts
};

/// After training: replaces the members' updates; never adds any.
class UpdateAttack {
 public:
  virtual ~UpdateAttack() = default;
  virtual AttackNeeds needs() const = 0;
  /// The level assumed where the scenario names none.
  virtual Knowledge usual() const { return needs().least; }
  /// The least knowledge with which the attack can do anything.
  virtual Knowledge least() const {
    const bool alone = least_known(Knowledge::own) == 1 && least_members() == 1;
    return std::max(needs().least, alone ? Knowledge::own : Knowledge::colluders);
  }
  /// The least number of updates known, at this level, from which the attack can make anything but what members would
  /// have submitted. In a round with fewer it is not asked.
  virtual std::size_t least_known(Knowledge) const { return 1; }
  /// Likewise the least number of members in a round.
  virtual std::size_t least_members() const { return 1; }
  /// Whether leaving updates as they are is one of the attack's moves, and not a failure.
  virtual bool may_behave() const { return false; }
  /// Whether the attack has no aim without a data attack in the same group: a backdoor to hide.
  virtual bool needs_poison() const { return false; }
  /// Throws InputError for settings that cannot be, starting with the field: "alie.z = …".
  virtual void check() const {}
  /// Why nothing can come of it under these terms, starting with the field: "baseline_probe.channel = …"; empty: it
  /// can.
  virtual std::string unmet(const ServerTerms&) const { return {}; }
  /// The rows that it submits, and a few vectors to make them of; with a laboratory, trained rows beside them.
  virtual AttackFootprint footprint(const AttackScale& scale) const {
    return {.held = scale.members * scale.vector,
            .working = (3.0 + (needs().lab ? scale.members : 0.0)) * scale.vector};
  }
  /// Collective.
  virtual Crafted craft_from(const RoundAccess& access) = 0;
  /// After every round, also those in which the group did not act, or no update could be used. Collective.
  virtual void observe(const Published&) {}
  /// After every round, before observe(). Collective.
  virtual void learn(const OwnOutcomes&) {}
  /// Asked after observe(): what the group makes of all rounds so far. Collective.
  virtual std::optional<BaselineClaim> claim(const Comm&) { return std::nullopt; }
  /// Members that leave after this round and come back under another name. Ascending.
  virtual std::vector<AgentId> leaving() { return {}; }
  /// What a new identity costs, in credits.
  virtual double identity_cost() const { return 0.0; }
  /// State kept between rounds. Collective.
  virtual void serialize(Archive&, const Comm&) {}
};

/// What an attack with these grants sees: the public round, and the grants' members.
template <class... Grants>
struct View : PublicRound, Grants... {};

/// Base of every update attack: craft() sees the grants that it names and no more.
template <class... Grants>
class CraftWith : public UpdateAttack {
 public:
  AttackNeeds needs() const final {
    AttackNeeds needs{.least = std::max({Grants::level...}),
                      .one_by_one = (std::same_as<Grants, Own> || ...),
                      .root_update = (std::same_as<Grants, RootUpdate> || ...),
                      .lab = (std::same_as<Grants, Laboratory> || ...)};
    // A pool of one is a pool too.
    if (needs.least == Knowledge::colluders) needs.least = Knowledge::own;
    return needs;
  }
  Knowledge usual() const override { return std::max({Grants::level...}); }
  Crafted craft_from(const RoundAccess& access) final {
    return craft(View<Grants...>{access.round, access.get<Grants>()...});
  }
  virtual Crafted craft(const View<Grants...>& view) = 0;
};

}  // namespace souk
