#include "agents/training/model_judge.hpp"

#include <algorithm>
#include <map>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/softmax.hpp"
#include "sim/learn/tasks/row_task.hpp"

namespace souk {
namespace {

constexpr std::size_t root_batch_size = 32;  // part of the bits: gradients are summed batch by batch
constexpr std::size_t noise_batch_size = 250;

}  // namespace

ModelJudge::ModelJudge(const Comm& comm, Task& task, const RootSamples& root, const Validators& validators,
                       std::uint64_t seed, const JudgedRound& round)
    : comm_(comm),
      task_(task),
      root_(root.samples()),
      validators_(validators),
      seed_(seed),
      round_(round),
      validating_(validators.of_round(round.round, round.clients)) {
  round_.clients = {};  // the caller's, and read
}

std::vector<double> ModelJudge::spread(
    const ColumnMatrix& steps, std::size_t parts, std::size_t width,
    const std::function<void(std::span<const float>, std::size_t, std::span<double>)>& judge) {
  const std::size_t pairs = steps.rows() * parts;
  const auto ranks = static_cast<std::size_t>(comm_.size());
  const auto first_of = [&](std::size_t rank) { return pairs * rank / ranks; };
  std::vector<RowRange> wanted;
  std::vector<std::size_t> counts;
  for (std::size_t r = 0; r < ranks; ++r) {
    const std::size_t first = first_of(r), end = first_of(r + 1);
    wanted.push_back(first < end ? RowRange{first / parts, (end - 1) / parts + 1} : RowRange{});
    counts.push_back((end - first) * width);
  }
  const std::vector<float> rows = gather_rows(comm_, steps, wanted);
  const auto own = static_cast<std::size_t>(comm_.rank());
  std::vector<double> mine(counts[own]);
  comm_.run_phase("judge models", [&] {
    std::vector<float> parameters(round_.global.begin(), round_.global.end());
    std::size_t built = static_cast<std::size_t>(-1);
    for (std::size_t pair = first_of(own); pair < first_of(own + 1); ++pair) {
      const std::size_t candidate = pair / parts;
      if (candidate != built) {
        const float* step = rows.data() + (candidate - wanted[own].begin) * steps.dimension();
        for (std::size_t v = 0; v < steps.dimension(); ++v) parameters[v] = round_.global[v] + step[v];
        built = candidate;
      }
      judge(parameters, pair % parts, std::span(mine).subspan((pair - first_of(own)) * width, width));
      heartbeat::beat();
    }
  });
  std::vector<double> all(pairs * width);
  comm_.all_gather_into(std::span<const double>(mine), counts, std::span(all));
  return all;
}

std::size_t ModelJudge::root_batches() const { return (root_.size() + root_batch_size - 1) / root_batch_size; }

std::span<const SampleIndex> ModelJudge::root_batch(std::size_t batch) const {
  return root_.subspan(batch * root_batch_size, std::min(root_batch_size, root_.size() - batch * root_batch_size));
}

std::vector<Judgement> ModelJudge::on_root(const ColumnMatrix& steps) {
  const std::size_t width = task_.tally_size();
  const std::size_t parts = root_batches();
  const std::vector<double> counted =
      spread(steps, parts, width, [&](std::span<const float> parameters, std::size_t part, std::span<double> out) {
        task_.tally(parameters, Split::train, root_batch(part), out);
      });
  cost_.server_flops += task_.forward_flops() * static_cast<double>(steps.rows() * root_.size());
  std::vector<Judgement> judgements;
  for (std::size_t s = 0; s < steps.rows(); ++s) {
    std::vector<double> sums(width, 0.0);
    for (std::size_t k = 0; k < parts * width; ++k) sums[k % width] += counted[s * parts * width + k];
    const Scores scores = task_.scores(sums);
    judgements.push_back({.loss = scores.loss, .error = 1.0 - scores.quality, .skill = scores.skill});
  }
  return judgements;
}

/// Rows of a matrix, one per batch, weighted by its share: the same sum on any number of ranks.
ColumnVector ModelJudge::root_gradient(const ColumnVector& step) {
  const std::size_t trainable = task_.layout().trainable();
  std::vector<float> parameters(round_.global.begin(), round_.global.end());
  std::vector<float> whole_step(trainable);
  replicate(comm_, PanelPlan(trainable), step, whole_step);
  for (std::size_t v = 0; v < trainable; ++v) parameters[v] += whole_step[v];

  std::vector<AgentId> batches;
  std::vector<int> owners;
  std::vector<double> shares;
  for (std::size_t b = 0; b < root_batches(); ++b) {
    batches.push_back({static_cast<std::uint32_t>(b)});
    owners.push_back(static_cast<int>(b % static_cast<std::size_t>(comm_.size())));
    shares.push_back(static_cast<double>(root_batch(b).size()) / static_cast<double>(root_.size()));
  }
  RowMatrix gradients;
  gradients.reset(comm_, batches, owners, trainable);
  comm_.run_phase("root gradient", [&] {
    for (std::size_t b = 0; b < batches.size(); ++b) {
      if (!gradients.is_local(b)) continue;
      std::vector<float> own = parameters;  // running statistics may move
      task_.gradient(own, root_batch(b), gradients.row(b));
      heartbeat::beat();
    }
  });
  cost_.server_flops += 3.0 * task_.forward_flops() * static_cast<double>(root_.size());
  ColumnMatrix columns;
  to_columns(comm_, gradients, {0, trainable}, columns);
  return combine(columns, shares);
}

/// [steps, validators, classes] mean losses; NaN where a validator does not judge a class.
std::vector<double> ModelJudge::class_losses(const ColumnMatrix& steps) {
  return spread(steps, validating_.size(), static_cast<std::size_t>(task_.classes()),
                [&](std::span<const float> parameters, std::size_t part, std::span<double> out) {
                  const std::vector<double> losses =
                      validators_.class_losses(validating_[part], round_.round, task_, parameters);
                  std::copy(losses.begin(), losses.end(), out.begin());
                });
}

std::vector<double> ModelJudge::validator_reports(const ColumnMatrix& steps) {
  const auto classes = static_cast<std::size_t>(task_.classes());
  const std::size_t validators = validating_.size(), candidates = steps.rows();
  const std::vector<double> before = class_losses(zero_step(comm_, steps.dimension()));
  const std::vector<double> after = class_losses(steps);
  std::vector<double> reports(validators * candidates * classes);
  for (std::size_t v = 0; v < validators; ++v) {
    for (std::size_t s = 0; s < candidates; ++s) {
      for (std::size_t c = 0; c < classes; ++c) {
        reports[(v * candidates + s) * classes + c] =
            before[v * classes + c] - after[(s * validators + v) * classes + c];
      }
    }
  }
  cost_.validator_flops.resize(validators, 0.0);
  for (std::size_t v = 0; v < validators; ++v) {
    cost_.validator_flops[v] += task_.forward_flops() * static_cast<double>(candidates + 1) *
                                static_cast<double>(validators_.samples_used(validating_[v], round_.round));
  }
  cost_.candidates += candidates;
  cost_.reports += reports.size();
  if (round_.edit) round_.edit(steps, validating_, classes, reports);
  return reports;
}

/// Class probabilities for a part of the noise inputs, [samples, classes].
std::vector<float> ModelJudge::noise_answers(std::span<const float> parameters, std::size_t part, std::size_t samples,
                                             std::uint16_t lane) {
  const std::size_t count = std::min(noise_batch_size, samples - part * noise_batch_size);
  const auto classes = static_cast<std::size_t>(task_.classes());
  Stream random(seed_, streams::noise_inputs(part, round_.round, lane));
  const ModelShape& shape = task_.rows()->network().shape();
  std::vector<float> features(count * shape.inputs());
  const std::size_t tokens = shape.vocabulary;  // of texts noise is any word in any place
  const float reach = tokens > 0 ? static_cast<float>(tokens) : 1.0F;
  for (float& value : features) value = reach * random.uniform_float();
  std::vector<float> answers(count * classes);
  task_.rows()->network().outputs(parameters, {.features = features, .samples = count}, answers);
  for (std::size_t i = 0; i < count; ++i) softmax(std::span(answers).subspan(i * classes, classes));
  return answers;
}

std::vector<double> ModelJudge::noise_ratios(const ColumnMatrix& steps, std::size_t samples, std::uint16_t lane) {
  const auto classes = static_cast<std::size_t>(task_.classes());
  const std::size_t parts = (samples + noise_batch_size - 1) / noise_batch_size;
  std::map<std::size_t, std::vector<float>> of_global;  // per part, computed once on a rank
  const std::vector<double> sums =
      spread(steps, parts, classes, [&](std::span<const float> parameters, std::size_t part, std::span<double> out) {
        auto& base = of_global[part];
        if (base.empty()) base = noise_answers(round_.global, part, samples, lane);
        const std::vector<float> answers = noise_answers(parameters, part, samples, lane);
        for (std::size_t i = 0; i < answers.size(); ++i) {
          // A probability that underflowed must not divide.
          out[i % classes] += static_cast<double>(answers[i]) / std::max(1e-30, static_cast<double>(base[i]));
        }
      });
  cost_.server_flops += task_.forward_flops() * static_cast<double>((steps.rows() + 1) * samples);
  std::vector<double> means(steps.rows() * classes, 0.0);
  for (std::size_t k = 0; k < sums.size(); ++k) {
    means[k / (parts * classes) * classes + k % classes] += sums[k] / static_cast<double>(samples);
  }
  return means;
}

}  // namespace souk
