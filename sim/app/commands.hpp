#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/app/chosen_rule.hpp"

namespace souk {

/// What every command that reads a scenario takes.
struct ScenarioArguments {
  std::string file;
  std::vector<std::string> overrides;  ///< --set
  std::optional<std::uint64_t> seed;
  std::string device = "cpu";
};

/// `souk run`.
struct RunArguments {
  ScenarioArguments scenario;
  std::string directory;  ///< --out
  bool resume = false;
  bool quiet = false;
  bool verbose = false;
  double stall_timeout = 600.0;
  std::string fault;  ///< --inject-fault
};

int run_command(const RunArguments& arguments);

/// `souk check`: what the scenario resolves to and what it needs.
int check_command(const ScenarioArguments& arguments, bool print, int ranks);

/// `souk aggregate`.
struct AggregateArguments {
  ChosenRule rule;
  std::string updates;
  std::string root, global;
  std::vector<std::string> settings;  ///< --set
  std::string out, weights, scores;
  std::uint64_t seed = 1;
};

/// `souk aggregate`: one rule on updates in a file.
int aggregate_command(const AggregateArguments& arguments);

/// `souk attack`.
struct AttackArguments {
  std::string attack;
  std::string updates;
  std::size_t malicious = 0;
  std::string own, global, change, root;
  ChosenRule against;                 ///< no rule: members know updates alone
  std::vector<std::string> settings;  ///< --set
  std::uint32_t round = 1;
  std::uint64_t seed = 1;
  std::string out;
};

/// `souk attack`: what attackers make of the benign updates in a file.
int attack_command(const AttackArguments& arguments);

/// `souk conform`.
struct ConformArguments {
  std::string file;
  std::vector<std::string> settings;  ///< --set
};

/// `souk conform`: a user's own rule or attack in Python against what all must do. Returns 1 where it does not.
int conform_command(const ConformArguments& arguments);

/// `souk list [KIND]`, `souk describe NAME`, `souk template`, `souk reference`: what there is, from the schema. A kind
/// stands for all kinds below it: "attacks" for "attacks/data" and the others.
int list_command(const std::string& kind);
/// `name` may be a kind, for all there is of it. Into a directory, if one is named, one page to a file.
int describe_command(const std::string& name, bool markdown, const std::string& directory);
int template_command(bool all);
int reference_command();
int descriptors_command();
/// BibTeX of the methods a scenario uses.
int citations_command(const ScenarioArguments& arguments);

/// `souk data describe PATH`, `souk data fetch NAME`. `label`: column of the class; empty: find one.
int data_describe_command(const std::string& path, const std::string& label);
int data_fetch_command(const std::string& name, const std::string& directory, const std::vector<std::string>& mirrors);

/// `souk run` and `souk sweep` with --ranks: the job of ranks, and what is left to do when it ends otherwise than it
/// should. Return the exit code.
int run_on_ranks(int ranks, int argc, char** argv);
int sweep_on_ranks(int ranks, int argc, char** argv);

}  // namespace souk
