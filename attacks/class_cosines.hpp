#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "attacks/class_shares_estimate.hpp"
#include "sim/params/dot.hpp"

namespace souk {

/// Cosines of a round's updates with the root update that these shares of classes would make, and how they depend on
/// the shares.
class ClassCosines {
 public:
  ClassCosines(const ScoredRound& round, std::span<const double> shares) : round_(round), slopes_(shares.size()) {
    const std::size_t classes = shares.size();
    for (std::size_t c = 0; c < classes; ++c) {
      for (std::size_t k = 0; k < classes; ++k) slopes_[c] += round.between(c, k) * shares[k];
    }
    const double square = dot(shares, slopes_);
    length_ = square > 0.0 ? std::sqrt(square) : 0.0;
    for (std::size_t j = 0; j * classes < round.products.size(); ++j) {
      values_.push_back(length_ > 0.0 ? dot(row(j), shares) / length_ : 0.0);
    }
  }
  std::span<const double> values() const { return values_; }
  /// Whether seller j submitted anything.
  bool has(std::size_t j) const {
    return std::ranges::any_of(row(j), [](double product) { return product != 0.0; });
  }
  /// Adds `weight` times the gradient of cosine j by the shares: M_j / N - c_j K pi / N^2.
  void add_gradient(std::size_t j, double weight, std::span<double> gradient) const {
    if (length_ == 0.0) return;
    const std::span<const double> products = row(j);
    for (std::size_t c = 0; c < gradient.size(); ++c) {
      gradient[c] += weight * (products[c] / length_ - values_[j] * slopes_[c] / (length_ * length_));
    }
  }

 private:
  std::span<const double> row(std::size_t j) const {
    return std::span(round_.products).subspan(j * slopes_.size(), slopes_.size());
  }
  const ScoredRound& round_;
  std::vector<double> slopes_;  ///< K pi
  double length_ = 0.0;         ///< N
  std::vector<double> values_;
};

}  // namespace souk
