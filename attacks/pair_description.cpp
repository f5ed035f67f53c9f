#include "attacks/pair_description.hpp"

namespace souk {
namespace {

constexpr std::size_t distances = 8, combinations = 4;

std::vector<double> entropies_of(const ReadAnswers& answers) {
  std::vector<double> entropies;
  for (std::size_t i = 0; i < answers.nodes.size(); ++i) entropies.push_back(entropy(answers.at(i)));
  return entropies;
}

}  // namespace

PairDescription::PairDescription(const PairSources& sources)
    : sources_(sources), entropies_(entropies_of(sources.answers)) {
  if (sources.reference != nullptr) reference_entropies_ = entropies_of(*sources.reference);
}

std::vector<double> PairDescription::of(NodeIndex a, NodeIndex b) const {
  std::vector<double> pair;
  const auto append = [&](const ReadAnswers& answers, const std::vector<double>& entropies) {
    const std::size_t of_a = answers.place(a), of_b = answers.place(b);
    append_distances(answers.at(of_a), answers.at(of_b), 0, pair);
    append_combinations({&entropies[of_a], 1}, {&entropies[of_b], 1}, pair);
  };
  if (!sources_.of_any_graph) append_combinations(sources_.answers.of(a), sources_.answers.of(b), pair);
  append(sources_.answers, entropies_);
  if (sources_.reference != nullptr) append(*sources_.reference, reference_entropies_);
  if (sources_.features == nullptr) return pair;
  const PairedRows rows(*sources_.features, a, b);
  append_distances(rows.a, rows.b, rows.zeros, pair);
  return pair;
}

std::size_t description_size(const PairSources& sources) {
  return (sources.of_any_graph ? 0 : combinations * sources.answers.width) +
         (distances + combinations) * (sources.reference != nullptr ? 2 : 1) +
         (sources.features != nullptr ? distances : 0);
}

}  // namespace souk
