// Which sections there are, and when they have something to show.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/metrics/metric.hpp"
#include "analysis/report/section.hpp"

namespace souk::report_sections_test {
namespace {

TEST(ReportSections, come_in_their_places) {
  std::vector<std::string_view> ids;
  for (const SectionKind& kind : section_kinds()) ids.push_back(kind.id);
  EXPECT_THAT(ids, testing::ElementsAre("robustness", "curves", "axes", "edges", "unlearning", "privacy",
                                        "reconstruction", "payment", "reward", "cost", "runs"));
}

ReportTable table_of_rules(const std::vector<std::string>& rules) {
  ReportTable table{.id = "rules", .title = "", .note = "", .columns = {{"rule"}}, .data = DataSet({"rule"})};
  for (const std::string& rule : rules) table.data.add({rule});
  return table;
}

TEST(ReportSections, have_data_where_there_is_a_figure_or_a_table_with_rows) {
  SectionContent content;
  EXPECT_FALSE(content.has_data());
  content.add(table_of_rules({}));
  EXPECT_FALSE(content.has_data());
  content.add(table_of_rules({"krum"}));
  EXPECT_TRUE(content.has_data());
  EXPECT_EQ(content.tables.size(), 1U);

  SectionContent drawn;
  drawn.add(std::vector{Figure{.id = "map", .title = "", .note = "", .spec = "{}", .data = DataSet({"rule"})}});
  EXPECT_TRUE(drawn.has_data());
}

TEST(ReportSections, that_metrics_ask_for_are_there) {
  std::set<std::string_view> parts(std::begin(parts_beside_sections), std::end(parts_beside_sections));
  for (const SectionKind& kind : section_kinds()) parts.insert(kind.id);
  for (const auto& [name, metric] : all_metrics()) {
    for (const ReportPlace& place : metric.shown) EXPECT_TRUE(parts.contains(place.part)) << name << " " << place.part;
  }
}

}  // namespace
}  // namespace souk::report_sections_test
