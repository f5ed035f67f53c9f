#include "agents/inference/inference_metrics.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace souk {
namespace {

double mean_of_all(std::span<const double> values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// The middle one, or the mean of the two in the middle.
double median_of_all(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

class InferenceRecorder {
 public:
  InferenceRecorder(const std::string& name, RoundRecord& record)
      : prefix_("inference." + name + "."), record_(record) {}

  void add(const char* metric, double value, std::int64_t agent = -1) { record_.add(prefix_ + metric, value, agent); }
  void add_mean(const char* metric, std::span<const double> values) {
    if (!values.empty()) add(metric, mean_of_all(values));
  }

 private:
  std::string prefix_;
  RoundRecord& record_;
};

void record_counts(std::span<const VictimScore> victims, InferenceRecorder& recorder) {
  std::vector<double> accuracy, presence, guess;
  for (const VictimScore& victim : victims) {
    if (!victim.counts) continue;
    accuracy.push_back(victim.counts->accuracy);
    presence.push_back(victim.counts->presence);
    guess.push_back(victim.counts->guess);
  }
  recorder.add_mean("count_accuracy", accuracy);
  recorder.add_mean("count_presence", presence);
  recorder.add_mean("count_guess", guess);
}

/// Numbers of all reconstructions of all victims.
struct Pooled {
  std::vector<double> errors, ratios, similarities, other_errors, mean_errors, recovered, near, claimed, identified,
      right_labels;

  void take(const Reconstruction& one) {
    constexpr double very_near = 1e-3, rather_near = 1e-2;
    other_errors.push_back(one.other_error);
    if (one.mean_error) mean_errors.push_back(*one.mean_error);
    claimed.push_back(one.claimed ? 1.0 : 0.0);
    recovered.push_back(one.claimed && one.error < very_near ? 1.0 : 0.0);
    near.push_back(one.claimed && one.error < rather_near ? 1.0 : 0.0);
    identified.push_back(one.claimed && one.identified ? 1.0 : 0.0);
    if (one.claimed_label >= 0) right_labels.push_back(one.claimed_label == one.label ? 1.0 : 0.0);
    if (!one.claimed) return;
    errors.push_back(one.error);
    ratios.push_back(peak_signal_to_noise(one.error));
    if (one.similarity) similarities.push_back(*one.similarity);
  }

  void record(InferenceRecorder& recorder) const {
    if (!errors.empty()) {
      recorder.add("mse_median", median_of_all(errors));
      recorder.add("psnr_median", median_of_all(ratios));
    }
    recorder.add_mean("mse", errors);
    recorder.add_mean("psnr", ratios);
    recorder.add_mean("ssim", similarities);
    recorder.add_mean("mse_other", other_errors);
    recorder.add_mean("mse_class_mean", mean_errors);
    recorder.add_mean("claimed", claimed);
    recorder.add_mean("recovered", recovered);
    recorder.add_mean("near", near);
    recorder.add_mean("identified", identified);
    recorder.add_mean("label_accuracy", right_labels);
  }
};

void record_victim_errors(std::span<const VictimScore> victims, InferenceRecorder& recorder) {
  for (const VictimScore& victim : victims) {
    std::vector<double> errors;
    for (const Reconstruction& one : victim.reconstructions) {
      if (one.claimed) errors.push_back(one.error);
    }
    if (!errors.empty()) recorder.add("mse", mean_of_all(errors), victim.client.value);
  }
}

/// Puts an image [channels, height, width] with this corner into a picture.
void draw(std::span<const double> image, const PixelGrid& shape, std::size_t top, std::size_t left,
          PictureRow& picture) {
  if (image.empty()) return;
  for (std::size_t c = 0; c < picture.channels; ++c) {
    for (std::size_t y = 0; y < shape.height; ++y) {
      for (std::size_t x = 0; x < shape.width; ++x) {
        const double value = image[(c * shape.height + y) * shape.width + x];
        picture.values[((top + y) * picture.width + left + x) * picture.channels + c] =
            static_cast<std::uint8_t>(std::lround(255.0 * value));
      }
    }
  }
}

}  // namespace

void record_inference(const std::string& name, std::span<const VictimScore> victims, RoundRecord& record) {
  InferenceRecorder recorder(name, record);
  Pooled pooled;
  std::vector<double> equations;
  for (const VictimScore& victim : victims) {
    for (const Reconstruction& one : victim.reconstructions) pooled.take(one);
    equations.push_back(victim.equations);
  }
  recorder.add("victims", static_cast<double>(victims.size()));
  record_counts(victims, recorder);
  if (pooled.claimed.empty()) return;
  pooled.record(recorder);
  recorder.add_mean("equations", equations);
  record_victim_errors(victims, recorder);
}

void record_reconstructions(const std::string& name, std::span<const VictimScore> victims, RoundRecord& record) {
  for (const VictimScore& victim : victims) {
    for (const Reconstruction& one : victim.reconstructions) {
      ReconstructionRow& row = record.reconstructions.emplace_back();
      row.attack = name;
      row.agent = victim.client.value;
      row.sample = one.sample;
      row.of_class = one.label;
      if (!one.claimed) continue;
      row.match = static_cast<std::int64_t>(one.match);
      if (one.claimed_label >= 0) row.claimed_class = one.claimed_label;
      row.mse = one.error;
      row.psnr = peak_signal_to_noise(one.error);
      row.ssim = one.similarity;
      row.identified = one.identified;
    }
  }
}

std::vector<PictureRow> pictures_of(const std::string& name, std::span<const VictimScore> victims,
                                    const PixelGrid& shape, std::size_t most, RoundIndex round) {
  constexpr std::size_t gap = 1, columns = 3;
  std::vector<const Reconstruction*> shown;
  for (const VictimScore& victim : victims) {
    for (const Reconstruction& one : victim.reconstructions) {
      if (shown.size() < most) shown.push_back(&one);
    }
  }
  const bool images = shape.height > 1 && shape.width > 1 && (shape.channels == 1 || shape.channels == 3);
  if (shown.empty() || !images) return {};
  PictureRow picture{.name = fmt::format("{}-{:04}", name, round.value),
                     .channels = shape.channels,
                     .height = shown.size() * (shape.height + gap) - gap,
                     .width = columns * (shape.width + gap) - gap,
                     .values = {}};
  picture.values.resize(picture.height * picture.width * picture.channels, 255);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const std::size_t top = i * (shape.height + gap), step = shape.width + gap;
    draw(shown[i]->truth, shape, top, 0, picture);
    draw(shown[i]->image, shape, top, step, picture);
    draw(shown[i]->nearest_other, shape, top, 2 * step, picture);
  }
  return {picture};
}

}  // namespace souk
