#include "agents/training/attack_lab.hpp"

#include <algorithm>
#include <set>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"

namespace souk {

AttackLab::AttackLab(const Setting& setting)
    : setting_(setting), trainable_(setting.task.layout().trainable()), tensors_(setting.task.layout().slots()) {
  const auto buffer = std::ranges::find(tensors_, false, &Slot::trainable);  // buffers come last
  tensors_ = tensors_.first(static_cast<std::size_t>(buffer - tensors_.begin()));
}

ColumnMatrix AttackLab::train(std::span<const AgentId> who, const LabTraining& training) {
  const Comm& comm = setting_.comm;
  const auto ranks = static_cast<std::size_t>(comm.size());
  std::vector<int> owners(who.size());
  std::vector<RowRange> blocks;  // members in consecutive blocks, so that their starts can be gathered
  for (std::size_t r = 0; r < ranks; ++r) {
    blocks.push_back({who.size() * r / ranks, who.size() * (r + 1) / ranks});
    for (std::size_t i = blocks[r].begin; i < blocks[r].end; ++i) owners[i] = static_cast<int>(r);
  }
  std::vector<std::vector<float>> anchors;
  for (const ColumnVector* anchor : training.anchors) {
    anchors.emplace_back(trainable_);
    replicate(comm, PanelPlan(trainable_), *anchor, anchors.back());
  }
  std::vector<float> starts;
  if (training.starts != nullptr) {
    SOUK_EXPECT(training.starts->rows() == who.size());
    starts = gather_rows(comm, *training.starts, blocks);
  }
  RowMatrix rows;
  rows.reset(comm, who, owners, setting_.global.size());
  comm.run_phase("train attackers", [&] {
    std::span<const float> left = starts;
    for (std::size_t i = 0; i < who.size(); ++i) {
      if (!rows.is_local(i)) continue;
      const std::span<const float> start = left.first(left.empty() ? 0 : trainable_);
      left = left.subspan(start.size());
      train_member(i, training, start, anchors, rows);
    }
  });
  return columns_of(rows);
}

/// The trainable columns of rows that are about to end.
ColumnMatrix AttackLab::columns_of(RowMatrix& rows) const {
  ColumnMatrix columns;
  to_columns(setting_.comm, rows, {0, trainable_}, columns);
  if (setting_.comm.size() > 1) return columns;
  return copy_of(setting_.comm, columns);  // on one rank the columns are a view of `rows`
}

/// Members may hold the same samples under several identities.
std::vector<std::vector<SampleIndex>> AttackLab::samples_by_class(std::span<const AgentId> who,
                                                                  std::size_t most) const {
  std::set<SampleIndex> held;
  for (const AgentId member : who) {
    const std::vector<SampleIndex> mine = setting_.validators.training_samples(member);
    held.insert(mine.begin(), mine.end());
  }
  std::vector<std::vector<SampleIndex>> by_class(static_cast<std::size_t>(setting_.task.classes()));
  for (const SampleIndex sample : held) {
    by_class[static_cast<std::size_t>(setting_.task.labels()[sample])].push_back(sample);
  }
  Stream random(setting_.seed, streams::samples_of_probe(who.front(), setting_.round));
  for (std::vector<SampleIndex>& samples : by_class) {
    random.shuffle(samples);
    samples.resize(std::min(samples.size(), most));
  }
  return by_class;
}

ClassGradients AttackLab::class_gradients(std::span<const AgentId> who, std::size_t samples_per_class) {
  const auto classes = static_cast<std::size_t>(setting_.task.classes());
  SOUK_EXPECT(classes > 0 && !who.empty());
  const std::vector<std::vector<SampleIndex>> samples = samples_by_class(who, samples_per_class);
  std::vector<AgentId> labels;  // rows are of agents elsewhere
  std::vector<int> owners;
  ClassGradients result;
  for (std::uint32_t label = 0; label < classes; ++label) {
    labels.push_back({label});
    owners.push_back(static_cast<int>(label) % setting_.comm.size());
    result.samples.push_back(samples[label].size());
  }
  RowMatrix rows;
  rows.reset(setting_.comm, labels, owners, setting_.global.size());
  setting_.comm.run_phase("class gradients", [&] {
    for (std::size_t c = 0; c < classes; ++c) {
      if (!rows.is_local(c)) continue;
      std::ranges::fill(rows.row(c), 0.0F);
      if (samples[c].empty()) continue;
      std::vector<float> parameters(setting_.global.begin(), setting_.global.end());
      const std::span<float> row = rows.row(c).first(trainable_);
      setting_.task.gradient(parameters, samples[c], row);
      for (float& value : row) value = -value;
      heartbeat::beat();
    }
  });
  result.rows = columns_of(rows);
  return result;
}

void AttackLab::train_member(std::size_t row, const LabTraining& training, std::span<const float> start,
                             std::span<const std::vector<float>> anchors, RowMatrix& rows) const {
  const AgentId member = rows.agents()[row];
  const auto global = setting_.global.first(trainable_);
  Steering steering{.start = start, .rate_factor = training.rate_factor, .epochs = training.epochs};
  if (training.before_step) {
    steering.before_step = [&](std::span<const float> parameters, std::span<float> gradient) {
      training.before_step(row, {parameters, global, anchors, tensors_}, gradient);
    };
  }
  if (training.after_step) {
    steering.after_step = [&](std::span<float> parameters) {
      training.after_step(row, {parameters, global, anchors, tensors_}, parameters);
    };
  }
  LocalContext context{setting_.seed, member, setting_.round, setting_.rounds, &heartbeat::beat, &steering};
  context.slope = setting_.slope;
  const std::vector<SampleIndex> mine = setting_.validators.training_samples(member);
  BatchEdit edit;
  if (training.poisoned) {
    edit = setting_.poisoner.edit(member, setting_.round, mine);
    context.more_edges = setting_.rewirer.edges(member, setting_.round, mine, setting_.global);
  }
  setting_.task.train(setting_.global, mine, edit, context, rows.row(row));
}

}  // namespace souk
