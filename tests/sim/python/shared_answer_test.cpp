// How a matrix that is spread over ranks comes to the one that runs a function, and an answer back to all.
#include "sim/python/shared_answer.hpp"

#include <gmock/gmock.h>

#include "sim/comm/thread_team.hpp"
#include "tests/support/matrices.hpp"

namespace souk::shared_answer_test {
namespace {

using testing::ElementsAre;

std::vector<float> values_of(const PythonArray& array) {
  std::vector<float> values;
  const auto* bytes = static_cast<const char*>(array.first);
  for (std::size_t i = 0; i < array.shape[0]; ++i) {
    const std::size_t row =
        array.strides.empty() ? i * array.shape[1] * sizeof(float) : i * static_cast<std::size_t>(array.strides[0]);
    const auto* first = reinterpret_cast<const float*>(bytes + row);
    values.insert(values.end(), first, first + array.shape[1]);
  }
  return values;
}

std::vector<float> flat(const Rows& rows) {
  std::vector<float> values;
  for (const auto& row : rows) values.insert(values.end(), row.begin(), row.end());
  return values;
}

TEST(GatheringPlaces, put_the_rows_together_on_rank_0_round_after_round) {
  for (const int ranks : {1, 2, 3, 7}) {
    run_team(ranks, [&](const Comm& comm) {
      GatheringPlace place;
      for (const std::size_t n : {2U, 5U, 3U}) {  // more, then fewer
        const Rows rows = random_rows(n, 5000 + n);
        const TestMatrix matrix(comm, rows);
        const PythonArray array = place.gather(comm, matrix.columns());
        EXPECT_THAT(array.shape, ElementsAre(n, 5000 + n));
        if (comm.rank() == 0) {
          EXPECT_EQ(values_of(array), flat(rows)) << ranks << " ranks";
        }
        comm.barrier();  // until the function has answered
      }
    });
  }
}

TEST(GatheringPlaces, copy_nothing_where_one_rank_has_rows_at_equal_distances) {
  const Rows rows = random_rows(4, 100);
  const TestMatrix matrix(Comm::self(), rows);
  GatheringPlace place;
  EXPECT_EQ(place.gather(Comm::self(), matrix.columns()).first, matrix.columns().row(0).data());
  const std::vector<std::size_t> mixed{3, 0, 1};
  const ColumnMatrix others = matrix.columns().select(Comm::self(), mixed);
  EXPECT_EQ(values_of(place.gather(Comm::self(), others)), flat({rows[3], rows[0], rows[1]}));
  const std::vector<std::size_t> every_other{1, 3};
  const ColumnMatrix half = matrix.columns().select(Comm::self(), every_other);
  const PythonArray view = place.gather(Comm::self(), half);
  EXPECT_EQ(view.first, matrix.columns().row(1).data());
  EXPECT_EQ(values_of(view), flat({rows[1], rows[3]}));
}

TEST(SharedAnswers, are_the_same_on_every_rank) {
  PythonCall call;
  call.wanted = {{"step", PythonNumber::float32, {{3}}}, {"weights", PythonNumber::float64, {{2}}}};
  run_team(3, [&](const Comm& comm) {
    PythonAnswer answer;
    if (comm.rank() == 0) {
      answer.vectors["step"] = {1, 2, 3};
      answer.diagnostics = {{"a", 0.5}, {"b\n", -1.0}};
    }
    share_answer(comm, call, answer);
    EXPECT_THAT(answer.vectors.at("step"), ElementsAre(1, 2, 3));
    EXPECT_FALSE(answer.numbers.contains("weights"));
    EXPECT_EQ(answer.diagnostics, (std::map<std::string, double>{{"a", 0.5}, {"b\n", -1.0}}));
    EXPECT_FALSE(answer.none);
  });
}

}  // namespace
}  // namespace souk::shared_answer_test
