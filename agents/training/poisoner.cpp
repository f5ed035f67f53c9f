#include "agents/training/poisoner.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/softmax.hpp"
#include "sim/learn/tasks/row_task.hpp"

namespace souk {
namespace {

constexpr std::size_t chunk = 250;  // samples looked at together

/// The range of the numbers to predict.
void look_at_numbers(const Dataset& train, DataFacts& facts) {
  const auto [least, largest] = std::ranges::minmax(train.numbers());
  const Scaling& scaling = train.scaling();
  facts.least_number = (least - scaling.number_shift) * scaling.number_scale;
  facts.largest_number = (largest - scaling.number_shift) * scaling.number_scale;
}

DataFacts data_facts_of(const Dataset& train) {
  const std::size_t channels = train.shape().sample_shape[0];
  DataFacts facts{.classes = train.classes(),
                  .shape = train.shape().sample_shape,
                  .vocabulary = train.shape().vocabulary,
                  .shift = train.scaling().shift,
                  .scale = train.scaling().scale,
                  .low = std::vector<float>(channels),
                  .high = std::vector<float>(channels),
                  .columns = train.shape().columns};
  if (train.shape().numbers) look_at_numbers(train, facts);
  const std::size_t pixels = train.features() / channels;
  if (train.shape().element == Element::u8) {
    for (std::size_t c = 0; c < channels; ++c) {
      facts.low[c] = (0.0F - facts.shift[c]) * facts.scale[c];
      facts.high[c] = (255.0F - facts.shift[c]) * facts.scale[c];
    }
    return facts;
  }
  std::vector<float> features(train.features());
  for (SampleIndex sample = 0; sample < train.size(); ++sample) {
    train.copy_features(std::span(&sample, 1), features);
    for (std::size_t v = 0; v < features.size(); ++v) {
      const std::size_t c = v / pixels;
      const bool first = sample == 0 && v % pixels == 0;
      facts.low[c] = first ? features[v] : std::min(facts.low[c], features[v]);
      facts.high[c] = first ? features[v] : std::max(facts.high[c], features[v]);
    }
  }
  return facts;
}

/// Throws InputError for settings that cannot be. An attack knows the names of its fields, but not its group.
std::unique_ptr<DataAttack> make_checked(const scenario::Attack& config, const DataFacts& facts, int group) {
  try {
    auto attack = make_data_attack(config);
    const bool classes = facts.classes > 0;
    SOUK_REQUIRE(attack->of_classes() == classes, "{}: is an attack on {}, and the data set has {}",
                 plugin_name(chosen(config, "data")->GetDescriptor()), classes ? "numbers to predict" : "classes",
                 classes ? "classes" : "numbers to predict");
    attack->check(facts);
    return attack;
  } catch (const InputError& error) {
    throw_input_error("attacks[{}].{}", group, error.what());
  }
}

}  // namespace

/// The network with certain parameters.
class Poisoner::Model final : public Predictor {
 public:
  /// Null: there is none that answers about rows, and nobody asks.
  explicit Model(Network* network) : network_(network) {}
  std::vector<float> parameters;
  std::vector<float> probabilities(std::span<const float> features) override {
    SOUK_EXPECT(network_ != nullptr);
    const std::size_t classes = network_->shape().outputs();
    const std::size_t samples = features.size() / network_->shape().inputs();
    std::vector<float> answers(samples * classes);
    network_->outputs(parameters, {.features = features, .samples = samples}, answers);
    for (std::size_t first = 0; first < answers.size(); first += classes) {
      softmax(std::span(answers).subspan(first, classes));
    }
    return answers;
  }

 private:
  Network* network_;
};

struct Poisoner::Group {
  std::unique_ptr<DataAttack> attack;
  double share = 1.0;
  std::int64_t per_batch = -1;  ///< -1: a share of the data set
  std::vector<AgentId> members;
  std::unique_ptr<Model> before;                                    ///< without parameters until the group first acts
  std::map<std::uint32_t, std::shared_ptr<const Chosen>> chosen{};  ///< of this rank's members, by share
};

Poisoner::Poisoner(const scenario::Scenario& scenario, const Population& population, Task& task)
    : seed_(scenario.seed()),
      batch_size_(scenario.task().training().batch_size()),
      population_(population),
      task_(task) {
  for (int g = 0; g < scenario.attacks_size(); ++g) {
    const scenario::Attack& config = scenario.attacks(g);
    groups_.push_back(nullptr);
    const bool poisons = config.data_case() != scenario::Attack::DATA_NOT_SET;
    SOUK_REQUIRE(poisons || config.poisoning_case() == scenario::Attack::POISONING_NOT_SET,
                 "attacks[{}].{}: the group has no data attack", g,
                 config.has_poison_share() ? "poison_share" : "poison_per_batch");
    if (!poisons) continue;
    if (!facts_) {
      facts_ = look_at_data();
      now_ = make_model();
    }
    auto attack = make_checked(config, *facts_, g);
    SOUK_REQUIRE(task.rows() != nullptr || attack->of_classes_alone(),
                 "attacks[{}].{}: edits rows of features, and the samples of the data set are nodes of a graph", g,
                 plugin_name(chosen(config, "data")->GetDescriptor()));
    for (const std::string& remark : attack->remarks(*facts_))
      remarks_.push_back(fmt::format("attacks[{}].{}", g, remark));
    auto group = std::make_unique<Group>();
    group->share = config.has_poison_share() ? config.poison_share() : attack->usual_share();
    if (config.has_poison_per_batch()) group->per_batch = config.poison_per_batch();
    group->attack = std::move(attack);
    group->members = population.members_of(g);
    group->before = make_model();
    groups_.back() = std::move(group);
  }
}

Poisoner::~Poisoner() = default;

DataFacts Poisoner::look_at_data() const {
  if (task_.rows() != nullptr) return data_facts_of(task_.rows()->data(Split::train));
  DataFacts facts;
  facts.classes = task_.classes();
  return facts;
}

std::unique_ptr<Poisoner::Model> Poisoner::make_model() const {
  return std::make_unique<Model>(task_.rows() != nullptr ? &task_.rows()->network() : nullptr);
}

void Poisoner::begin_round(std::span<const float> global, std::span<const int> first) {
  if (!facts_) return;
  now_->parameters.assign(global.begin(), global.end());
  for (const int g : first) {
    Group* group = groups_[static_cast<std::size_t>(g)].get();
    if (group != nullptr) group->before->parameters = now_->parameters;
  }
}

/// How many of the eligible samples are poisoned: a share, or as many as the mini-batches of a pass have.
std::size_t Poisoner::chosen_of(const Group& group, std::size_t eligible, std::size_t mine) const {
  if (group.per_batch < 0) return static_cast<std::size_t>(std::llround(group.share * static_cast<double>(eligible)));
  const std::size_t batches = batch_size_ == 0 ? 1 : (mine + batch_size_ - 1) / batch_size_;
  return std::min(eligible, static_cast<std::size_t>(group.per_batch) * batches);
}

/// An exact number of the eligible samples, ascending: the same in every round, whichever rank the client is on.
Poisoner::Chosen Poisoner::choose(const Group& group, AgentId client, std::span<const SampleIndex> mine) const {
  std::vector<SampleIndex> eligible;
  std::vector<float> features;
  std::vector<std::int32_t> labels;
  RowTask* const rows = task_.rows();
  for (std::size_t first = 0; first < mine.size(); first += chunk) {
    const auto which = mine.subspan(first, std::min(chunk, mine.size() - first));
    if (rows != nullptr) {
      features.resize(which.size() * rows->data(Split::train).features());
      rows->data(Split::train).copy_features(which, features);
    }
    labels.clear();
    if (facts_->classes > 0) {
      for (const SampleIndex sample : which) labels.push_back(task_.labels()[sample]);
    }
    const auto flags = group.attack->eligible({*facts_, features, labels, *group.before});
    for (std::size_t i = 0; i < which.size(); ++i) {
      if (flags[i] != 0) eligible.push_back(which[i]);
    }
  }
  const std::size_t count = chosen_of(group, eligible.size(), mine.size());
  Stream(seed_, streams::poisoned_samples(client)).shuffle(eligible);
  eligible.resize(count);
  std::ranges::sort(eligible);
  return eligible;
}

BatchEdit Poisoner::edit(AgentId client, RoundIndex round, std::span<const SampleIndex> mine) {
  const int index = population_.group_of(client);
  if (index < 0 || !has_attack(index)) return {};
  Group& group = *groups_[static_cast<std::size_t>(index)];
  if (group.per_batch >= 0) return edit_chosen(group, client, round, nullptr);
  auto& chosen = group.chosen[client.value];
  if (chosen == nullptr) chosen = std::make_shared<const Chosen>(choose(group, client, mine));
  return edit_chosen(group, client, round, chosen);
}

BatchEdit Poisoner::edit_of_samples(AgentId client, RoundIndex round, std::span<const SampleIndex> mine) {
  const int index = population_.group_of(client);
  if (index < 0 || !has_attack(index)) return {};
  Group& group = *groups_[static_cast<std::size_t>(index)];
  return edit_chosen(group, client, round, std::make_shared<const Chosen>(choose(group, client, mine)));
}

/// `chosen`: null: a number of each mini-batch is.
BatchEdit Poisoner::edit_chosen(Group& group, AgentId client, RoundIndex round, std::shared_ptr<const Chosen> chosen) {
  const auto member = static_cast<std::size_t>(std::ranges::lower_bound(group.members, client) - group.members.begin());
  return [this, &group, chosen = std::move(chosen), member, random = Stream(seed_, streams::poisoning(client, round)),
          positions = std::vector<std::size_t>()](const EditableBatch& batch) mutable {
    positions.clear();
    if (chosen != nullptr) {
      for (std::size_t i = 0; i < batch.which.size(); ++i) {
        if (std::ranges::binary_search(*chosen, batch.which[i])) positions.push_back(i);
      }
    } else {
      const auto flags = group.attack->eligible({*facts_, batch.features, batch.labels, *group.before});
      std::vector<std::uint32_t> eligible;
      for (std::uint32_t i = 0; i < flags.size(); ++i) {
        if (flags[i] != 0) eligible.push_back(i);
      }
      random.shuffle(eligible);
      eligible.resize(std::min(eligible.size(), static_cast<std::size_t>(group.per_batch)));
      positions.assign(eligible.begin(), eligible.end());
      std::ranges::sort(positions);
    }
    if (positions.empty()) return;
    group.attack->poison({.facts = *facts_,
                          .which = batch.which,
                          .features = batch.features,
                          .labels = batch.labels,
                          .chosen = positions,
                          .member = member,
                          .members = group.members.size(),
                          .now = *now_,
                          .seed = seed_,
                          .numbers = batch.numbers},
                         random);
  };
}

std::vector<int> Poisoner::groups_with_goals() const {
  std::vector<int> with_goals;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (groups_[g] != nullptr && groups_[g]->attack->has_goal()) with_goals.push_back(static_cast<int>(g));
  }
  return with_goals;
}

std::vector<TriggeredTest> Poisoner::tests() {
  std::vector<TriggeredTest> tests;
  for (const int g : groups_with_goals()) {
    Group* group = groups_[static_cast<std::size_t>(g)].get();
    tests.push_back(
        [this, group](std::span<float> features, std::span<const std::int32_t> labels, std::span<std::int32_t> goals) {
          // Before the group acts there is no earlier model than the one at hand.
          Model& before = group->before->parameters.empty() ? *now_ : *group->before;
          group->attack->trigger({*facts_, features, labels, before, goals});
        });
  }
  return tests;
}

void Poisoner::forget() {
  for (const auto& group : groups_) {
    if (group != nullptr) group->chosen.clear();
  }
}

void Poisoner::serialize(Archive& archive) {
  for (const auto& group : groups_) {
    if (group != nullptr) archive.field("model before the attack", group->before->parameters);
  }
}

}  // namespace souk
