// Every scenario under scenarios/, shortened, against what it gave before: the parameters of its model and all tables
// of its results, bit for bit. A change of the structure must not change a line of recorded.txt; a change that corrects
// a result says so in its commit, with the lines that it rewrites.
//   SOUK_RECORD_TO=FILE ctest --preset release -R '^record/'     appends what is found to FILE and compares nothing
// Bits depend on compiler, libraries and processor, so that each line belongs to a kind of machine. Elsewhere the test
// is skipped and says so.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <gtest/gtest.h>

#include "sim/base/hash.hpp"
#include "tests/support/program.hpp"

namespace souk::record_test {
namespace {

namespace fs = std::filesystem;

const fs::path& sources() {
  static const fs::path folder = SOUK_SOURCES;
  return folder;
}

/// One line of scenarios.txt.
struct Shortened {
  std::string scenario;  ///< below scenarios/, without its ending
  std::string filter;    ///< of a grid's cells; empty: no grid
  std::vector<std::string> changes;
  fs::path file() const { return sources() / "scenarios" / (scenario + ".textproto"); }
};

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Whether a scenario, or a grid or what it is based on, reads data that a user has to have.
bool reads_data(const fs::path& file) {
  const std::string text = text_of(file), base = "base: \"";
  if (text.find("${SOUK_DATA}") != std::string::npos) return true;
  const auto at = text.find(base);
  if (at == std::string::npos) return false;
  const auto begin = at + base.size();
  return reads_data(file.parent_path() / text.substr(begin, text.find('"', begin) - begin));
}

std::vector<std::vector<std::string>> words_of_lines(const fs::path& file) {
  std::vector<std::vector<std::string>> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    lines.emplace_back();
    for (std::string word; words >> word;) lines.back().push_back(word);
  }
  return lines;
}

std::vector<Shortened> all_shortened() {
  std::vector<Shortened> all;
  for (const std::vector<std::string>& words : words_of_lines(sources() / "tests/record/scenarios.txt")) {
    Shortened& line = all.emplace_back();
    line.scenario = words.front();
    for (std::size_t w = 1; w < words.size(); ++w) {
      if (words[w].starts_with("filter=")) {
        line.filter = words[w].substr(7);
      } else {
        line.changes.push_back(words[w]);
      }
    }
  }
  return all;
}

/// What is compared.
struct Found {
  std::string parameters, tables;  ///< SHA-256, of several runs together where there are several
  std::string line(const std::string& scenario, const std::string& kind) const {
    return fmt::format("{} {} {} {}", kind, scenario, parameters, tables);
  }
};

std::string hash_of(const std::string& text) { return sha256_hex(std::as_bytes(std::span(text))); }

std::string fact(const fs::path& run, const std::string& name) {
  std::string value = query(run / "results.sqlite", "SELECT value FROM run WHERE name = '" + name + "'");
  if (!value.empty()) value.pop_back();
  return value;
}

/// What a run's bits depend on beside the scenario.
std::string kind_of(const fs::path& run) {
  const std::string blas = fact(run, "blas");
  const auto core = blas.rfind(' ');
  const char* vectors = __builtin_cpu_supports("avx512f") ? "AVX-512" : __builtin_cpu_supports("avx2") ? "AVX2" : "SSE";
  std::string kind =
      fmt::format("g++{},glibc{},LibTorch{},{},{}", __GNUC__, gnu_get_libc_version(), fact(run, "libtorch"),
                  core == std::string::npos ? blas : blas.substr(core + 1), vectors);
  std::ranges::replace(kind, ' ', '-');
  return kind;
}

class Record : public testing::TestWithParam<Shortened> {
 protected:
  void SetUp() override {
    std::string name = GetParam().scenario;
    std::ranges::replace(name, '/', '_');
    directory_ = fs::path(testing::TempDir()) / "souk_record" / name;
    fs::remove_all(directory_);
    fs::create_directories(directory_);
    // Scenarios that name files of code are run where the repository is.
    fs::create_directory_symlink(sources() / "scenarios", directory_ / "scenarios");
  }
  void souk(std::vector<std::string> words) const {
    words.insert(words.begin(), std::getenv("SOUK_PROGRAM"));
    const Ended ended = RunningProgram(words, directory_).wait();
    ASSERT_EQ(ended.exit_code, 0) << ended.out << ended.err;
  }
  /// The grid with its changes; what follows goes before what stands there.
  fs::path shortened_grid() const {
    std::string text = text_of(GetParam().file());
    const std::string base = "base: \"";
    const auto at = text.find(base);
    if (at != std::string::npos) text.insert(at + base.size(), GetParam().file().parent_path().string() + "/");
    for (const std::string& change : GetParam().changes) text += "set: \"" + change + "\"\n";
    const fs::path file = directory_ / "grid.textproto";
    std::ofstream(file) << text;
    return file;
  }
  std::vector<fs::path> run_all() const {
    if (GetParam().filter.empty()) {
      std::vector<std::string> words{"run", GetParam().file(), "-q", "--out", "run"};
      for (const std::string& change : GetParam().changes) words.insert(words.end(), {"--set", change});
      souk(words);
      return {directory_ / "run"};
    }
    souk({"sweep", "run", shortened_grid(), "-q", "--out", "sweep", "--filter", GetParam().filter});
    std::vector<fs::path> runs;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory_ / "sweep")) {
      if (entry.path().filename() == "results.sqlite") runs.push_back(entry.path().parent_path());
    }
    return runs;
  }
  static Found found_in(const std::vector<fs::path>& runs) {
    if (runs.size() == 1) return {fact(runs[0], "parameters_sha256"), hash_of(results_of(runs[0]))};
    // Names of runs hold a hash of their scenario, whose schema may grow: their order is that of what they found.
    std::vector<std::string> parameters, tables;
    for (const fs::path& run : runs) {
      parameters.push_back(fact(run, "parameters_sha256"));
      tables.push_back(hash_of(results_of(run)));
    }
    std::ranges::sort(parameters);
    std::ranges::sort(tables);
    return {hash_of(fmt::format("{}", fmt::join(parameters, " "))), hash_of(fmt::format("{}", fmt::join(tables, " ")))};
  }
  fs::path directory_;
};

TEST_P(Record, is_what_it_was) {
  if (reads_data(GetParam().file()) && std::getenv("SOUK_DATA") == nullptr) {
    GTEST_SKIP() << GetParam().scenario << " reads data below SOUK_DATA, which is not set";
  }
  const std::vector<fs::path> runs = run_all();
  if (HasFatalFailure()) return;
  ASSERT_FALSE(runs.empty());
  const std::string kind = kind_of(runs.front());
  const Found found = found_in(runs);
  if (const char* record = std::getenv("SOUK_RECORD_TO")) {
    std::ofstream(record, std::ios::app) << found.line(GetParam().scenario, kind) + "\n";
    return;
  }
  std::string kinds;
  for (const std::vector<std::string>& line : words_of_lines(sources() / "tests/record/recorded.txt")) {
    ASSERT_EQ(line.size(), 4U);
    if (kinds.find(line[0]) == std::string::npos) kinds += " " + line[0];
    if (line[0] != kind || line[1] != GetParam().scenario) continue;
    EXPECT_EQ(found.parameters, line[2]) << "the model's parameters are others than recorded";
    EXPECT_EQ(found.tables, line[3]) << "the tables of results are others than recorded; those of now are in "
                                     << directory_;
    return;
  }
  GTEST_SKIP() << "nothing is recorded for this kind of machine, " << kind << ", whose arithmetic may differ; only for"
               << kinds;
}

TEST(Record, lists_every_scenario) {
  std::vector<std::string> listed;
  for (const Shortened& line : all_shortened()) listed.push_back(line.scenario);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(sources() / "scenarios")) {
    if (entry.path().extension() != ".textproto") continue;
    const std::string name = fs::relative(entry.path(), sources() / "scenarios").replace_extension().string();
    EXPECT_NE(std::ranges::find(listed, name), listed.end()) << name << " is not in tests/record/scenarios.txt";
  }
}

INSTANTIATE_TEST_SUITE_P(Scenarios, Record, testing::ValuesIn(all_shortened()), [](const auto& each) {
  std::string name = each.param.scenario;
  std::ranges::replace(name, '/', '_');
  return name;
});

}  // namespace
}  // namespace souk::record_test
