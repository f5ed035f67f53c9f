#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/tables/result_table.hpp"
#include "analysis/tables/statistic.hpp"

namespace souk::table_render_test {
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

TEST(Render, latex_has_columns_of_the_same_runs_once_and_a_heading_above_those_that_share_a_value) {
  const ResultTable table{
      .title = {},
      .header = {"rule", "none / 0.1", "none / 0.2", "flip / 0.0316227766017", "flip / 0.25"},
      .rows = {{"krum", "0.9", "0.9", "0.5", "0.4"}, {"m 0.0316227766017", "0.8", "0.8", "0.5", "0.4"}},
      .notes = {},
      .repeated = {2},
      .column_values = {{}, {"none", "0.1"}, {"none", "0.2"}, {"flip", "0.0316227766017"}, {"flip", "0.25"}}};
  EXPECT_THAT(render(std::vector{table}, TableFormat::latex),
              testing::HasSubstr("{lrrr}\n  \\toprule\n"
                                 "  & none & \\multicolumn{2}{c}{flip} \\\\\n  \\cmidrule(lr){3-4}\n"
                                 "  rule &  & 0.03162 & 0.25 \\\\\n"
                                 "  \\midrule\n  krum & 0.9 & 0.5 & 0.4 \\\\\n"));
  EXPECT_THAT(render(std::vector{table}, TableFormat::text), testing::HasSubstr("flip / 0.0316227766017"));
}

TEST(Render, latex_has_a_line_of_headings_for_every_quantity_and_no_span_across_another) {
  const ResultTable table{.title = {},
                          .header = {"rule", "a / x / 1", "a / x / 2", "a / y / 1", "b / y / 1"},
                          .rows = {{"krum", "1", "2", "3", "4"}},
                          .notes = {},
                          .column_values = {{}, {"a", "x", "1"}, {"a", "x", "2"}, {"a", "y", "1"}, {"b", "y", "1"}}};
  EXPECT_THAT(render(std::vector{table}, TableFormat::latex),
              testing::HasSubstr("  & \\multicolumn{3}{c}{a} & b \\\\\n  \\cmidrule(lr){2-4}\n"
                                 "  & \\multicolumn{2}{c}{x} & y & y \\\\\n  \\cmidrule(lr){2-3}\n"
                                 "  rule & 1 & 2 & 1 & 1 \\\\\n"));
}

TEST(Render, latex_has_short_numbers_where_they_stay_different) {
  const ResultTable rows{.title = {}, .header = {"rate", "x"}, .rows = {{"0.0316227766017", "1"}}, .notes = {}};
  EXPECT_THAT(render(std::vector{rows}, TableFormat::latex), testing::HasSubstr("\n  0.03162 & 1"));
  // Numbers that would become one keep their digits.
  const ResultTable close{
      .title = {}, .header = {"rule", "0.0316227766017", "0.0316227766018"}, .rows = {}, .notes = {}};
  EXPECT_THAT(render(std::vector{close}, TableFormat::latex), testing::HasSubstr("0.0316227766018"));
}

TEST(Render, csv_has_the_tidy_rows_of_all_tables_under_one_header) {
  EXPECT_EQ(render(std::vector{small, small}, TableFormat::csv),
            "rule_1,a|b\nkrum,0.5\nmedian,\"\"\"x\"\", y\"\nkrum,0.5\nmedian,\"\"\"x\"\", y\"\n");
}

TEST(NumberText, percentages_have_the_digits_of_shares) {
  const MetricInfo share{.title = {}, .unit = "share", .better = Better::larger};
  EXPECT_EQ(NumberText(share, true)(0.81234), "81.23");
  EXPECT_EQ(NumberText(share, true)(0.81234, 0.0113), "81.23±1.13");
  EXPECT_EQ(NumberText(MetricInfo{.title = {}, .unit = "bytes", .better = Better::smaller}, true)(12.0), "12.00");
}

TEST(NumberText, has_the_digits_that_matter) {
  const NumberText share({.title = {}, .unit = "share", .better = Better::larger}, false);
  EXPECT_EQ(share(0.81234), "0.8123");
  EXPECT_EQ(share(0.5, 0.00004), "0.5000±0.0000");
  const NumberText plain(MetricInfo{}, true);
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
}  // namespace souk::table_render_test
