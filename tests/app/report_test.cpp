#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/results_folder.hpp"

namespace souk::report_test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class ReportCommand : public ResultsFolder {
 protected:
  std::string text_of(const std::string& name) const {
    std::ifstream in(directory_ / name);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  bool has_libraries() const {
    return fs::exists(fs::path(std::getenv("SOUK_PROGRAM")).parent_path() / "report" / "vega.min.js");
  }
};

TEST_F(ReportCommand, writes_one_file_the_same_for_the_same_results) {
  run_sweep("grid");
  const Ended ended = run({"report", "grid", "-o", "one.html"});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("one.html"));
  ASSERT_EQ(run({"report", "grid", "--out", "two.html"}).exit_code, 0);
  const std::string page = text_of("one.html");
  EXPECT_THAT(page, testing::StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(page, HasSubstr("What held"));
  EXPECT_EQ(page, text_of("two.html"));
  EXPECT_EQ(ended.err.empty(), has_libraries()) << ended.err;
}

TEST_F(ReportCommand, of_filtered_runs_is_that_of_a_sweep_without_the_others) {
  run_sweep("grid");
  ASSERT_EQ(run({"report", "grid", "-o", "part.html", "--filter", "aggregator = median"}).exit_code, 0);
  const std::string page = text_of("part.html");
  EXPECT_NE(page.find("4 cells in 4 runs"), std::string::npos);
  EXPECT_NE(page.find(R"("levels":["median"])"), std::string::npos);
  EXPECT_EQ(page.find(R"(["mean","median"])"), std::string::npos);  // no choice of the rule that is gone
  EXPECT_EQ(run({"report", "grid", "-o", "part.html", "--filter", "seed > 5"}).exit_code, 2);
}

TEST_F(ReportCommand, takes_several_runs_and_folders_and_writes_report_html) {
  ASSERT_EQ(run({"run", "base.textproto", "--out", "all/a", "-q"}).exit_code, 0);
  ASSERT_EQ(run({"run", "base.textproto", "--seed", "2", "--out", "all/b", "-q"}).exit_code, 0);
  ASSERT_EQ(run({"report", "all"}).exit_code, 0);
  EXPECT_THAT(text_of("report.html"), HasSubstr("all/b"));
}

TEST_F(ReportCommand, wrong_arguments_are_one_sentence_and_leave_nothing) {
  EXPECT_EQ(run({"report"}).exit_code, 2);
  Ended ended = run({"report", "nowhere", "-o", "page.html"});
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.err, HasSubstr("nowhere"));
  EXPECT_FALSE(fs::exists(directory_ / "page.html"));
  EXPECT_EQ(run({"report", "--watch", "nowhere"}).exit_code, 2);
  EXPECT_EQ(run({"report", "a", "--watch", "b"}).exit_code, 2);
  EXPECT_EQ(run({"report", "--watch", "b", "-o", "page.html"}).exit_code, 2);
  EXPECT_EQ(run({"report", "a", "--port", "80"}).exit_code, 2);
  EXPECT_EQ(run({"report", "--watch", "b", "--port", "70000"}).exit_code, 2);
}

TEST_F(ReportCommand, figures_are_drawn_by_node_or_it_is_said_what_is_missing) {
  ASSERT_EQ(run({"run", "base.textproto", "--out", "a", "-q"}).exit_code, 0);
  const Ended without =
      RunningProgram({"env", "PATH=/nowhere", std::getenv("SOUK_PROGRAM"), "report", "a", "--figures", "none"},
                     directory_)
          .wait();
  EXPECT_EQ(without.exit_code, 2);
  EXPECT_THAT(without.err, HasSubstr(has_libraries() ? "Node.js" : "Vega"));
  EXPECT_FALSE(fs::exists(directory_ / "none"));
  if (!has_libraries() || std::system("command -v node >/dev/null") != 0) GTEST_SKIP() << "no Node or no libraries";

  const Ended ended = run({"report", "a", "--figures", "figures"});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  const bool has_printer =
      std::system(
          "for p in rsvg-convert chromium chromium-browser google-chrome; do command -v $p && exit 0; done "
          ">/dev/null; exit 1") == 0;
  if (has_printer) {
    EXPECT_EQ(ended.err, "");
    EXPECT_THAT(text_of("figures/curves-accuracy.pdf"), testing::StartsWith("%PDF-"));
  } else {
    EXPECT_THAT(ended.err, HasSubstr("no PDF: neither rsvg-convert (Debian package librsvg2-bin) nor Chromium"));
  }
  EXPECT_THAT(text_of("figures/index.csv"), testing::AllOf(testing::StartsWith("file,figure,metric,place\n"),
                                                           HasSubstr("\ncurves-accuracy,Over rounds,accuracy,\n")));
  EXPECT_THAT(text_of("figures/curves-accuracy.svg"), testing::AllOf(testing::StartsWith("<svg"), HasSubstr("<path")));
  EXPECT_THAT(text_of("figures/curves-accuracy.vl.json"), HasSubstr("vega-lite"));
  EXPECT_FALSE(fs::exists(directory_ / "report.html"));
  for (const auto& file : fs::directory_iterator(directory_ / "figures")) {
    EXPECT_THAT(file.path().string(), Not(testing::EndsWith(".tmp")));
  }
}

TEST_F(ReportCommand, watching_ends_with_the_signal_that_asked_for_it) {
  ASSERT_EQ(run({"run", "base.textproto", "--out", "a", "-q"}).exit_code, 0);
  for (const auto& [signal, exit_code] : {std::pair(SIGINT, 130), std::pair(SIGTERM, 143)}) {
    RunningProgram program({std::getenv("SOUK_PROGRAM"), "report", "--watch", "a", "--port", "0"}, directory_);
    while (text_of("stdout.txt").find("Ctrl-C") == std::string::npos) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    program.send(signal);
    const Ended ended = program.wait();
    EXPECT_EQ(ended.exit_code, exit_code) << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("http://127.0.0.1:"));
    fs::remove(directory_ / "stdout.txt");
  }
}

}  // namespace
}  // namespace souk::report_test
