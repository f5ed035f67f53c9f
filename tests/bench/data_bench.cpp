// What start-up and every mini-batch cost in sim/data. Compare copy_features with a memcpy of its output, and glyphs
// with the 0.15 s that 12,000 images may take at start-up.
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <zlib.h>

#include "scenarios/data.pb.h"
#include "scenarios/partition.pb.h"
#include "sim/base/random.hpp"
#include "sim/data/dataset.hpp"
#include "sim/data/dataset_reader.hpp"
#include "sim/data/partitioner.hpp"

namespace souk {
namespace {

void draw_glyphs(benchmark::State& state) {
  scenario::Data data;
  data.mutable_glyphs();
  const auto reader = open_dataset(data, {});
  const std::size_t n = 1000, features = reader->shape(Split::train).features();
  std::vector<std::uint8_t> bytes(n * features);
  std::vector<std::int32_t> labels(n);
  for (auto _ : state) {
    reader->read(Split::train, {0, n}, {bytes, {}, labels, {}});
    benchmark::DoNotOptimize(bytes.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(n));
}
BENCHMARK(draw_glyphs)->Unit(benchmark::kMillisecond);

// Batches of 64 random samples out of 10,000; bytes counted: those written.
void copy_features(benchmark::State& state) {
  const bool is_bytes = state.range(0) == 1;
  const auto channels = static_cast<std::size_t>(state.range(1)), plane = static_cast<std::size_t>(state.range(2));
  DatasetShape shape{10'000, {channels, 1, plane}, is_bytes ? Element::u8 : Element::f32, {"a", "b"}, 0};
  std::vector<std::uint8_t> u8(is_bytes ? shape.samples * shape.features() : 0, 7);
  std::vector<float> f32(is_bytes ? 0 : shape.samples * shape.features(), 7);
  std::vector<std::int32_t> labels(shape.samples);
  const Dataset data(shape, {u8, f32, labels, {}}, unit_scaling(shape));
  std::vector<SampleIndex> which(64);
  std::vector<float> out(which.size() * shape.features());
  Stream random(1, StreamKey{Purpose::batch_order, nobody, RoundIndex{0}});
  for (auto _ : state) {
    for (SampleIndex& sample : which) sample = random.below(10'000);
    data.copy_features(which, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size() * sizeof(float)));
}
BENCHMARK(copy_features)
    ->ArgNames({"u8", "channels", "plane"})
    ->Args({1, 1, 784})
    ->Args({1, 3, 1024})
    ->Args({0, 105, 1});

void fit_standard(benchmark::State& state) {
  const DatasetShape shape{10'000, {1, 28, 28}, Element::u8, {"a", "b"}, 0};
  std::vector<std::uint8_t> u8(shape.samples * shape.features(), 7);
  for (auto _ : state) benchmark::DoNotOptimize(fit_standard_scaling(shape, {u8, {}, {}, {}}));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(u8.size()));
}
BENCHMARK(fit_standard)->Unit(benchmark::kMillisecond);

void write_idx(const std::string& path, std::vector<std::uint8_t> header, std::size_t values, bool labels) {
  Stream random(1, StreamKey{Purpose::dataset, nobody, RoundIndex{0}});
  for (std::size_t i = 0; i < values; ++i) {
    const std::uint32_t word = random.next();  // half of the pixels are paper, as in real sets
    header.push_back(static_cast<std::uint8_t>(labels ? word % 10 : (word & 256) != 0 ? word & 255 : 0));
  }
  const gzFile file = gzopen(path.c_str(), "wb6");
  gzwrite(file, header.data(), static_cast<unsigned>(header.size()));
  gzclose(file);
}

// 10,000 images of 28 x 28 pixels, packed; bytes counted: unpacked.
void load_packed_idx(benchmark::State& state) {
  const std::string directory = (std::filesystem::temp_directory_path() / "souk-data-bench").string();
  std::filesystem::create_directories(directory);
  for (const std::string split : {"train", "t10k"}) {
    write_idx(directory + "/" + split + "-images-idx3-ubyte.gz", {0, 0, 8, 3, 0, 0, 39, 16, 0, 0, 0, 28, 0, 0, 0, 28},
              7'840'000, false);
    write_idx(directory + "/" + split + "-labels-idx1-ubyte.gz", {0, 0, 8, 1, 0, 0, 39, 16}, 10'000, true);
  }
  scenario::Data data;
  data.mutable_idx()->set_directory(directory);
  std::vector<std::uint8_t> bytes(7'840'000);
  std::vector<std::int32_t> labels(10'000);
  for (auto _ : state) open_dataset(data, {})->read(Split::train, {0, 10'000}, {bytes, {}, labels, {}});
  state.SetBytesProcessed(state.iterations() * 7'840'000);
  std::filesystem::remove_all(directory);
}
BENCHMARK(load_packed_idx)->Unit(benchmark::kMillisecond);

// 1,000,000 samples of ten classes to 100,000 clients.
void deal_to_many(benchmark::State& state, const std::string& rule) {
  scenario::Partition partition;
  partition.GetReflection()->MutableMessage(&partition, partition.GetDescriptor()->FindFieldByName(rule));
  std::vector<std::int32_t> labels(1'000'000);
  std::vector<std::uint32_t> groups(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    labels[i] = static_cast<std::int32_t>(i % 10), groups[i] = static_cast<std::uint32_t>(i / 10);
  }
  for (auto _ : state) benchmark::DoNotOptimize(deal_samples(partition, {labels, groups, 10, 100'000, 0}, 1));
}
BENCHMARK_CAPTURE(deal_to_many, iid, "iid")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(deal_to_many, dirichlet, "dirichlet")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(deal_to_many, balanced_dirichlet, "balanced_dirichlet")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(deal_to_many, shards, "shards")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(deal_to_many, classes_per_client, "classes_per_client")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(deal_to_many, quantity, "quantity")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(deal_to_many, label_group, "label_group")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(deal_to_many, one_class_expert, "one_class_expert")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(deal_to_many, gamma_similarity, "gamma_similarity")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(deal_to_many, natural, "natural")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace souk

BENCHMARK_MAIN();
