#include "sim/params/hessian_history.hpp"

#include "sim/base/archive.hpp"
#include "sim/params/lbfgs.hpp"
#include "sim/params/linear.hpp"

namespace souk {

void HessianHistory::add(ColumnVector step, ColumnVector change) {
  steps_.push_back(std::move(step));
  changes_.push_back(std::move(change));
  if (steps_.size() <= window_) return;
  steps_.pop_front();
  changes_.pop_front();
}

void HessianHistory::clear() {
  steps_.clear();
  changes_.clear();
}

ColumnVector HessianHistory::times(const Comm& comm, const ColumnMatrix& like, const ColumnVector& v) const {
  const std::size_t pairs = steps_.size();
  ColumnMatrix stack = like.select(comm, {});
  for (const ColumnVector& step : steps_) stack = stack.with_row(comm, step);
  for (const ColumnVector& change : changes_) stack = stack.with_row(comm, change);
  stack = stack.with_row(comm, v);
  const SymmetricMatrix products = gram(comm, stack);
  DenseMatrix ss(pairs, pairs), sy(pairs, pairs);
  std::vector<double> sv(pairs), yv(pairs);
  for (std::size_t i = 0; i < pairs; ++i) {
    for (std::size_t j = 0; j < pairs; ++j) {
      ss(i, j) = products(i, j);
      sy(i, j) = products(i, pairs + j);
    }
    sv[i] = products(i, 2 * pairs);
    yv[i] = products(pairs + i, 2 * pairs);
  }
  const LbfgsProduct product = lbfgs_product(ss, sy, sv, yv);
  std::vector<double> coefficients = product.s;
  coefficients.insert(coefficients.end(), product.y.begin(), product.y.end());
  coefficients.push_back(product.sigma);
  return combine(stack, coefficients);
}

void HessianHistory::serialize(Archive& archive, const Comm& comm, std::size_t dimension) {
  auto pairs = static_cast<std::int64_t>(steps_.size());
  archive.field("pairs", pairs);
  steps_.resize(static_cast<std::size_t>(pairs));
  changes_.resize(steps_.size());
  for (ColumnVector& step : steps_) serialize_columns(archive, "step", comm, dimension, step);
  for (ColumnVector& change : changes_) serialize_columns(archive, "change", comm, dimension, change);
}

ColumnVector difference(const ColumnVector& a, const ColumnVector& b) {
  ColumnVector result = a;
  for (std::size_t c = 0; c < result.values().size(); ++c) result.values()[c] -= b.values()[c];
  return result;
}

}  // namespace souk
