#include <cmath>

#include "scenarios/graph_models.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/graphs/layer_parts.hpp"

namespace souk {
namespace {

using namespace graph_parts;

constexpr double leak = 0.2;  ///< of LeakyReLU below 0

template <class T>
T leaky(T x) {
  return value_of(x) > 0 ? x : T{static_cast<Scalar<T>>(leak)} * x;
}

/// Parameters: weight [inputs, heads * width], a_s and a_d [heads, width], bias.
class GatLayer final : public ConvolutionOf<GatLayer> {
 public:
  enum class Heads : std::uint8_t { side_by_side, averaged };
  GatLayer(std::size_t width, std::size_t heads, Heads how, double dropout)
      : width_(width), heads_(heads), how_(how), dropout_(dropout) {}
  std::size_t place(std::size_t inputs) override {
    inputs_ = inputs;
    return outputs();
  }
  std::vector<Slot> slots(const std::string& prefix) const override {
    return {weight_slot(prefix + ".weight", inputs_, all()), weight_slot(prefix + ".source", heads_, width_),
            weight_slot(prefix + ".target", heads_, width_), bias_slot(prefix + ".bias", outputs())};
  }
  void initialise(Stream& random, std::span<float> parameters) const override {
    draw_glorot(inputs_, all(), random, parameters.first(source()));
    draw_glorot(1, width_, random, parameters.subspan(source(), 2 * all()));
  }
  double forward_flops(const LayerSize& size) const override {
    return product_flops(size, inputs_, all()) + gather_flops(size, all()) +
           8.0 * (size.edge_entries + size.nodes) * static_cast<double>(heads_);
  }

  template <class T>
  void run(const LayerPass<T>& pass) const {
    T* z = keep(pass.kept, products, pass.rows_in * all());
    multiply(pass.in, pass.parameters, pass.rows_in, all(), z);
    score(pass, z);
    attend(pass);
    drop_attention(pass);
    const T* shares = pass.kept[dropped].data();
    for (std::size_t i = 0; i < pass.rows_out; ++i) write_row(pass, z, shares, i);
    add_bias(pass.parameters + bias(), pass.rows_out, outputs(), pass.out);
  }

  template <class T>
  void unwind(const LayerReturn<T>& back) const {
    const LayerPass<T>& pass = back.pass;
    unwind_bias(back.d_out, pass.rows_out, outputs(), back.d_parameters + bias());
    T* d_z = keep(pass.kept, d_products, pass.rows_in * all());
    T* d_from = keep(pass.kept, d_sources, pass.rows_in * heads_);
    T* d_at = keep(pass.kept, d_targets, pass.rows_out * heads_);
    std::fill_n(d_z, pass.rows_in * all(), T{});
    std::fill_n(d_from, pass.rows_in * heads_, T{});
    for (std::size_t i = 0; i < pass.rows_out; ++i) unwind_row(back, i, d_z, d_from, d_at);
    unwind_scores(back, d_from, d_at, d_z);
    unwind_multiply(pass.in, pass.parameters, pass.rows_in, all(), d_z, back.d_parameters, back.d_in);
  }

 private:
  /// What is kept, by number.
  enum Kept : std::size_t { products, sources, targets, attention, dropped, d_products, d_sources, d_targets, d_row };

  std::size_t all() const { return heads_ * width_; }
  std::size_t outputs() const { return how_ == Heads::averaged ? width_ : all(); }
  std::size_t source() const { return inputs_ * all(); }
  std::size_t target() const { return source() + all(); }
  std::size_t bias() const { return target() + all(); }

  /// The entries of node i: its neighbours, and behind them i itself.
  template <class T>
  static std::uint64_t begin(const LayerPass<T>& pass, std::size_t i) {
    return pass.field.edges().offsets[i] + i;
  }
  template <class T>
  static std::size_t neighbour(const LayerPass<T>& pass, std::size_t i, std::uint64_t entry) {
    const std::uint64_t e = entry - i;
    return e < pass.field.edges().offsets[i + 1] ? pass.field.edges().columns[e] : i;
  }

  template <class T>
  void score(const LayerPass<T>& pass, const T* z) const {
    T* from = keep(pass.kept, sources, pass.rows_in * heads_);
    T* at = keep(pass.kept, targets, pass.rows_out * heads_);
    const auto product = [&](std::size_t i, std::size_t h, const T* a) {
      T sum{};
      for (std::size_t c = 0; c < width_; ++c) sum += z[i * all() + h * width_ + c] * a[h * width_ + c];
      return sum;
    };
    for (std::size_t i = 0; i < pass.rows_in; ++i) {
      for (std::size_t h = 0; h < heads_; ++h) {
        from[i * heads_ + h] = product(i, h, pass.parameters + source());
        if (i < pass.rows_out) at[i * heads_ + h] = product(i, h, pass.parameters + target());
      }
    }
  }

  /// Soft-max over the edges of each node, in two passes: the largest score, then exponentials and their sum.
  template <class T>
  void attend(const LayerPass<T>& pass) const {
    T* shares = keep(pass.kept, attention, begin(pass, pass.rows_out) * heads_);
    const T* from = pass.kept[sources].data();
    const T* at = pass.kept[targets].data();
    for (std::size_t i = 0; i < pass.rows_out; ++i) {
      for (std::size_t h = 0; h < heads_; ++h) {
        const auto score_of = [&](std::uint64_t e) {
          return leaky(from[neighbour(pass, i, e) * heads_ + h] + at[i * heads_ + h]);
        };
        Scalar<T> largest = value_of(score_of(begin(pass, i)));
        for (std::uint64_t e = begin(pass, i); e < begin(pass, i + 1); ++e) {
          largest = std::max(largest, value_of(score_of(e)));
        }
        T sum{};
        for (std::uint64_t e = begin(pass, i); e < begin(pass, i + 1); ++e) {
          shares[e * heads_ + h] = exponential(score_of(e) - T{largest});
          sum += shares[e * heads_ + h];
        }
        for (std::uint64_t e = begin(pass, i); e < begin(pass, i + 1); ++e) {
          shares[e * heads_ + h] = shares[e * heads_ + h] / sum;
        }
      }
    }
  }

  /// 0, or what makes up for those that are: a factor of each share.
  template <class T>
  void drop_attention(const LayerPass<T>& pass) const {
    const std::size_t size = pass.kept[attention].size();
    T* out = keep(pass.kept, dropped, size);
    const T* shares = pass.kept[attention].data();
    const bool drops = pass.dropout != nullptr && dropout_ > 0.0;
    const auto kept = static_cast<Scalar<T>>(1.0 / (1.0 - dropout_));
    for (std::size_t v = 0; v < size; ++v) {
      if (!drops) {
        out[v] = shares[v];
      } else {
        out[v] = pass.dropout->uniform_float() < static_cast<float>(dropout_) ? T{} : T{kept} * shares[v];
      }
    }
  }

  template <class T>
  void write_row(const LayerPass<T>& pass, const T* z, const T* shares, std::size_t i) const {
    T* out = pass.out + i * outputs();
    std::fill_n(out, outputs(), T{});
    for (std::uint64_t e = begin(pass, i); e < begin(pass, i + 1); ++e) {
      const T* row = z + neighbour(pass, i, e) * all();
      for (std::size_t h = 0; h < heads_; ++h) {
        T* to = out + (how_ == Heads::averaged ? 0 : h * width_);
        for (std::size_t c = 0; c < width_; ++c) to[c] += shares[e * heads_ + h] * row[h * width_ + c];
      }
    }
    for (std::size_t c = 0; how_ == Heads::averaged && c < width_; ++c) {
      out[c] *= T{Scalar<T>{1} / static_cast<Scalar<T>>(heads_)};
    }
  }

  /// d share = d out . z; d score = share (d share - sum share d share).
  template <class T>
  void unwind_row(const LayerReturn<T>& back, std::size_t i, T* d_z, T* d_from, T* d_at) const {
    const LayerPass<T>& pass = back.pass;
    const T* z = pass.kept[products].data();
    const T* shares = pass.kept[attention].data();
    const T* used = pass.kept[dropped].data();
    const T* from = pass.kept[sources].data();
    const T* at = pass.kept[targets].data();
    const std::uint64_t first = begin(pass, i), last = begin(pass, i + 1);
    T* d_share = keep(pass.kept, d_row, last - first);
    const T part{how_ == Heads::averaged ? Scalar<T>{1} / static_cast<Scalar<T>>(heads_) : Scalar<T>{1}};
    for (std::size_t h = 0; h < heads_; ++h) {
      const T* d_out = back.d_out + i * outputs() + (how_ == Heads::averaged ? 0 : h * width_);
      T sum{};
      for (std::uint64_t e = first; e < last; ++e) {
        const std::size_t j = neighbour(pass, i, e);
        const T share = shares[e * heads_ + h], weight = used[e * heads_ + h];
        T product{};
        for (std::size_t c = 0; c < width_; ++c) {
          const std::size_t place = j * all() + h * width_ + c;
          product += d_out[c] * z[place];
          d_z[place] += part * weight * d_out[c];
        }
        // What a share was multiplied by: 0 where it was dropped; shares are never 0 unless their exponential is.
        const T factor = value_of(share) > 0 ? weight / share : T{};
        d_share[e - first] = part * factor * product;
        sum += share * d_share[e - first];
      }
      T d_sum{};
      for (std::uint64_t e = first; e < last; ++e) {
        const std::size_t j = neighbour(pass, i, e);
        T d_score = shares[e * heads_ + h] * (d_share[e - first] - sum);
        const bool steep = value_of(from[j * heads_ + h] + at[i * heads_ + h]) > 0;
        if (!steep) d_score = T{static_cast<Scalar<T>>(leak)} * d_score;
        d_from[j * heads_ + h] += d_score;
        d_sum += d_score;
      }
      d_at[i * heads_ + h] = d_sum;
    }
  }

  template <class T>
  void unwind_scores(const LayerReturn<T>& back, const T* d_from, const T* d_at, T* d_z) const {
    const LayerPass<T>& pass = back.pass;
    const T* z = pass.kept[products].data();
    const auto spread = [&](std::size_t i, std::size_t h, T d_score, std::size_t which) {
      for (std::size_t c = 0; c < width_; ++c) {
        const std::size_t place = h * width_ + c;
        d_z[i * all() + place] += d_score * pass.parameters[which + place];
        back.d_parameters[which + place] += d_score * z[i * all() + place];
      }
    };
    for (std::size_t i = 0; i < pass.rows_in; ++i) {
      for (std::size_t h = 0; h < heads_; ++h) {
        spread(i, h, d_from[i * heads_ + h], source());
        if (i < pass.rows_out) spread(i, h, d_at[i * heads_ + h], target());
      }
    }
  }

  std::size_t inputs_ = 0, width_, heads_;
  Heads how_;
  double dropout_;
};

class GatFamily final : public GraphModelFamily {
 public:
  explicit GatFamily(const scenario::Gat& config) : config_(config) {}
  GraphArchitecture build(const GraphModelShape& shape) const override {
    GraphArchitecture network{
        .name = "gat", .layers = {}, .activation = activation_of(config_.activation()), .dropout = config_.dropout()};
    std::vector<std::size_t> outputs = widths(config_.hidden(), 8, shape.classes);
    outputs.pop_back();
    for (const std::size_t width : outputs) {
      network.layers.push_back(
          std::make_unique<GatLayer>(width, config_.heads(), GatLayer::Heads::side_by_side, config_.dropout()));
    }
    network.layers.push_back(std::make_unique<GatLayer>(shape.classes, config_.output_heads(),
                                                        GatLayer::Heads::averaged, config_.dropout()));
    return network;
  }

 private:
  scenario::Gat config_;
};

const Register<GraphModelFamily, GatFamily, scenario::Gat> register_gat_family;

}  // namespace
}  // namespace souk
