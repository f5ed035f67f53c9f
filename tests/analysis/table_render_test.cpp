#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/tables/result_table.hpp"
#include "analysis/tables/statistic.hpp"

namespace souk {
namespace {

const ResultTable small{.title = "accuracy",
                        .header = {"rule_1", "50%", "a|b"},
                        .rows = {{"krum", "0.5±0.1", "-"}, {"median", "diverged", "\"x\", y"}},
                        .notes = {"One & only."},
                        .tidy = {.header = {"rule_1", "a|b"}, .rows = {{"krum", "0.5"}, {"median", "\"x\", y"}}}};

TEST(Render, text_lines_up_by_characters_and_not_bytes) {
  EXPECT_EQ(render(std::vector{small}, TableFormat::text),
            "accuracy\n\n"
            "rule_1       50%     a|b\n"
            "------  --------  ------\n"
            "krum     0.5±0.1       -\n"
            "median  diverged  \"x\", y\n"
            "\nOne & only.\n");
}

TEST(Render, markdown_and_latex_escape_their_special_characters) {
  EXPECT_EQ(render(std::vector{small}, TableFormat::markdown),
            "**accuracy**\n\n"
            "| rule\\_1 | 50% | a\\|b |\n|---|---:|---:|\n"
            "| krum | 0.5±0.1 | - |\n| median | diverged | \"x\", y |\n"
            "\nOne & only.\n");
  EXPECT_EQ(render(std::vector{small}, TableFormat::latex),
            "% accuracy\n\\begin{tabular}{lrr}\n  \\toprule\n  rule\\_1 & 50\\% & a\\textbar{}b \\\\\n  \\midrule\n"
            "  krum & 0.5$\\pm$0.1 & - \\\\\n  median & diverged & \\texttt{\\char34}x\\texttt{\\char34}, y \\\\\n  "
            "\\bottomrule\n\\end{tabular}\n"
            "% One & only.\n");
  const ResultTable odd{.title = {}, .header = {"[\\^~#${}<>*—"}, .rows = {}, .notes = {}};
  EXPECT_THAT(
      render(std::vector{odd}, TableFormat::latex),
      testing::HasSubstr(
          "  {[}\\textbackslash{}\\textasciicircum{}\\textasciitilde{}\\#\\$\\{\\}\\textless{}\\textgreater{}{*}--- "
          "\\\\\n"));
}

TEST(Render, latex_has_columns_of_the_same_runs_once_and_short_numbers) {
  const ResultTable table{.title = {},
                          .header = {"rule", "none / 0.1", "none / 0.2", "flip / 0.0316227766017", "flip / 0.25"},
                          .rows = {{"krum", "0.9", "0.9", "0.5", "0.4"}},
                          .notes = {},
                          .repeated = {2}};
  EXPECT_THAT(render(std::vector{table}, TableFormat::latex),
              testing::HasSubstr("{lrrr}\n  \\toprule\n  rule & none & flip / 0.03162 & flip / 0.25 \\\\\n"
                                 "  \\midrule\n  krum & 0.9 & 0.5 & 0.4 \\\\\n"));
  EXPECT_THAT(render(std::vector{table}, TableFormat::text), testing::HasSubstr("flip / 0.0316227766017"));
  // Numbers that would become one keep their digits.
  const ResultTable close{
      .title = {}, .header = {"rule", "0.0316227766017", "0.0316227766018"}, .rows = {}, .notes = {}};
  EXPECT_THAT(render(std::vector{close}, TableFormat::latex), testing::HasSubstr("0.0316227766018"));
}

TEST(Render, csv_has_the_tidy_rows_of_all_tables_under_one_header) {
  EXPECT_EQ(render(std::vector{small, small}, TableFormat::csv),
            "rule_1,a|b\nkrum,0.5\nmedian,\"\"\"x\"\", y\"\nkrum,0.5\nmedian,\"\"\"x\"\", y\"\n");
}

TEST(NumberText, has_the_digits_that_matter) {
  const NumberText share({.title = {}, .unit = "share", .better = Better::larger});
  EXPECT_EQ(share(0.81234), "0.8123");
  EXPECT_EQ(share(0.5, 0.00004), "0.5000±0.0000");
  const NumberText plain(MetricInfo{});
  EXPECT_EQ(plain(0.0), "0");
  EXPECT_EQ(plain(123456.7), "123457");
  EXPECT_EQ(plain(12.3456, 0.5), "12.35±0.50");
  EXPECT_EQ(plain(-0.0123456), "-0.01235");
  EXPECT_EQ(plain(123456789.0), "1.235e+08");
  EXPECT_EQ(plain(0.00000123), "1.230e-06");
  EXPECT_EQ(full_number(1.0 / 3.0), "0.3333333333333333");
  EXPECT_EQ(full_number(std::nan("")), "");
}

}  // namespace
}  // namespace souk
