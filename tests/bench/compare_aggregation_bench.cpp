// Our half of `tests/bench/compare_pytorch BUILD aggregate`: one aggregation of the matrix that compare_pytorch.py
// wrote.
//   compare_aggregation_bench FOLDER 'RULE {…}' ROWS COLUMNS F
// reads FOLDER/updates.f32 [rows, columns], writes FOLDER/ours.f32 [columns] and prints the seconds.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include <cblas.h>
#include <google/protobuf/text_format.h>

#include "aggregators/aggregator.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"

namespace souk {
namespace {

ColumnMatrix read(const std::string& path, std::size_t rows, std::size_t columns) {
  ColumnMatrixBuilder builder(Comm::self(), rows, columns);
  std::ifstream file(path, std::ios::binary);
  for (std::size_t i = 0; i < rows; ++i) {
    file.read(reinterpret_cast<char*>(builder.row(i).data()), static_cast<std::streamsize>(columns * sizeof(float)));
  }
  SOUK_REQUIRE(file.good(), "{}: cannot read {} x {} values", path, rows, columns);
  return std::move(builder).finish();
}

void run(const std::string& folder, const std::string& rule, std::size_t rows, std::size_t columns, std::size_t f) {
  scenario::Aggregator config;
  SOUK_REQUIRE(google::protobuf::TextFormat::ParseFromString(rule, &config), "cannot parse {}", rule);
  const auto aggregator = make_aggregator(config);
  const ColumnMatrix updates = read(folder + "/updates.f32", rows, columns);
  const Comm comm = Comm::self();
  std::vector<Submission> submissions;
  for (std::size_t i = 0; i < rows; ++i) submissions.push_back({AgentId{static_cast<std::uint32_t>(i)}, 1});
  Stream random(1, StreamKey{Purpose::aggregation, nobody, {1}});
  const auto aggregate = [&] {
    return aggregator->aggregate({.comm = comm,
                                  .round = {1},
                                  .submissions = submissions,
                                  .updates = updates,
                                  .random = random,
                                  .tolerated_f = f});
  };
  aggregate();
  const auto start = std::chrono::steady_clock::now();
  const RuleOutput output = aggregate();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::ofstream(folder + "/ours.f32", std::ios::binary)
      .write(reinterpret_cast<const char*>(output.step.values().data()),
             static_cast<std::streamsize>(columns * sizeof(float)));
  fmt::print("{:.6f}\n", seconds.count());
}

}  // namespace
}  // namespace souk

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fputs("compare_aggregation_bench FOLDER 'RULE {…}' ROWS COLUMNS F\n", stderr);
    return souk::exit_bad_input;
  }
  openblas_set_num_threads(1);
  try {
    souk::run(argv[1], argv[2], std::stoul(argv[3]), std::stoul(argv[4]), std::stoul(argv[5]));
  } catch (const souk::InputError& error) {
    fmt::print(stderr, "compare_aggregation_bench: {}\n", error.what());
    return souk::exit_bad_input;
  }
  return souk::exit_done;
}
