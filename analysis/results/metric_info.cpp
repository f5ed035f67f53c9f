#include "analysis/results/metric_info.hpp"

#include <algorithm>
#include <array>

namespace souk {
namespace {

struct Entry {
  std::string_view name, title, unit;
  Better better;
};

constexpr std::array entries{
    Entry{"accuracy", "test accuracy", "share", Better::larger},
    Entry{"loss", "test loss", "nats", Better::smaller},
    Entry{"class_accuracy", "test accuracy of a class", "share", Better::larger},
    Entry{"validation_accuracy", "validation accuracy", "share", Better::larger},
    Entry{"validation_loss", "validation loss", "nats", Better::smaller},
    Entry{"asr", "attack success rate", "share", Better::smaller},
    Entry{"asr_of_correct", "attack success rate on samples otherwise right", "share", Better::smaller},
    Entry{"tpr", "malicious updates rejected", "share", Better::larger},
    Entry{"tnr", "benign updates kept", "share", Better::larger},
    Entry{"updates", "updates used", "count", Better::neither},
    Entry{"malicious_updates", "malicious updates that arrived", "count", Better::neither},
    Entry{"train_loss", "training loss", "nats", Better::neither},
    Entry{"local_loss", "local training loss", "nats", Better::neither},
    Entry{"learning_rate", "learning rate", "", Better::neither},
    Entry{"step_norm", "length of the step", "", Better::neither},
    Entry{"update_norm", "length of an update", "", Better::neither},
    Entry{"cosine_to_aggregate", "cosine of an update and the step", "", Better::neither},
    Entry{"parameters", "parameters", "count", Better::neither},
    Entry{"distance_from_iid", "distance from an even deal", "share", Better::neither},
    Entry{"tolerated_f", "malicious updates the rule is told of", "count", Better::neither},
    Entry{"root_samples", "root data", "samples", Better::neither},
    Entry{"judging_flops_server", "work of judging, server", "flop", Better::smaller},
    Entry{"judging_flops_validators", "work of judging, validators", "flop", Better::smaller},
    Entry{"seconds", "time taken", "seconds", Better::smaller},
    Entry{"bytes", "traffic", "bytes", Better::smaller},
    Entry{"virtual_time", "time on the virtual clock", "seconds", Better::smaller},
    Entry{"rounds_done", "rounds done", "rounds", Better::neither},
    Entry{"malicious_weight_share", "share of the weight that attackers got", "share", Better::smaller},
    Entry{"malicious_income_share", "share of the income that attackers earned", "share", Better::smaller},
};

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

MetricInfo metric_info(std::string_view name) {
  const auto known = [&](std::string_view wanted) { return std::ranges::find(entries, wanted, &Entry::name); };
  if (const auto* found = known(name); found != entries.end()) {
    return {std::string(found->title), std::string(found->unit), found->better};
  }
  // "asr.1": the metric of one attacker group
  if (const std::size_t dot = name.rfind('.'); dot != std::string_view::npos && all_digits(name.substr(dot + 1))) {
    if (const auto* found = known(name.substr(0, dot)); found != entries.end()) {
      return {std::string(found->title) + ", group " + std::string(name.substr(dot + 1)), std::string(found->unit),
              found->better};
    }
  }
  return {.title = std::string(name), .unit = {}, .better = Better::neither};
}

}  // namespace souk
