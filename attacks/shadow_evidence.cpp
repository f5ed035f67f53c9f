#include "attacks/shadow_evidence.hpp"

namespace souk {

PoolAnswers::PoolAnswers(const ShadowPool& pool, std::size_t classes, std::size_t at_once, const Model& model)
    : classes_(classes), logits_(pool.size() * classes) {
  for (std::size_t first = 0; first < pool.size(); first += at_once) {
    const Batch batch = pool.part(first, at_once);
    model(batch, std::span(logits_).subspan(first * classes, batch.samples * classes));
  }
}

PoolAnswers::PoolAnswers(const ShadowPool& pool, Network& network, std::span<const float> parameters,
                         std::size_t at_once)
    : PoolAnswers(pool, network.shape().outputs(), at_once,
                  [&](const Batch& batch, std::span<float> logits) { network.outputs(parameters, batch, logits); }) {}

std::vector<double> PoolAnswers::confidence_logits(const ShadowPool& pool) const {
  std::vector<double> logits;
  for (std::size_t sample = 0; sample < pool.size(); ++sample) {
    logits.push_back(confidence_logit(of(sample), pool.label(sample)));
  }
  return logits;
}

}  // namespace souk
