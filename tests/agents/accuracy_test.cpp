// The built-in images separate models: a linear one must stay below 90 %, a small CNN must pass 97 %.
#include <gtest/gtest.h>

#include "tests/support/last_accuracy.hpp"

namespace souk::accuracy_test {
namespace {

/// Ten clients that share the images evenly, all of them in every round.
double accuracy_of(const std::string& model, const std::string& training, int rounds) {
  const std::string text = "rounds: " + std::to_string(rounds) + " task { model { " + model + " } training { " +
                           training + " } } participants { clients: 10 everyone: true } evaluation { every: 1000 }";
  return last_accuracy(text);
}

TEST(Glyphs, a_linear_model_learns_them_but_not_beyond_ninety_per_cent) {
  const double accuracy = accuracy_of("logreg {}", "learning_rate: 0.01", 20);
  EXPECT_LE(accuracy, 0.90);
  EXPECT_GE(accuracy, 0.60);
}

TEST(Glyphs, a_small_cnn_passes_ninety_seven_per_cent) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "minutes long under the sanitizers, which look for other things";
#endif
  EXPECT_GE(accuracy_of("cnn_small {}", "local_epochs: 2 learning_rate: 0.1", 10), 0.97);
}

}  // namespace
}  // namespace souk::accuracy_test
