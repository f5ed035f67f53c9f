#include <algorithm>
#include <cmath>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/archive.hpp"
#include "sim/base/error.hpp"
#include "sim/comm/thread_team.hpp"
#include "sim/params/linear.hpp"
#include "sim/params/parameter_layout.hpp"
#include "tests/support/matrices.hpp"

namespace souk::params_test {
namespace {

using testing::ElementsAre;

constexpr std::size_t dimensions[] = {1, 15, 1024, 1025, 70001};  // one value, less than a line, whole and odd panels
constexpr int rank_counts[] = {1, 2, 3, 4, 5, 8, 13};

TEST(PanelPlan, covers_every_column_once_whatever_the_rank_count) {
  for (const std::size_t d : {std::size_t{0}, std::size_t{1}, std::size_t{1024}, std::size_t{65536}, std::size_t{65537},
                              std::size_t{1663370}}) {
    const PanelPlan plan(d);
    EXPECT_LE(plan.count(), 64U);
    for (const int ranks : {1, 3, 64, 100}) {
      std::size_t next = 0;
      for (int r = 0; r < ranks; ++r) {
        const ColumnRange columns = plan.columns_of(r, ranks);
        EXPECT_EQ(columns.begin, next);
        next = columns.end;
      }
      EXPECT_EQ(next, d);
    }
  }
}

TEST(UpdateMatrix, columns_hold_the_rows_in_agent_order) {
  for (const std::size_t d : dimensions) {
    const Rows rows = random_rows(7, d);
    for (const int ranks : rank_counts) {
      run_team(ranks, [&](const Comm& comm) {
        const TestMatrix matrix(comm, rows);
        const ColumnRange mine = matrix.columns().local_columns();
        for (std::size_t i = 0; i < rows.size(); ++i) {
          const auto row = matrix.columns().row(i);
          ASSERT_TRUE(std::equal(row.begin(), row.end(), rows[i].begin() + static_cast<std::ptrdiff_t>(mine.begin)));
        }
      });
    }
  }
}

TEST(UpdateMatrix, a_range_of_columns_can_be_turned_alone) {
  run_team(3, [](const Comm& comm) {
    RowMatrix rows;
    const std::vector<AgentId> agents{{4}, {9}};
    const std::vector<int> owners{2, 0};
    rows.reset(comm, agents, owners, 10);
    for (std::size_t i = 0; i < 2; ++i) {
      if (!rows.is_local(i)) continue;
      for (std::size_t c = 0; c < 10; ++c) rows.row(i)[c] = static_cast<float>(10 * i + c);
    }
    ColumnMatrix tail;
    to_columns(comm, rows, {7, 10}, tail);

    EXPECT_THAT(whole(comm, tail, combine(tail, std::vector<double>{0.0, 1.0})), ElementsAre(17, 18, 19));
  });
}

TEST(UpdateMatrix, select_and_replaced_are_views) {
  run_team(2, [](const Comm& comm) {
    const TestMatrix matrix(comm, {{1, 2}, {3, 4}, {5, 6}});
    ColumnMatrixBuilder builder(comm, 1, 2);
    for (float& value : builder.row(0)) value = -1;
    const ColumnMatrix crafted = std::move(builder).finish();
    const std::vector<std::size_t> kept{0, 2};
    const std::vector<std::size_t> target{2};
    const ColumnMatrix view = matrix.columns().replaced(comm, target, crafted);
    const ColumnMatrix selected = view.select(comm, kept);

    EXPECT_THAT(whole(comm, view, combine(view, std::vector<double>{1, 1, 1})), ElementsAre(3, 5));
    EXPECT_THAT(whole(comm, selected, combine(selected, std::vector<double>{1, 1})), ElementsAre(0, 1));
  });
}

TEST(UpdateMatrix, copies_outlive_what_they_are_of) {
  for (const int ranks : {1, 2}) {
    run_team(ranks, [](const Comm& comm) {
      ColumnMatrix rows;
      ColumnVector last;
      {
        const TestMatrix matrix(comm, {{1, 2}, {-0.0F, 4}, {5, 6}});
        rows = copy_of(comm, matrix.columns());
        last = copy_of_row(matrix.columns(), 2);
      }
      EXPECT_EQ(rows.rows(), 3U);
      EXPECT_THAT(whole(comm, rows, copy_of_row(rows, 0)), ElementsAre(1, 2));
      EXPECT_TRUE(std::signbit(whole(comm, rows, copy_of_row(rows, 1)).front())) << "bit for bit";
      EXPECT_THAT(whole(comm, rows, last), ElementsAre(5, 6));
    });
  }
}

TEST(UpdateMatrix, a_zero_step_has_the_model_s_dimension) {
  run_team(2, [](const Comm& comm) {
    const ColumnMatrix none = zero_step(comm, 3);
    EXPECT_EQ(none.rows(), 1U);
    EXPECT_THAT(whole(comm, none, copy_of_row(none, 0)), ElementsAre(0, 0, 0));
  });
}

/// What the kernels compute, ten obvious lines each.
struct Reference {
  std::vector<double> gram, dots;
  std::vector<float> combined;
  explicit Reference(const Rows& rows, const std::vector<double>& weights) {
    const std::size_t d = rows.front().size();
    for (std::size_t c = 0; c < d; ++c) {
      double sum = 0;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        sum += weights[i] * static_cast<double>(rows[i][c]);
      }
      combined.push_back(static_cast<float>(sum));
    }
    const auto dot = [&](const auto& a, const auto& b) {
      double sum = 0;
      for (std::size_t c = 0; c < d; ++c) sum += static_cast<double>(a[c]) * static_cast<double>(b[c]);
      return sum;
    };
    for (const auto& row : rows) {
      dots.push_back(dot(row, combined));
      for (const auto& other : rows) gram.push_back(dot(row, other));
    }
  }
};

TEST(SymmetricMatrix, has_one_entry_for_both_orders_of_its_indices) {
  SymmetricMatrix matrix = SymmetricMatrix::zeros(3);
  matrix(0, 2) = 5.0;
  matrix(1, 1) += 2.0;
  EXPECT_EQ(std::as_const(matrix)(2, 0), 5.0);
  EXPECT_THAT(matrix.row(1), ElementsAre(0.0, 2.0));
  EXPECT_THAT(matrix.lower, ElementsAre(0.0, 0.0, 2.0, 5.0, 0.0, 0.0));
}

TEST(Linear, agrees_with_the_definition_and_with_itself_on_any_rank_count) {
  for (const std::size_t n : {std::size_t{1}, std::size_t{2}, std::size_t{9}}) {
    for (const std::size_t d : dimensions) {
      const Rows rows = random_rows(n, d);
      std::vector<double> weights(n);
      for (std::size_t i = 0; i < n; ++i) weights[i] = 0.1 * static_cast<double>(i + 1);
      const Reference expected(rows, weights);
      std::vector<double> bits;
      for (const int ranks : rank_counts) {
        run_team(ranks, [&](const Comm& comm) {
          const TestMatrix matrix(comm, rows);
          const ColumnVector combined = combine(matrix.columns(), weights);
          const SymmetricMatrix products = gram(comm, matrix.columns());
          const std::vector<double> against = dots(comm, matrix.columns(), combined);
          const std::vector<double> squares = squared_norms(comm, matrix.columns());
          const double own_square = squared_norm(comm, matrix.columns().plan(), combined);
          const std::vector<float> values = whole(comm, matrix.columns(), combined);
          if (comm.rank() != 0) return;
          const double scale = static_cast<double>(d);
          EXPECT_EQ(values, expected.combined);
          for (std::size_t i = 0; i < n; ++i) {
            EXPECT_NEAR(against[i], expected.dots[i], 1e-12 * scale);
            EXPECT_NEAR(squares[i], expected.gram[i * n + i], 1e-12 * scale);
            for (std::size_t j = 0; j < n; ++j) {
              // Float products over 1,024 columns: error below 1024 * 2^-24 of the sum of magnitudes, about 1e-6 here.
              EXPECT_NEAR(products(i, j), expected.gram[i * n + j], 1e-5 * scale);
            }
          }
          std::vector<double> all = products.lower;
          all.insert(all.end(), against.begin(), against.end());
          all.insert(all.end(), squares.begin(), squares.end());
          all.push_back(own_square);
          if (bits.empty()) bits = all;
          EXPECT_EQ(all, bits) << ranks << " ranks";
        });
      }
    }
  }
}

TEST(Linear, cosines_are_0_where_there_is_no_direction) {
  const Rows rows{{3.0F, 4.0F}, {0.0F, 0.0F}, {0.0F, -2.0F}};
  const Comm& comm = Comm::self();
  const TestMatrix matrix(comm, rows);
  const ColumnMatrix& updates = matrix.columns();
  const std::vector<double> lengths{5.0, 0.0, 2.0};
  EXPECT_THAT(cosines_with(comm, updates, lengths, ColumnVector(comm, std::vector<float>{0.0F, 2.0F})),
              ElementsAre(0.8, 0.0, -1.0));
  EXPECT_THAT(cosines_with(comm, updates, lengths, ColumnVector(comm, std::vector<float>{0.0F, 0.0F})),
              ElementsAre(0.0, 0.0, 0.0));
}

TEST(Linear, dots_and_norms_in_one_pass_are_those_of_two) {
  run_team(3, [](const Comm& comm) {
    const TestMatrix matrix(comm, random_rows(11, 5001));
    const std::vector<float> values = random_rows(1, 5001).front();
    const ColumnVector vector(comm, values);
    const DotsAndNorms both = dots_and_norms(comm, matrix.columns(), vector);
    EXPECT_EQ(both.dots, dots(comm, matrix.columns(), vector));
    EXPECT_EQ(both.squared_norms, squared_norms(comm, matrix.columns()));
  });
}

TEST(Columns, saved_by_two_ranks_are_loaded_by_three) {
  const Rows rows = random_rows(2, 5000);
  std::vector<std::byte> saved;
  run_team(2, [&](const Comm& comm) {
    const TestMatrix matrix(comm, rows);
    ColumnVector vector = combine(matrix.columns(), std::vector<double>{1.0, 0.0});
    SaveArchive archive;
    serialize_columns(archive, "v", comm, rows[0].size(), vector);
    if (comm.rank() == 0) saved = archive.bytes();
  });
  run_team(3, [&](const Comm& comm) {
    const TestMatrix matrix(comm, rows);
    ColumnVector vector;
    LoadArchive archive(saved);
    serialize_columns(archive, "v", comm, rows[0].size(), vector);
    EXPECT_EQ(whole(comm, matrix.columns(), vector), rows[0]);
  });
}

TEST(Columns, of_more_than_one_piece_are_saved_as_one_vector) {
  const Rows rows = random_rows(1, (std::size_t{5} << 19U) + 3);  // two pieces and a half
  for (const int ranks : {1, 3}) {
    std::vector<std::byte> saved;
    run_team(ranks, [&](const Comm& comm) {
      const TestMatrix matrix(comm, rows);
      ColumnVector vector = combine(matrix.columns(), std::vector<double>{1.0});
      SaveArchive archive;
      serialize_columns(archive, "v", comm, rows[0].size(), vector);
      if (comm.rank() == 0) saved = archive.bytes();
    });
    std::vector<float> as_vector;
    LoadArchive plain(saved);
    plain.field("v", as_vector);
    plain.expect_end();
    EXPECT_EQ(as_vector, rows[0]);
    run_team(2, [&](const Comm& comm) {
      const TestMatrix matrix(comm, rows);
      ColumnVector vector;
      LoadArchive archive(saved);
      serialize_columns(archive, "v", comm, rows[0].size(), vector);
      EXPECT_EQ(whole(comm, matrix.columns(), vector), rows[0]);
    });
  }
}

TEST(Columns, a_rank_keeps_its_own_part_without_a_word_to_the_others) {
  const Rows rows = random_rows(1, 5000);
  run_team(3, [&](const Comm& comm) {
    const TestMatrix matrix(comm, rows);
    ColumnVector vector = combine(matrix.columns(), std::vector<double>{1.0});
    if (comm.rank() == 1) {  // alone: a collective would wait for ever
      SaveArchive save(Portion::own);
      serialize_columns(save, "v", comm, rows[0].size(), vector);
      EXPECT_LT(save.bytes().size(), vector.values().size() * sizeof(float) + 100);
      ColumnVector again;
      LoadArchive load(save.bytes(), Portion::own);
      serialize_columns(load, "v", comm, rows[0].size(), again);
      EXPECT_TRUE(std::ranges::equal(again.values(), vector.values()));
    }
  });
}

TEST(ParameterLayout, is_a_text_of_names_and_shapes_and_back) {
  const ParameterLayout layout({{"norm.mean", {3}, false}, {"0.weight", {2, 4}}, {"0.bias", {2}}});
  const std::string text = text_of(layout.slots());
  EXPECT_EQ(text, "0.weight 2 4\n0.bias 2\nnorm.mean 3\n");
  const std::vector<Slot> slots = slots_of(text);
  ASSERT_EQ(slots.size(), 3U);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    EXPECT_EQ(slots[i].shape, layout.slots()[i].shape);
    EXPECT_EQ(slots[i].offset, layout.slots()[i].offset);
    EXPECT_EQ(slots[i].size, layout.slots()[i].size);
  }
  EXPECT_TRUE(slots_of("").empty());
  EXPECT_THROW(slots_of("0.weight 2 x\n"), InputError);
  EXPECT_THROW(slots_of("0.weight 0\n"), InputError);
}

}  // namespace
}  // namespace souk::params_test
