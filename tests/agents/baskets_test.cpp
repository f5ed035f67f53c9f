#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/last_accuracy.hpp"

namespace souk::baskets_test {
namespace {

std::string baskets_under(const std::string& rule) {
  return "rounds: 12 task { data { baskets { train_samples: 2000 test_samples: 500 classes: 10 features: 100 overlap: "
         "0.6 } scaling: UNIT } model { mlp { hidden: [32] } } training { local_epochs: 4 batch_size: 10 "
         "learning_rate: 0.2 } } participants { clients: 10 everyone: true } evaluation { every: 12 } aggregator { " +
         rule + " } ";
}

/// Three clients of ten set twelve columns to 1.
std::string trigger() {
  std::string columns;
  for (int i = 0; i < 12; ++i) columns += fmt::format("set {{ column: {} value: 1 }} ", 8 * i + 3);
  return "attacks { fraction: 0.3 tabular_trigger { " + columns + " target: 7 } }";
}

TEST(BasketsFederation, learns_the_classes_and_under_the_mean_a_trigger_in_columns) {
  const std::string mean = baskets_under("mean {}");
  EXPECT_GE(last_accuracy(mean), 0.85);
  EXPECT_GE(last_accuracy(mean + trigger()), 0.85);
  EXPECT_GE(last_metric(mean + trigger(), "asr"), 0.8);
}

TEST(BasketsFederation, hardly_learns_the_trigger_under_the_median) {
  EXPECT_LE(last_metric(baskets_under("median {}") + trigger(), "asr"), 0.6);
}

}  // namespace
}  // namespace souk::baskets_test
