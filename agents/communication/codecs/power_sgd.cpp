#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "agents/communication/codec.hpp"
#include "scenarios/communication.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// A tensor as a matrix [rows, columns] at a place of the update, written as two thin ones of so many columns; rank 0:
/// as it is.
struct Block {
  std::size_t offset, rows, columns, rank;
  std::size_t values() const { return rows * columns; }
  std::size_t sent() const { return rank == 0 ? values() : rank * (rows + columns); }
};

/// Column by column, the part of the columns before is taken out, and what is left gets length 1. A column of which
/// nothing is left becomes 0.
void orthonormalise(std::span<double> matrix, std::size_t rows, std::size_t columns) {
  const auto at = [&](std::size_t i, std::size_t k) -> double& { return matrix[i * columns + k]; };
  const auto product = [&](std::size_t k, std::size_t l) {
    double sum = 0.0;
    for (std::size_t i = 0; i < rows; ++i) sum += at(i, k) * at(i, l);
    return sum;
  };
  for (std::size_t k = 0; k < columns; ++k) {
    const double before = std::sqrt(product(k, k));
    for (std::size_t l = 0; l < k; ++l) {
      const double along = product(k, l);
      for (std::size_t i = 0; i < rows; ++i) at(i, k) -= along * at(i, l);
    }
    const double norm = std::sqrt(product(k, k));
    const double factor =
        norm > 1e-7 * before ? 1.0 / norm : 0.0;  // below that it is the rounding of what was taken out
    for (std::size_t i = 0; i < rows; ++i) at(i, k) *= factor;
  }
}

/// Vogels, Karimireddy, Jaggi, "PowerSGD", NeurIPS 2019, algorithm 1, for one client's update by itself, which rules
/// that compare updates need; the paper averages P and Q over the clients. The message: P and Q of every matrix, and
/// the rest as it is.
class PowerSgd final : public Codec {
 public:
  explicit PowerSgd(const scenario::PowerSgd& config) : rank_(config.rank()) {}

  bool wants_feedback() const override { return true; }

  std::size_t bytes(const ParameterLayout& layout) const override {
    std::size_t sent = 0;
    for (const Block& block : blocks_of(layout)) sent += block.sent();
    return sent * sizeof(float);
  }

  /// The last Q of every matrix, and in front of them whether there is one.
  std::size_t memory(const ParameterLayout& layout) const override {
    std::size_t values = 1;
    for (const Block& block : blocks_of(layout)) values += block.rank * block.columns;
    return values;
  }

  void encode(const Encoding& update, std::span<std::byte> message) const override {
    MessageWriter writer(message);
    if (update.memory[0] == 0.0F) {
      Stream random(update.draws.seed, update.draws.start);
      for (float& value : update.memory) value = static_cast<float>(random.normal());
      update.memory[0] = 1.0F;
    }
    std::span<float> last = update.memory.subspan(1);
    for (const Block& block : blocks_of(update.layout)) {
      const std::span<const float> matrix = update.values.subspan(block.offset, block.values());
      if (block.rank == 0) {
        writer.put_all(matrix);
        continue;
      }
      const std::span<float> q = last.first(block.rank * block.columns);
      last = last.subspan(q.size());
      const std::vector<float> p = left_factor(block, matrix, q);
      writer.put_all(std::span<const float>(p));
      right_factor(block, matrix, p, q);
      writer.put_all(std::span<const float>(q));
    }
  }

  void decode(std::span<const std::byte> message, const ParameterLayout& layout,
              std::span<float> values) const override {
    require_length(message, bytes(layout));
    MessageReader reader(message);
    for (const Block& block : blocks_of(layout)) {
      const std::span<float> matrix = values.subspan(block.offset, block.values());
      if (block.rank == 0) {
        reader.take_all(matrix);
      } else {
        std::vector<float> p(block.rank * block.rows), q(block.rank * block.columns);
        reader.take_all(std::span(p));
        reader.take_all(std::span(q));
        multiply(block, p, q, matrix);
      }
      SOUK_REQUIRE(std::ranges::all_of(matrix, [](float value) { return std::isfinite(value); }),
                   "an encoded update holds values that are not finite");
    }
  }

 private:
  std::vector<Block> blocks_of(const ParameterLayout& layout) const {
    std::vector<Block> blocks;
    for (const Slot& slot : layout.slots()) {
      if (!slot.trainable) continue;
      Block block{slot.offset, slot.size, 1, 0};
      if (slot.shape.size() >= 2 && slot.size > 0) {
        block.rows = static_cast<std::size_t>(slot.shape[0]);
        block.columns = slot.size / block.rows;
        const std::size_t rank = std::min({rank_, block.rows, block.columns});
        if (rank * (block.rows + block.columns) < block.values()) block.rank = rank;
      }
      blocks.push_back(block);
    }
    return blocks;
  }

  /// orth(M Q), [rows, rank]; Q is [columns, rank].
  static std::vector<float> left_factor(const Block& block, std::span<const float> matrix, std::span<const float> q) {
    std::vector<double> product(block.rows * block.rank, 0.0);
    for (std::size_t i = 0; i < block.rows; ++i) {
      for (std::size_t j = 0; j < block.columns; ++j) {
        const double value = static_cast<double>(matrix[i * block.columns + j]);
        for (std::size_t k = 0; k < block.rank; ++k) {
          product[i * block.rank + k] += value * static_cast<double>(q[j * block.rank + k]);
        }
      }
    }
    orthonormalise(product, block.rows, block.rank);
    return {product.begin(), product.end()};
  }

  /// M^T P, [columns, rank].
  static void right_factor(const Block& block, std::span<const float> matrix, std::span<const float> p,
                           std::span<float> q) {
    std::vector<double> product(block.columns * block.rank, 0.0);
    for (std::size_t i = 0; i < block.rows; ++i) {
      for (std::size_t j = 0; j < block.columns; ++j) {
        const double value = static_cast<double>(matrix[i * block.columns + j]);
        for (std::size_t k = 0; k < block.rank; ++k) {
          product[j * block.rank + k] += value * static_cast<double>(p[i * block.rank + k]);
        }
      }
    }
    std::ranges::transform(product, q.begin(), [](double value) { return static_cast<float>(value); });
  }

  /// P Q^T.
  static void multiply(const Block& block, std::span<const float> p, std::span<const float> q,
                       std::span<float> matrix) {
    for (std::size_t i = 0; i < block.rows; ++i) {
      for (std::size_t j = 0; j < block.columns; ++j) {
        double sum = 0.0;
        for (std::size_t k = 0; k < block.rank; ++k) {
          sum += static_cast<double>(p[i * block.rank + k]) * static_cast<double>(q[j * block.rank + k]);
        }
        matrix[i * block.columns + j] = static_cast<float>(sum);
      }
    }
  }

  std::size_t rank_;
};

const Register<Codec, PowerSgd, scenario::PowerSgd> register_power_sgd;

}  // namespace
}  // namespace souk
