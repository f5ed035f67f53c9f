#include "agents/inference/claim_scorer.hpp"

#include <algorithm>

#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"
#include "sim/stats/assignment.hpp"

namespace souk {
namespace {

std::vector<std::vector<double>> means_of_classes(const Dataset& data, const SampleImages& images,
                                                  std::span<const SampleIndex> auxiliary) {
  std::vector<std::vector<double>> means(static_cast<std::size_t>(data.classes()));
  std::vector<double> counts(means.size(), 0.0);
  const std::vector<double> all = images.of(auxiliary);
  for (std::size_t i = 0; i < auxiliary.size(); ++i) {
    const auto label = static_cast<std::size_t>(data.labels()[auxiliary[i]]);
    means[label].resize(images.size());
    counts[label] += 1.0;
    for (std::size_t j = 0; j < images.size(); ++j) means[label][j] += all[i * images.size() + j];
  }
  for (std::size_t c = 0; c < means.size(); ++c) {
    for (double& value : means[c]) value /= counts[c];
  }
  return means;
}

}  // namespace

ClaimScorer::ClaimScorer(const Dataset& data, const SampleImages& images, std::span<const SampleIndex> auxiliary,
                         std::size_t pool, std::uint64_t seed)
    : data_(data),
      images_(images),
      pool_(pool),
      seed_(seed),
      of_class_(static_cast<std::size_t>(data.classes())),
      class_means_(means_of_classes(data, images, auxiliary)) {
  for (SampleIndex sample = 0; sample < data.size(); ++sample) {
    of_class_[static_cast<std::size_t>(data.labels()[sample])].push_back(sample);
  }
}

CountScore ClaimScorer::counts(const ClaimedCounts& claim, const HiddenSamples& hidden) const {
  std::vector<double> truth(of_class_.size(), 0.0);
  for (const SampleIndex sample : hidden.samples) truth[static_cast<std::size_t>(data_.labels()[sample])] += 1.0;
  const auto samples = static_cast<double>(hidden.samples.size()), classes = static_cast<double>(truth.size());
  CountScore score;
  for (std::size_t c = 0; c < truth.size(); ++c) {
    score.accuracy += std::min(claim.counts[c], truth[c]) / samples;
    score.guess += std::min(samples / classes, truth[c]) / samples;
    score.presence += (claim.counts[c] > 0.0) == (truth[c] > 0.0) ? 1.0 / classes : 0.0;
  }
  return score;
}

/// Drawn for the sample, ascending.
std::vector<SampleIndex> ClaimScorer::others_of_class(SampleIndex sample) const {
  std::vector<SampleIndex> others = of_class_[static_cast<std::size_t>(data_.labels()[sample])];
  std::erase(others, sample);
  Stream(seed_, streams::lookalikes(sample)).shuffle(others);
  others.resize(std::min(others.size(), pool_ - 1));
  return others;
}

void ClaimScorer::add_ceilings(Reconstruction& reconstruction) const {
  const std::vector<SampleIndex> others = others_of_class(reconstruction.sample);
  reconstruction.other_error = 1.0;
  if (!others.empty()) {
    reconstruction.other_error = mean_squared_error(reconstruction.truth, images_.of(std::span(others).first(1)));
  }
  const std::vector<double>& mean = class_means_[static_cast<std::size_t>(reconstruction.label)];
  if (!mean.empty()) reconstruction.mean_error = mean_squared_error(reconstruction.truth, mean);
}

/// Equally near ones: the smaller number is taken for the victim.
void ClaimScorer::compare(std::span<const double> claimed, Reconstruction& reconstruction) const {
  reconstruction.claimed = true;
  reconstruction.image.assign(claimed.begin(), claimed.end());
  reconstruction.error = mean_squared_error(reconstruction.truth, claimed);
  reconstruction.similarity = structural_similarity(reconstruction.truth, claimed, images_.shape());
  reconstruction.identified = true;
  double nearest = 0.0;
  for (const SampleIndex other : others_of_class(reconstruction.sample)) {
    std::vector<double> image = images_.of({&other, 1});
    const double error = mean_squared_error(claimed, image);
    if (error < reconstruction.error || (error == reconstruction.error && other < reconstruction.sample)) {
      reconstruction.identified = false;
    }
    if (!reconstruction.nearest_other.empty() && error >= nearest) continue;
    nearest = error;
    reconstruction.nearest_other = std::move(image);
  }
}

std::vector<Reconstruction> ClaimScorer::samples(const ClaimedSamples& claim, const HiddenSamples& hidden) const {
  const std::size_t size = images_.size();
  const std::size_t rows = claim.of_all ? hidden.samples.size() : hidden.of_victim;
  const std::vector<double> truth = images_.of(std::span(hidden.samples).first(rows));
  const std::vector<double> claimed = images_.of_features(claim.features);
  const std::size_t columns = claimed.size() / size;
  const auto image = [&](const std::vector<double>& of, std::size_t i) {
    return std::span(of).subspan(i * size, size);
  };
  std::vector<double> errors;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) errors.push_back(mean_squared_error(image(truth, r), image(claimed, c)));
  }
  const auto given = least_assignment({.values = errors, .rows = rows, .columns = columns});
  std::vector<Reconstruction> reconstructions;
  for (std::size_t r = 0; r < hidden.of_victim; ++r) {
    Reconstruction& one = reconstructions.emplace_back();
    one.sample = hidden.samples[r];
    one.label = data_.labels()[one.sample];
    one.truth.assign(image(truth, r).begin(), image(truth, r).end());
    add_ceilings(one);
    if (!given[r]) continue;
    compare(image(claimed, *given[r]), one);
    one.match = *given[r];
    if (!claim.labels.empty()) one.claimed_label = claim.labels[*given[r]];
  }
  return reconstructions;
}

}  // namespace souk
