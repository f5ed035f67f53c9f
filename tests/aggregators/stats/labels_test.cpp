#include "aggregators/stats/labels.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace souk::labels_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Labels, AreNumberedByFirstMembers) {
  EXPECT_THAT(numbered_by_first_member(std::vector<std::size_t>{7, 2, noise, 7, 0, 2}),
              ElementsAre(0, 1, noise, 0, 2, 1));
}

TEST(Labels, SizesCountEveryCluster) {
  EXPECT_THAT(cluster_sizes(std::vector<std::size_t>{1, 3, 1, 0}), ElementsAre(1, 2, 0, 1));
  EXPECT_THAT(cluster_sizes({}), IsEmpty());
}

}  // namespace
}  // namespace souk::labels_test
