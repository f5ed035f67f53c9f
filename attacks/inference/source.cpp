#include <vector>

#include "attacks/inference_attack.hpp"
#include "scenarios/inference.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Hu, Salcic, Sun, Dobbie, Zhang, "Source Inference Attacks in Federated Learning", ICDM 2021: the owner of a sample
/// is the client whose local model has the smallest loss on it.
class Source final : public ReadWith<SeesCandidates, SeesAllUpdates> {
 public:
  explicit Source(const scenario::SourceInference&) {}

  std::string claims() const override { return "the owner of every sample asked about"; }

  Attempt infer(const View& view) const override {
    const SampleTable& candidates = view.candidates();
    ClaimedSources claim{.sources = std::vector<std::uint32_t>(candidates.size(), 0)};
    std::vector<double> least(candidates.size());
    std::vector<float> gradient(view.change().size());
    for (std::size_t u = 0; u < view.updates().size(); ++u) {
      std::vector<float> model(view.model().begin(), view.model().end());
      for (std::size_t v = 0; v < gradient.size(); ++v) model[v] += view.updates()[u][v];
      for (std::size_t i = 0; i < candidates.size(); ++i) {
        const Batch one{.features = candidates.features.subspan(i * view.features(), view.features()),
                        .labels = candidates.labels.subspan(i, 1),
                        .samples = 1};
        std::vector<float> at = model;
        const double loss = view.network().gradient(at, one, gradient);
        if (u > 0 && !(loss < least[i])) continue;
        least[i] = loss;
        claim.sources[i] = static_cast<std::uint32_t>(u);
      }
    }
    return {.claim = std::move(claim)};
  }
};

const Register<InferenceAttack, Source, scenario::SourceInference> register_source;

}  // namespace
}  // namespace souk
