// What rules say that they need, against what the heap gave them.
#include <cmath>

#include <gtest/gtest.h>

#include "sim/base/plugin_registry.hpp"
#include "tests/support/heap_peak.hpp"
#include "tests/support/rule_world.hpp"

namespace souk::footprint_test {
namespace {

constexpr double megabyte = 1e6;

/// Answers without memory of its own.
class QuietOracle final : public LossOracle {
  static constexpr int number_of_classes = 4;

 public:
  explicit QuietOracle(const Comm& comm) : comm_(comm) {}
  std::vector<Judgement> on_root(const ColumnMatrix& steps) override {
    std::vector<Judgement> judgements(steps.rows());
    for (std::size_t s = 0; s < steps.rows(); ++s) judgements[s].loss = std::abs(steps.row(s).front());
    return judgements;
  }
  ColumnVector root_gradient(const ColumnVector& step) override { return step; }
  std::vector<double> validator_reports(const ColumnMatrix& steps) override {
    std::vector<double> reports;
    for (std::size_t v = 0; v < validators_.size() * steps.rows() * number_of_classes; ++v)
      reports.push_back(std::sin(v));
    return reports;
  }
  std::span<const AgentId> validators() const override { return validators_; }
  std::vector<double> noise_ratios(const ColumnMatrix& steps, std::size_t, std::uint16_t) override {
    std::vector<double> ratios;
    for (std::size_t v = 0; v < steps.rows() * 4; ++v) ratios.push_back(std::sin(v));
    return ratios;
  }
  int classes() const override { return number_of_classes; }

 private:
  const Comm& comm_;
  std::vector<AgentId> validators_{{0}, {1}, {2}};
};

struct Need {
  double said = 0.0, taken = 0.0;
};

/// Of some rounds of one rank, the later ones with all that is remembered of the first. Values lie between `least` and
/// `least` + 1.
Need need_of(const std::string& text, std::size_t n, std::size_t d, std::uint32_t rounds, float least) {
  const Comm comm = Comm::self();
  const std::unique_ptr<Aggregator> rule = make_rule(text);
  ColumnMatrixBuilder builder(comm, n, d);
  Stream random(1, StreamKey{Purpose::aggregation, nobody, {1}});
  for (std::size_t i = 0; i < n; ++i) {
    for (float& value : builder.row(i)) value = least + random.uniform_float();
  }
  const ColumnMatrix updates = std::move(builder).finish();
  const ColumnVector global(updates), root(updates);
  std::vector<Submission> submissions;
  for (std::uint32_t i = 0; i < n; ++i) submissions.push_back({{i}, 10});
  const ParameterLayout layout = toy_layout(d);
  QuietOracle losses(comm);
  const RuleFootprint footprint = rule->footprint({.updates = n, .clients = n, .dimension = d, .ranks = 1});
  const HeapPeak heap;
  for (std::uint32_t round = 1; round <= rounds; ++round) {
    Stream draws(1, StreamKey{Purpose::aggregation, nobody, {round}});
    rule->aggregate({.comm = comm,
                     .round = {round},
                     .submissions = submissions,
                     .updates = updates,
                     .random = draws,
                     .tolerated_f = 1,
                     .global = &global,
                     .root_update = &root,
                     .losses = &losses,
                     .layout = &layout});
  }
  return {footprint.held + footprint.working, static_cast<double>(heap.bytes())};
}

class EveryFootprint : public testing::TestWithParam<std::string> {};

TEST_P(EveryFootprint, counts_the_vectors_that_the_rule_holds) {
  const bool searches = GetParam() == "mda" || GetParam() == "smea";
  const Need need = need_of(GetParam() + (searches ? " { search: GREEDY }" : " {}"), 24, 200000,
                            GetParam() == "fldetector" ? 13 : 2, 0.0F);  // until its window is full
  EXPECT_GT(need.said, 0.9 * need.taken - megabyte);
  EXPECT_LT(need.said, 1.15 * need.taken + megabyte);
}

/// But those of a user's own: what they allocate nobody knows.
std::vector<std::string> names_of_souks_own() {
  std::vector<std::string> names = PluginRegistry<Aggregator>::instance().names();
  std::erase(names, "python");
  return names;
}

INSTANTIATE_TEST_SUITE_P(registered, EveryFootprint, testing::ValuesIn(names_of_souks_own()),
                         [](const auto& instance) { return instance.param; });

TEST(Footprints, count_the_matrices_of_pairs) {
  for (const char* rule : {"krum {}", "multi_krum {}", "geometric_median {}", "afa {}", "flame {}", "foolsgold {}",
                           "clipped_clustering {}", "pre { nnm {} } mean {}"}) {
    const Need need = need_of(rule, 800, 2048, 2, 10.0F);  // so close that cosines need distances, too
    const double packed = 6.0 * megabyte;                  // of a run and its products: not of the heap that is counted
    EXPECT_GT(need.said, 0.9 * need.taken - megabyte) << rule;
    EXPECT_LT(need.said, 1.15 * need.taken + packed + megabyte) << rule;
  }
}

TEST(Footprints, of_rules_that_keep_numbers_are_not_those_of_rules_that_keep_vectors) {
  const RuleScale scale{.updates = 100, .clients = 10000, .dimension = 11000000, .ranks = 1};
  for (const char* rule : {"afa {}", "auror {}", "martfl {}"})
    EXPECT_LT(make_rule(rule)->footprint(scale).held, 2e6) << rule;
  for (const char* rule : {"foolsgold {}", "fldetector {}"}) {
    EXPECT_GT(make_rule(rule)->footprint(scale).held, 4.3e11) << rule;
  }
}

TEST(Footprints, of_a_rank_shrink_with_their_number) {
  const RuleScale one{.updates = 50, .clients = 50, .dimension = 10000000, .ranks = 1};
  RuleScale two = one;
  two.ranks = 2;
  for (const char* rule : {"foolsgold {}", "skymask {}", "pre { nnm {} } mean {}"}) {
    const RuleFootprint alone = make_rule(rule)->footprint(one), shared = make_rule(rule)->footprint(two);
    EXPECT_NEAR(shared.held + shared.working, 0.5 * (alone.held + alone.working), 10.0 * megabyte) << rule;
  }
}

}  // namespace
}  // namespace souk::footprint_test
