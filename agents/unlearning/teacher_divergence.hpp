#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "sim/learn/objective.hpp"

namespace souk {

/// Divergence of a network's answers from a teacher's, both at one temperature T: T^2 KL(p_teacher || p). "Classes" of
/// the targets are rows of the teacher's answers. Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural
/// Network", 2015, who multiply by T^2 to keep the gradient's size.
class TeacherDivergence final : public Objective {
 public:
  TeacherDivergence(std::size_t width, double temperature);
  /// Takes a teacher's logits, [rows, width].
  void teach(std::vector<float> logits);
  bool of_classes() const override { return true; }
  void losses(std::span<const float> outputs, std::size_t width, const Targets& targets,
              std::span<double> out) const override;
  double gradient(std::span<float> outputs, std::size_t width, const Targets& targets,
                  std::size_t total) const override;
  void curvature(std::span<const float> outputs, std::size_t width, const Targets& targets, std::size_t total,
                 std::span<float> tangents) const override;

 private:
  void soften(std::span<float> logits) const;
  std::span<const float> teacher(const Targets& targets, std::size_t sample) const;
  double read(std::span<float> own, std::span<const float> wanted) const;

  std::size_t width_;
  float temperature_;
  std::vector<float> answers_;  ///< [rows, width] probabilities
};

}  // namespace souk
