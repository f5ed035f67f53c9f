#pragma once

#include <optional>
#include <string>
#include <vector>

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
  std::string rule;
  std::string updates;
  std::vector<std::string> pre;
  std::string root, global;
  std::vector<std::string> settings;  ///< --set
  std::string out, weights, scores;
  std::uint64_t seed = 1;
};

/// `souk aggregate`: one rule on updates in a file.
int aggregate_command(const AggregateArguments& arguments);

/// `souk list [KIND]`, `souk describe NAME`, `souk template`, `souk reference`: what there is, from the schema.
int list_command(const std::string& kind);
int describe_command(const std::string& name, bool markdown);
int template_command();
int reference_command();
/// BibTeX of the methods a scenario uses.
int citations_command(const ScenarioArguments& arguments);

/// `souk data describe PATH`, `souk data fetch NAME`.
int data_describe_command(const std::string& path);
int data_fetch_command(const std::string& name, const std::string& directory, const std::vector<std::string>& mirrors);

/// Starts `ranks` copies of the program through mpirun, with the arguments that remain, and returns their exit code.
/// SIGINT and SIGTERM reach them as the request to stop after the round in hand.
int launch_ranks(int ranks, int argc, char** argv);

}  // namespace souk
