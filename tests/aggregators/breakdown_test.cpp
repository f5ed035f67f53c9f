// Every rule that promises to withstand f malicious updates: as many as it allows, as large as floats allow.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/brute_force.hpp"
#include "tests/support/rule_world.hpp"

namespace souk::breakdown_test {
namespace {

constexpr std::size_t d = 300;

struct Promise {
  std::string rule;
  std::size_t updates, f;
};

std::ostream& operator<<(std::ostream& out, const Promise& promise) { return out << promise.rule; }

/// The f malicious rows are spread over the others; row 0 is honest, as MoNNA wants.
std::vector<std::size_t> malicious(const Promise& promise) {
  std::vector<std::size_t> rows;
  for (std::size_t k = 0; k < promise.f; ++k) rows.push_back(1 + k * 2);
  return rows;
}

Rows attacked(Rows rows, const Promise& promise, float size, bool alike) {
  for (const std::size_t i : malicious(promise)) {
    for (std::size_t c = 0; c < d; ++c) rows[i][c] = !alike && (i + c) % 3 == 0 ? -size : size;
  }
  return rows;
}

class Withstands : public testing::TestWithParam<Promise> {
 protected:
  static Outcome run(const Rows& rows) {
    return run_rule(GetParam().rule, {.rows = rows, .tolerated_f = GetParam().f});
  }
};

TEST_P(Withstands, malicious_updates_of_any_size_among_equal_ones) {
  const Rows honest(GetParam().updates, random_rows(1, d).front());
  for (const float size : {1e3F, 1e6F, 1e12F, 1e30F, 3e37F}) {
    for (const bool alike : {true, false}) {
      const std::vector<float> step = run(attacked(honest, GetParam(), size, alike)).step;
      for (std::size_t c = 0; c < d; ++c) ASSERT_NEAR(step[c], honest[0][c], 1e-4) << size << ' ' << alike;
    }
  }
}

TEST_P(Withstands, malicious_updates_of_any_size_among_different_ones) {
  const Rows honest = random_rows(GetParam().updates, d);
  std::vector<std::size_t> good = brute_force::everybody(honest.size());
  for (const std::size_t i : malicious(GetParam())) std::erase(good, i);
  const auto vectors = brute_force::some(brute_force::of(honest), good);
  const auto center = brute_force::mean(vectors);
  double radius = 0.0;
  for (const auto& row : vectors) radius = std::max(radius, brute_force::distance(row, center));
  for (const float size : {1e3F, 1e6F, 1e12F, 1e30F, 3e37F}) {
    for (const bool alike : {true, false}) {
      const std::vector<float> step = run(attacked(honest, GetParam(), size, alike)).step;
      EXPECT_LT(brute_force::distance({step.begin(), step.end()}, center), 2.0 * radius) << size << ' ' << alike;
    }
  }
}

TEST_P(Withstands, equal_updates_without_moving_from_them) {
  const std::vector<float> row = random_rows(1, d).front();
  for (const float scale : {1e-20F, 1.0F, 1e15F, 1e30F}) {
    std::vector<float> expected = row;
    for (float& value : expected) value *= scale;
    const std::vector<float> step = run(Rows(GetParam().updates, expected)).step;
    for (std::size_t c = 0; c < d; ++c) ASSERT_NEAR(step[c], expected[c], 1e-6F * std::abs(expected[c])) << scale;
  }
}

INSTANTIATE_TEST_SUITE_P(
    rules, Withstands,
    testing::Values(Promise{"median {}", 11, 5}, Promise{"trimmed_mean {}", 11, 5}, Promise{"meamed {}", 11, 5},
                    Promise{"phocas {}", 11, 5}, Promise{"slsgd { alpha: 1 }", 11, 5}, Promise{"krum {}", 13, 5},
                    Promise{"multi_krum {}", 13, 5}, Promise{"bulyan {}", 15, 3}, Promise{"geometric_median {}", 11, 4},
                    Promise{"mda {}", 11, 5}, Promise{"mda { search: GREEDY }", 11, 5}, Promise{"smea {}", 11, 5},
                    Promise{"smea { search: GREEDY }", 11, 5}, Promise{"cge {}", 11, 5}, Promise{"caf {}", 11, 4},
                    Promise{"monna {}", 11, 5}, Promise{"dnc {}", 11, 1},
                    Promise{"pre { nnm {} } trimmed_mean {}", 11, 4}, Promise{"pre { nnm {} } krum {}", 13, 5},
                    Promise{"pre { arc {} } median {}", 11, 5},
                    Promise{"pre { arc {} } pre { nnm {} } geometric_median {}", 11, 4}),
    [](const auto& instance) {
      std::string name;
      for (const char c : instance.param.rule) name += std::isalpha(static_cast<unsigned char>(c)) ? c : '_';
      return name + std::to_string(instance.index);
    });

TEST(Mean, does_not_withstand_a_single_one) {
  Rows rows = random_rows(11, d);
  rows[3].assign(d, 1e30F);

  EXPECT_GT(run_rule("mean {}", {.rows = rows}).step[0], 1e28F);
}

}  // namespace
}  // namespace souk::breakdown_test
