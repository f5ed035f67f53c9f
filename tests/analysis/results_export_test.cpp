#include <fstream>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/results/export.hpp"
#include "analysis/results/view_schema.hpp"
#include "sim/base/atomic_file.hpp"
#include "sim/base/error.hpp"
#include "tests/analysis/made_results.hpp"

namespace souk::results_export_test {
namespace {

namespace fs = std::filesystem;
using Places = std::vector<fs::path>;
using testing::HasSubstr;
using testing::Not;

template <class Act>
std::string refusal(Act act) {
  try {
    act();
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

/// Fields of an RFC 4180 text, by a reader of its own: quotes open and close, two within quotes are one.
std::vector<std::vector<std::string>> read_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' && quoted && i + 1 < text.size() && text[i + 1] == '"') {
      row.back() += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      row.emplace_back();
    } else if (c == '\n' && !quoted) {
      rows.push_back(row);
      row.assign(1, "");
    } else {
      row.back() += c;
    }
  }
  EXPECT_FALSE(quoted);
  EXPECT_EQ(row, std::vector<std::string>{""});
  return rows;
}

void write_odd_run(const fs::path& directory, const std::string& reason, const std::string& started = "1") {
  write_run(directory, {.attack = "zero",
                        .metrics = {{"accuracy", {0.1, 1.0 / 3.0}}},
                        .reason = reason,
                        .identity = std::string(64, 'a')});
  const auto sink = open_sqlite_sink(directory / "results.sqlite");
  sink->describe({{"started", started}, {"seconds_set_up", started}});
  RoundRecord record;
  record.round = {3};
  record.add("accuracy", std::nan(""));
  record.events.push_back({"note", -1, "two\nlines, \"quoted\""});
  record.phases.push_back({"train", started == "1" ? 1.0 : 2.0, 1.0});
  record.requests.push_back({"user", "one, \"two\"", "read", -1, 4, 1, 2, 3});
  record.pairs.push_back({"inf_mag", 7, 1, 1.0 / 3.0, true, false});
  record.pairs.push_back({"inf_mag", 7, 2, -std::numeric_limits<double>::infinity(), false, true});
  record.pairs.push_back({"inf_mag", 7, 3, std::nullopt, false, true});
  sink->commit(record);
}

TEST(Export, csv_files_read_back_as_the_database) {
  const fs::path folder = fresh_folder();
  write_odd_run(folder / "r", "a, \"b\"");
  const Places places{folder / "r"};
  export_csv(places, folder / "csv", {});
  const ResultsView view = ResultsView::load(places, ResultsView::Detail::everything);
  for (const ViewTable& table : view_tables()) {
    const auto rows = read_csv(read_text_file(folder / "csv" / (std::string(table.name) + ".csv")));
    ASSERT_FALSE(rows.empty());
    ASSERT_EQ(rows[0].size(), table.columns.size()) << table.name;
    Statement row(view.database(), "SELECT * FROM " + std::string(table.name));
    std::size_t at = 0;
    while (row.step()) {
      ASSERT_LT(++at, rows.size()) << table.name;
      for (int c = 0; c < row.columns(); ++c) {
        const auto column = static_cast<std::size_t>(c);
        EXPECT_EQ(rows[0][column], row.column_name(c));
        const std::string& field = rows[at][column];
        if (row.is_null(c)) {
          EXPECT_EQ(field, "");
        } else if (table.columns[column].type == "REAL") {
          EXPECT_EQ(std::stod(field), row.real(c)) << table.name;  // every bit of it
        } else {
          EXPECT_EQ(field, row.text(c)) << table.name;
        }
      }
    }
    EXPECT_EQ(at + 1, rows.size()) << table.name;
  }
}

TEST(Export, the_dictionary_explains_every_column_of_every_file) {
  const fs::path folder = fresh_folder();
  write_odd_run(folder / "r", "");
  export_csv(Places{folder / "r"}, folder / "csv/", {});
  const std::string text = read_text_file(folder / "csv/README.md");
  for (const auto& entry : fs::directory_iterator(folder / "csv")) {
    const std::string name = entry.path().filename();
    if (name == "README.md") continue;
    const std::size_t section = text.find("## " + name + "\n");
    ASSERT_NE(section, std::string::npos) << name;
    const std::string part = text.substr(section, text.find("\n## ", section + 3) - section);
    const auto rows = read_csv(read_text_file(entry.path()));
    for (const std::string& column : rows.at(0)) {
      EXPECT_THAT(part, HasSubstr("| `" + column + "` | "));
    }
  }
  EXPECT_THAT(text, HasSubstr("## metric.csv\n\nnumbers over rounds. Rows: 3. Key: run, name, agent, class, round."));
  EXPECT_THAT(text, HasSubstr("| `accuracy` | share | larger | test accuracy |\n"));
  EXPECT_THAT(
      text,
      HasSubstr("## pair.csv\n\npairs of nodes that attacks on edges were asked about. Rows: 3. Key: run, attack,"));
  EXPECT_THAT(text, HasSubstr("-1: the market's escrow, -2: the first buyer, -3, -4, …: its rivals in their order"));
}

TEST(Export, of_the_federation_alone_has_pairs_as_summaries) {
  const fs::path folder = fresh_folder();
  write_odd_run(folder / "r", "");
  export_csv(Places{folder / "r"}, folder / "csv", {.detail = ResultsView::Detail::federation});
  EXPECT_EQ(read_text_file(folder / "csv/pair.csv"), "run,round,attack,target,candidate,score,edge,same_class\n");
  EXPECT_EQ(read_csv(read_text_file(folder / "csv/request.csv")).size(), 2U);
  EXPECT_GT(read_csv(read_text_file(folder / "csv/pair_curve.csv")).size(), 1U);
  EXPECT_THAT(read_text_file(folder / "csv/README.md"),
              HasSubstr("left out of `metric`, `selection`, `process` and `pair`"));
}

TEST(Export, a_table_of_many_pieces_is_whole) {
  const fs::path folder = fresh_folder();
  write_run(folder / "r", {});
  {
    const auto sink = open_sqlite_sink(folder / "r/results.sqlite");
    RoundRecord record;
    record.round = {1};
    for (int i = 0; i < 3000; ++i) record.events.push_back({"note", i, std::string(1000, 'x')});
    sink->commit(record);
  }
  export_csv(Places{folder / "r"}, folder / "csv", {});
  const auto rows = read_csv(read_text_file(folder / "csv/event.csv"));
  ASSERT_EQ(rows.size(), 3001U);
  for (std::size_t i = 1; i < rows.size(); ++i) ASSERT_EQ(rows[i].at(4), std::to_string(i - 1));
}

TEST(Export, results_only_are_equal_files_for_equal_results) {
  const fs::path folder = fresh_folder();
  const ExportOptions options{.results_only = true};
  for (const char* name : {"one", "two"}) {
    write_odd_run(folder / name / "r", "", std::string(name) == "one" ? "1" : "2");
    export_sqlite(Places{folder / name / "r"}, folder / name / "merged.db", options);
    export_csv(Places{folder / name / "r"}, folder / name / "csv", options);
  }
  EXPECT_EQ(read_file(folder / "one/merged.db"), read_file(folder / "two/merged.db"));
  for (const auto& entry : fs::directory_iterator(folder / "one/csv")) {
    EXPECT_EQ(read_text_file(entry.path()), read_text_file(folder / "two/csv" / entry.path().filename()));
  }
  EXPECT_FALSE(fs::exists(folder / "one/csv/phase.csv"));
  EXPECT_THAT(read_text_file(folder / "one/csv/run.csv"), Not(HasSubstr("seconds")));

  export_sqlite(Places{folder / "one/r"}, folder / "one/all.db", {});
  export_sqlite(Places{folder / "two/r"}, folder / "two/all.db", {});
  EXPECT_NE(read_file(folder / "one/all.db"), read_file(folder / "two/all.db"));
}

TEST(Export, replaces_nothing_and_leaves_nothing_behind) {
  const fs::path folder = fresh_folder();
  write_odd_run(folder / "r", "");
  const Places places{folder / "r"};
  const auto before = read_file(folder / "r/results.sqlite");
  EXPECT_THAT(refusal([&] { export_sqlite(places, folder / "r/results.sqlite", {}); }), HasSubstr("exists already"));
  EXPECT_EQ(read_file(folder / "r/results.sqlite"), before);
  EXPECT_THAT(refusal([&] { export_csv(places, folder / "r", {}); }), HasSubstr("no empty folder"));

  fs::create_directories(folder / "bad");
  std::ofstream(folder / "bad/results.sqlite") << std::string(300, 'x');
  EXPECT_THAT(refusal([&] {
                export_sqlite(Places{folder / "r", folder / "bad"}, folder / "merged.db", {});
              }),
              HasSubstr("bad/results.sqlite: file is not a database"));
  for (const auto& entry : fs::directory_iterator(folder)) {
    EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr("merged.db")));
  }
  EXPECT_THROW(export_sqlite(places, folder / "none/merged.db", {}), std::runtime_error);
  EXPECT_THROW(export_csv(places, "/proc/souk", {}), std::exception);
}

}  // namespace
}  // namespace souk::results_export_test
