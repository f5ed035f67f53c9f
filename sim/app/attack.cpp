#include <algorithm>
#include <cstdio>
#include <iterator>
#include <numeric>
#include <optional>

#include "agents/training/crafting.hpp"
#include "agents/training/rule_desk.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/app/collective_command.hpp"
#include "sim/app/commands.hpp"
#include "sim/app/update_files.hpp"
#include "sim/base/atomic_file.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/log.hpp"
#include "sim/base/stopwatch.hpp"
#include "sim/engine/scenario_file.hpp"
#include "sim/engine/schema_info.hpp"

namespace souk {
namespace {

bool knows_rule(const AttackArguments& arguments) { return !arguments.against.rule.empty(); }

bool is_one_of(const std::string& name, const std::vector<std::string>& names) {
  return std::ranges::find(names, name) != names.end();
}

void require_update_attack(const std::string& name) {
  SOUK_REQUIRE(!is_one_of(name, plugin_names("attacks/data")),
               "{} changes the data that members train on, which files of updates do not hold: use it in a scenario",
               name);
  SOUK_REQUIRE(!is_one_of(name, plugin_names("attacks/structure")),
               "{} changes the edges that members train on, which files of updates do not hold: use it in a scenario",
               name);
  SOUK_REQUIRE(!is_one_of(name, plugin_names("attacks/reports")),
               "{} changes what validators report, which files of updates do not hold: use it in a scenario", name);
  SOUK_REQUIRE(!is_one_of(name, plugin_names("attacks/edges")),
               "{} asks a served graph, which files of updates are not: use it in a scenario's service", name);
  SOUK_REQUIRE(!is_one_of(name, plugin_names("attacks/inference")),
               "{} reads what updates were computed from, and changes none: use it in a scenario's inference", name);
  std::vector<std::string> names = plugin_names("attacks/updates");
  std::ranges::copy(plugin_names("attacks/sybil"), std::back_inserter(names));
  SOUK_REQUIRE(is_one_of(name, names), "there is no attack on updates '{}'.{}", name, did_you_mean(name, names));
}

/// The arguments as changes of a scenario: settings go to the attack, but those that name the rule or a pre-aggregator.
std::vector<std::string> changes_of(const AttackArguments& arguments) {
  require_update_attack(arguments.attack);
  SOUK_REQUIRE(knows_rule(arguments) || arguments.against.pre.empty(), "--pre {}: only with --against RULE",
               arguments.against.pre.front());
  std::vector<std::string> changes{fmt::format("attacks[0].{}={{}}", arguments.attack)};
  if (knows_rule(arguments)) {
    for (const std::string& change : overrides_of(arguments.against)) changes.push_back(change);
  }
  for (const std::string& setting : arguments.settings) {
    const bool named = setting.starts_with(arguments.attack + ".");
    std::optional<std::string> of_rule;
    if (!named && knows_rule(arguments)) of_rule = override_of(arguments.against, setting);
    const std::string of_attack = "attacks[0]." + (named ? setting : arguments.attack + "." + setting);
    changes.push_back(of_rule.value_or(of_attack));
  }
  return changes;
}

void require_craftable(const AttackArguments& arguments, const UpdateAttack& attack) {
  const AttackNeeds needs = attack.needs();
  SOUK_REQUIRE(!needs.lab, "{} trains a model, which files of updates do not hold: use it in a scenario",
               arguments.attack);
  SOUK_REQUIRE(needs.least < Knowledge::rule || knows_rule(arguments),
               "{} needs to know the server's rule: --against RULE", arguments.attack);
  SOUK_REQUIRE(!needs.root_update || !arguments.root.empty(),
               "{} needs the server's own update: --root g.npy, a vector as long as an update", arguments.attack);
  attack.check();
  SOUK_REQUIRE(arguments.malicious >= attack.least_members(), "--malicious {}: {} needs {} members",
               arguments.malicious, arguments.attack, attack.least_members());
}

/// What the arguments name, on every rank.
struct AttackedWorld {
  ResolvedScenario resolved;
  std::unique_ptr<UpdateAttack> attack;
  std::unique_ptr<Aggregator> rule;  ///< null where members do not know it
  std::size_t tolerated_f = 0;
  RowMatrix benign, own;
  std::vector<float> global, change, root;  ///< [d], or empty
};

void build_rule(const AttackArguments& arguments, AttackedWorld& world) {
  const scenario::Aggregator& config = world.resolved.scenario->aggregator();
  const auto m = static_cast<std::int32_t>(arguments.malicious);
  const std::int32_t f = config.tolerated_f() < 0 ? m : config.tolerated_f();
  world.tolerated_f = static_cast<std::size_t>(f);
  world.rule = make_aggregator(config);
  require_servable(arguments.against.rule, world.rule->needs(), !arguments.root.empty(), f);
  in_given_words(arguments.against, [&] {
    world.rule->check({.updates = world.benign.rows() + arguments.malicious, .tolerated_f = world.tolerated_f});
  });
}

AttackedWorld read_world(const Comm& comm, const AttackArguments& arguments) {
  AttackedWorld world;
  comm.run_phase("read updates", [&] {
    world.resolved = resolve_scenario({.file_name = "souk attack", .text = "", .overrides = changes_of(arguments)});
    world.attack = std::move(make_update_attacks(world.resolved.scenario->attacks(0)).front());
    require_craftable(arguments, *world.attack);
    read_updates(comm, arguments.updates, Finite::required, world.benign);
    const std::size_t d = world.benign.dimension();
    const std::size_t least = world.attack->least_known(Knowledge::all);
    SOUK_REQUIRE(world.benign.rows() >= least, "{}: {} needs to know {} updates, and it holds {}", arguments.updates,
                 arguments.attack, least, world.benign.rows());
    if (!arguments.own.empty()) {
      read_updates(comm, arguments.own, Finite::required, world.own);
      SOUK_REQUIRE(world.own.rows() == arguments.malicious && world.own.dimension() == d,
                   "{}: is {} x {}, must be {} x {}: what the malicious clients would have sent honestly",
                   arguments.own, world.own.rows(), world.own.dimension(), arguments.malicious, d);
    }
    world.global = read_vector(arguments.global, d);
    world.change = read_vector(arguments.change, d);
    world.root = read_vector(arguments.root, d);
    if (knows_rule(arguments)) build_rule(arguments, world);
  });
  return world;
}

ColumnMatrix columns_of(const Comm& comm, const RowMatrix& rows) {
  ColumnMatrix columns;
  to_columns(comm, rows, {0, rows.dimension()}, columns);
  return columns;
}

ColumnVector vector_or_zeros(const Comm& comm, std::span<const float> values, const ColumnMatrix& like) {
  return values.empty() ? ColumnVector(like) : ColumnVector(comm, values);
}

/// Ids and rows of a round: benign clients 0 … n - 1, then the members n … n + m - 1.
struct Seats {
  Seats(std::size_t n, std::size_t m) : benign(n), members(m), honest_row(n + m) {
    std::iota(benign.begin(), benign.end(), 0);
    std::iota(members.begin(), members.end(), n);
    for (std::uint32_t i = 0; i < n + m; ++i) {
      agents.push_back({i});
      submissions.push_back({{i}, 1});
      honest_row[i] = i < n ? i : (i - n) % n;
    }
  }
  std::vector<std::size_t> benign, members;
  std::vector<std::size_t> honest_row;  ///< the benign row that is what the client would have sent
  std::vector<AgentId> agents;
  std::vector<Submission> submissions;
};

/// The members' rows, given everybody's honest ones, [n + m, d].
CraftedUpdates craft(const Comm& comm, const AttackArguments& arguments, const AttackedWorld& world, const Seats& seats,
                     const ColumnMatrix& honest) {
  const ColumnVector global = vector_or_zeros(comm, world.global, honest);
  const ColumnVector change = vector_or_zeros(comm, world.change, honest);
  const ColumnVector root = vector_or_zeros(comm, world.root, honest);
  const ColumnVector* known_root = arguments.root.empty() ? nullptr : &root;
  std::optional<ServerProbe> probe;
  if (world.rule != nullptr) {
    probe.emplace(world.resolved.scenario->aggregator(), *world.rule,
                  RuleSetting{.comm = comm,
                              .round = {arguments.round},
                              .seed = arguments.seed,
                              .tolerated_f = world.tolerated_f,
                              .global = global,
                              .root_update = known_root,
                              .layout = nullptr},
                  seats.submissions, nullptr);
  }
  const PublicRound round{.comm = comm,
                          .round = {arguments.round},
                          .seed = arguments.seed,
                          .updates = seats.agents.size(),
                          .malicious = seats.members.size(),
                          .global = global,
                          .change = change};
  return craft_updates(*world.attack, {.round = round,
                                       .level = probe ? Knowledge::rule : Knowledge::all,
                                       .agents = seats.agents,
                                       .honest = honest,
                                       .rows = seats.members,
                                       .benign = seats.benign,
                                       .root_update = known_root,
                                       .rule = probe ? &*probe : nullptr,
                                       .lab = nullptr});
}

/// A line about the run, and one per diagnostic: "z 0.25", "gamma.7 1.5" where it is about client 7 alone.
void print_summary(const Comm& comm, const AttackArguments& arguments, const AttackedWorld& world,
                   const CraftedUpdates& crafted, double seconds) {
  std::FILE* to = is_standard_output(arguments.out) ? stderr : stdout;
  fmt::print(to, "{} n={} m={} d={} ranks={} seconds={:.6f}\n", arguments.attack, world.benign.rows(),
             arguments.malicious, world.benign.dimension(), comm.size(), seconds);
  for (const Diagnostic& diagnostic : crafted.diagnostics) {
    const std::string of_whom = diagnostic.agent < 0 ? "" : fmt::format(".{}", diagnostic.agent);
    fmt::print(to, "{}{} {}\n", diagnostic.name, of_whom, diagnostic.value);
  }
  for (const IdleAttack& entry : crafted.idle) log::warning("{} {}", arguments.attack, entry.why);
}

void attack_on(const Comm& comm, const AttackArguments& arguments) {
  comm.run_phase("outputs", [&] {
    if (comm.rank() == 0) require_writable(arguments.out);
  });
  const AttackedWorld world = read_world(comm, arguments);
  const Seats seats(world.benign.rows(), arguments.malicious);
  const ColumnMatrix benign = columns_of(comm, world.benign);
  const ColumnMatrix own = arguments.own.empty() ? ColumnMatrix() : columns_of(comm, world.own);
  ColumnMatrix honest = benign.select(comm, seats.honest_row);
  if (!arguments.own.empty()) honest = honest.replaced(comm, seats.members, own);
  comm.barrier();
  const Stopwatch watch;
  const CraftedUpdates crafted = craft(comm, arguments, world, seats, honest);
  comm.barrier();
  const double seconds = watch.seconds();
  const std::size_t d = world.benign.dimension();
  std::vector<RowRange> wanted(static_cast<std::size_t>(comm.size()));
  wanted.front() = {0, arguments.malicious};
  const std::vector<float> rows = gather_rows(comm, crafted.rows, wanted);
  comm.run_phase("write", [&] {
    SOUK_REQUIRE(std::ranges::all_of(crafted.lengths, [d](std::uint64_t length) { return length == d; }),
                 "{} sends updates of another length, which the rows of a matrix cannot have: use it in a scenario",
                 arguments.attack);
    if (comm.rank() != 0) return;
    write_npy(arguments.out, rows, d);
    print_summary(comm, arguments, world, crafted, seconds);
  });
}

}  // namespace

int attack_command(const AttackArguments& arguments) {
  return run_collectively([&](const Comm& comm) { attack_on(comm, arguments); });
}

}  // namespace souk
