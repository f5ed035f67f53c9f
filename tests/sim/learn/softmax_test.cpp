#include "sim/learn/softmax.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace souk::softmax_test {
namespace {

TEST(SoftMax, agrees_with_the_definition) {
  std::vector<float> values{0.0F, std::log(3.0F)};
  softmax(values);
  EXPECT_FLOAT_EQ(values[0], 0.25F);
  EXPECT_FLOAT_EQ(values[1], 0.75F);
}

TEST(SoftMax, of_huge_logits_does_not_overflow) {
  std::vector<float> values{1e30F, 1e30F, -1e30F};
  softmax(values);
  EXPECT_EQ(values, (std::vector<float>{0.5F, 0.5F, 0.0F}));
}

}  // namespace
}  // namespace souk::softmax_test
