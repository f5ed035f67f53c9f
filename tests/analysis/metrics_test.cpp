// What is said about metrics, and that it is said about all of them.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/metrics/metric.hpp"
#include "analysis/metrics/metric_info.hpp"

namespace souk::metrics_test {
namespace {

namespace fs = std::filesystem;

std::string document(const std::string& name) {
  std::ifstream file(fs::path(__FILE__).parent_path() / "../../docs" / name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// What stands between backquotes.
std::set<std::string> quoted_in(const std::string& text) {
  std::set<std::string> names;
  for (std::size_t at = text.find('`'); at != std::string::npos; at = text.find('`', at + 1)) {
    const std::size_t end = text.find('`', at + 1);
    if (end == std::string::npos) break;
    names.insert(text.substr(at + 1, end - at - 1));
    at = end;
  }
  return names;
}

TEST(MetricInfo, knows_which_way_is_better_and_groups_of_attackers) {
  EXPECT_EQ(metric_info("accuracy").better, Better::larger);
  EXPECT_EQ(metric_info("asr").better, Better::smaller);
  EXPECT_EQ(metric_info("asr.1").title, "attack success rate, group 1");
  EXPECT_EQ(metric_info("asr.1").better, Better::smaller);
  EXPECT_EQ(metric_info("rule.iterations").title, "rule.iterations");
  EXPECT_EQ(metric_info("rule.iterations").better, Better::neither);
  EXPECT_EQ(metric_info("buyer.rich.spent_total").title, "paid to sellers so far, buyer rich");
  EXPECT_EQ(metric_info("buyer.rich.spent_total").better, Better::smaller);
  EXPECT_EQ(metric_info("cost_of_convergence.80").meaning, "credits spent until the test accuracy was reached, 80 %");
  EXPECT_EQ(metric_info("loss.2").meaning, "");
}

TEST(MetricInfo, knows_attacks_on_edges_by_their_names) {
  EXPECT_EQ(metric_info("edges.inf_dir.auc").title, "area under the ROC curve of inferred edges, inf_dir");
  EXPECT_EQ(metric_info("edges.inf_dir.auc").better, Better::smaller);
  EXPECT_EQ(metric_info("edges.inf_dir.recall").unit, "share");
  EXPECT_EQ(metric_info("edges.inf_dir.reads").better, Better::neither);
  EXPECT_EQ(metric_info("edges.a.spent").title, "credits paid to the service, a");  // not what a market's buyer spent
  EXPECT_EQ(metric_info("edges.graph_mi.residual").meaning, "what graph_mi says of its work");
}

TEST(MetricInfo, explains_every_metric_of_the_documents) {
  std::istringstream text(document("metrics.md"));
  bool of_metrics = false;  // whether the rows are of a table of metrics
  int found = 0;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("| name |")) of_metrics = true;
    if (!line.starts_with("|")) of_metrics = false;
    if (!of_metrics || !line.starts_with("| `")) continue;
    for (const std::string& name : quoted_in(line.substr(0, line.find('|', 1)))) {
      EXPECT_NE(metric_info(name).meaning, "") << name;
      ++found;
    }
  }
  EXPECT_GT(found, 70);
}

/// As the documents write what is recorded under a name: edges.A.auc; and of models before and after,
/// unlearning.R.M.loss.
std::set<std::string> documented_forms(const Metric& metric) {
  const std::string name(metric.name), family = name.substr(0, name.find('.'));
  const std::string rest = name.substr(family.size() + 1), placeholder = family == "unlearning" ? ".R." : ".A.";
  std::set<std::string> forms{family + placeholder + rest};
  for (const std::string model : {"before.", "after.", "retrained."}) {
    if (rest.starts_with(model)) forms.insert(family + placeholder + "M." + rest.substr(model.size()));
  }
  return forms;
}

TEST(Metrics, are_documented_by_name) {
  const std::set<std::string> documented =
      quoted_in(document("metrics.md") + document("analysis.md") + document("results-schema.md"));
  for (const auto& [name, metric] : all_metrics()) {
    const bool found = std::ranges::any_of(documented, [&, own = metric](const std::string& quoted) {
      return quoted == own.name || (!own.variant.empty() && quoted.starts_with(std::string(own.name) + ".")) ||
             (own.of_attacks && quoted == "attack.G." + std::string(own.name)) ||
             (own.of_named && documented_forms(own).contains(quoted));
    });
    EXPECT_TRUE(found) << name;
  }
}

TEST(Metrics, say_what_they_are) {
  EXPECT_GT(all_metrics().size(), 80U);
  for (const auto& [name, metric] : all_metrics()) {
    EXPECT_NE(metric.title, "") << name;
    EXPECT_TRUE(!metric.of_each_class || !metric.variant.empty()) << name << " takes no suffix that names a class";
    EXPECT_TRUE(!metric.of_buyers || !metric.query.empty()) << name << " has no query";
  }
}

TEST(Metrics, stand_in_the_report_in_the_order_they_ask_for) {
  EXPECT_THAT(metrics_shown_in("robustness"),
              testing::ElementsAre("asr", "malicious_weight_share", "malicious_income_share"));
  EXPECT_THAT(metrics_shown_in("curves"),
              testing::ElementsAre("accuracy", "r2", "loss", "asr", "validation_accuracy", "validation_r2", "rmse",
                                   "mae", "train_loss", "tpr", "tnr", "privacy.epsilon", "privacy.sample_epsilon"));
  EXPECT_TRUE(metrics_shown_in("nowhere").empty());
}

}  // namespace
}  // namespace souk::metrics_test
