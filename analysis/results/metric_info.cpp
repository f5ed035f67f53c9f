#include "analysis/results/metric_info.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace souk {
namespace {

struct Entry {
  std::string_view name, title, unit;
  Better better;
  std::string_view variant = {};  ///< what a suffix adds to the title: "asr.1" is "…, group 1"; empty: takes none
};

constexpr std::array entries{
    // Of the federation and its agents.
    Entry{"accuracy", "test accuracy", "share", Better::larger},
    Entry{"loss", "test loss", "", Better::smaller},
    Entry{"r2", "test R²", "share", Better::larger},
    Entry{"rmse", "root of the mean squared test error", "units of the data", Better::smaller},
    Entry{"mae", "mean absolute test error", "units of the data", Better::smaller},
    Entry{"class_accuracy", "test accuracy of a class", "share", Better::larger, ", {}"},
    Entry{"validation_accuracy", "validation accuracy", "share", Better::larger},
    Entry{"validation_r2", "validation R²", "share", Better::larger},
    Entry{"validation_loss", "validation loss", "", Better::smaller},
    Entry{"root_accuracy", "accuracy on the buyer's root data", "share", Better::larger},
    Entry{"root_r2", "R² on the buyer's root data", "share", Better::larger},
    Entry{"asr", "attack success rate", "share", Better::smaller, ", group {}"},
    Entry{"asr_of_correct", "attack success rate on samples otherwise right", "share", Better::smaller, ", group {}"},
    Entry{"tpr", "malicious updates rejected", "share", Better::larger},
    Entry{"tnr", "benign updates kept", "share", Better::larger},
    Entry{"updates", "updates used", "count", Better::neither},
    Entry{"malicious_updates", "malicious updates that arrived", "count", Better::neither},
    Entry{"train_loss", "training loss", "", Better::neither},
    Entry{"local_loss", "local training loss", "", Better::neither},
    Entry{"learning_rate", "learning rate", "", Better::neither},
    Entry{"step_norm", "length of the step", "", Better::neither},
    Entry{"update_norm", "length of an update", "", Better::neither},
    Entry{"cosine_to_aggregate", "cosine of an update and the step", "", Better::neither},
    Entry{"weight", "weight of an update in the step", "share", Better::neither},
    Entry{"parameters", "parameters", "count", Better::neither},
    Entry{"distance_from_iid", "distance from an even deal", "share", Better::neither},
    Entry{"tolerated_f", "malicious updates the rule is told of", "count", Better::neither},
    Entry{"root_samples", "root data", "samples", Better::neither},
    Entry{"judging_flops_server", "work of judging, server", "flop", Better::smaller},
    Entry{"judging_flops_validators", "work of judging, validators", "flop", Better::smaller},
    // Of markets: money.
    Entry{"bought", "updates bought", "count", Better::neither},
    Entry{"spent", "cost of the round", "credits", Better::smaller},
    Entry{"spent_on_benign", "paid to benign sellers in the round", "credits", Better::neither},
    Entry{"spent_on_malicious", "paid to malicious sellers in the round", "credits", Better::smaller},
    Entry{"spent_total", "paid to sellers so far", "credits", Better::smaller},
    Entry{"benign_income", "income of benign sellers so far", "credits", Better::larger},
    Entry{"malicious_income", "income of malicious sellers so far", "credits", Better::smaller},
    Entry{"budget_leakage", "paid to malicious sellers so far", "credits", Better::smaller},
    Entry{"benign_surplus", "income of benign sellers less their costs", "credits", Better::larger},
    Entry{"benign_malicious_ratio", "mean income of benign over that of malicious sellers", "", Better::larger},
    Entry{"price_variance", "variance of the mean price of an update over rounds", "credits²", Better::neither},
    Entry{"income_variance", "variance of a seller's income over rounds, mean", "credits²", Better::neither},
    Entry{"cost_of_convergence", "credits spent until the test accuracy was reached", "credits", Better::smaller,
          ", {} %"},
    Entry{"credits_per_point", "credits per percentage point of accuracy gained", "credits", Better::smaller},
    Entry{"payment_gini", "Gini's index of the income of benign sellers", "share", Better::neither},
    Entry{"payment_gini_of_sellers", "Gini's index of the income of benign sellers that have sold", "share",
          Better::neither},
    Entry{"payment_jain", "Jain's index of the income of benign sellers", "share", Better::neither},
    Entry{"income_size_correlation", "rank correlation of income and samples held", "", Better::neither},
    Entry{"income_of_class", "what the data of a class earned", "credits", Better::neither, ", {}"},
    Entry{"individual_rationality", "sellers that earned their costs", "share", Better::larger},
    Entry{"contribution_reward_correlation", "correlation of value and payment in the round", "", Better::larger},
    Entry{"contribution_reward_rank_correlation", "rank correlation of value and payment in the round", "",
          Better::larger},
    Entry{"contribution_income_correlation", "correlation of value and income so far", "", Better::larger},
    Entry{"contribution_income_rank_correlation", "rank correlation of value and income so far", "", Better::larger},
    // Of markets: selection.
    Entry{"malicious_selection_rate", "sales that malicious sellers made", "share", Better::smaller},
    Entry{"selection_entropy", "entropy of the sales over sellers", "nats", Better::neither},
    Entry{"benign_selection_rate", "benign updates that were bought", "share", Better::larger},
    Entry{"selection_stability", "overlap of the sellers of neighbouring rounds", "share", Better::neither},
    Entry{"divergence_selection_correlation", "correlation of an update's distance from the buyer's own and its sale",
          "", Better::neither},
    Entry{"longest_sales_streak", "longest streak of sales of a seller, mean", "rounds", Better::neither},
    Entry{"mean_sales_streak", "mean streak of sales of a seller, mean", "rounds", Better::neither},
    Entry{"rounds_to_first_sale", "round of a seller's first sale, mean", "rounds", Better::neither},
    Entry{"never_sold", "sellers that have not sold", "share", Better::neither},
    // Of markets: valuation, audit and sellers.
    Entry{"value", "value of an update by the market's valuation", "", Better::neither},
    Entry{"value_error", "standard error of the value of an update", "", Better::neither},
    Entry{"valuation_evaluations", "models evaluated for the valuation", "count", Better::smaller},
    Entry{"valuation_flops", "work of the valuation", "flop", Better::smaller},
    Entry{"denied", "updates used that a cheating buyer calls rejected", "count", Better::smaller},
    Entry{"audited", "whether the round was audited (1)", "count", Better::neither},
    Entry{"audit_findings", "updates found used and unpaid", "count", Better::neither},
    Entry{"standalone_accuracy", "test accuracy with an update alone", "share", Better::neither},
    Entry{"standalone_r2", "test R² with an update alone", "share", Better::neither},
    Entry{"leave_one_out", "test accuracy that an update adds to the others", "share", Better::neither},
    Entry{"reward_correlation", "correlation of payment and contribution", "", Better::larger, ", {}"},
    Entry{"reward_rank_correlation", "rank correlation of payment and contribution", "", Better::larger, ", {}"},
    Entry{"reward_accuracy", "accuracy of the model that a seller was paid with", "share", Better::neither},
    Entry{"reward_r2", "R² of the model that a seller was paid with", "share", Better::neither},
    Entry{"sellers_present", "sellers that take part where asked", "count", Better::neither},
    Entry{"churn", "sellers that came or left in the round", "share", Better::neither},
    Entry{"mean_ask", "mean of what sellers asked for their updates", "credits", Better::neither},
    Entry{"reputation", "reputation of a seller", "share", Better::neither},
    Entry{"identity_cost", "credits that attackers spent on new identities", "credits", Better::neither},
    // Of whole runs.
    Entry{"seconds", "time taken", "seconds", Better::smaller},
    Entry{"bytes", "traffic", "bytes", Better::smaller},
    Entry{"virtual_time", "time on the virtual clock", "seconds", Better::smaller},
    Entry{"rounds_done", "rounds done", "rounds", Better::neither},
    Entry{"malicious_weight_share", "share of the weight that attackers got", "share", Better::smaller},
    Entry{"malicious_income_share", "share of the income that attackers earned", "share", Better::smaller},
};

const Entry* find_entry(std::string_view name) {
  const auto* found = std::ranges::find(entries, name, &Entry::name);
  return found == entries.end() ? nullptr : found;
}

MetricInfo info_of(const Entry& entry, const std::string& addition) {
  std::string title = std::string(entry.title) + addition;
  return {title, std::string(entry.unit), entry.better, title};
}

/// The name behind "PREFIX.WORD.", and WORD; nothing where it begins otherwise.
std::optional<std::pair<std::string_view, std::string_view>> behind(std::string_view prefix, std::string_view name) {
  if (!name.starts_with(prefix)) return std::nullopt;
  const std::size_t dot = name.find('.', prefix.size());
  if (dot == std::string_view::npos) return std::nullopt;
  return std::pair{name.substr(dot + 1), name.substr(prefix.size(), dot - prefix.size())};
}

}  // namespace

MetricInfo metric_info(std::string_view name) {
  if (const Entry* entry = find_entry(name)) return info_of(*entry, "");
  const std::string unknown(name);
  if (name.starts_with("rule.")) return {unknown, "", Better::neither, "diagnostic of the aggregation rule"};
  if (const auto rest = behind("attack.", name)) {
    if (rest->first == "identity_cost")
      return info_of(*find_entry("identity_cost"), fmt::format(", group {}", rest->second));
    return {unknown, "", Better::neither, fmt::format("what attacker group {} says of its work", rest->second)};
  }
  if (const auto rest = behind("buyer.", name)) {
    MetricInfo info = metric_info(rest->first);
    for (std::string* text : {&info.title, &info.meaning}) {
      if (!text->empty()) *text += fmt::format(", buyer {}", rest->second);
    }
    return info;
  }
  const std::size_t dot = name.find('.');
  const Entry* entry = find_entry(name.substr(0, dot));
  if (dot == std::string_view::npos || entry == nullptr || entry->variant.empty())
    return {unknown, "", Better::neither};
  return info_of(*entry, fmt::format(fmt::runtime(entry->variant), name.substr(dot + 1)));
}

}  // namespace souk
