// Our half of tests/bench/compare_pytorch: trains the clients of a work folder through LocalTrainer and reports the
// seconds. The folder holds what compare_pytorch.py wrote:
//   features.f32 [clients, samples, features], labels.i32 [clients, samples], initial.f32 [parameters].
// Batches are in order, not shuffled, so that both halves take the same steps: the sample order of a client is undone
// before training (see ordered_samples).
//   compare_pytorch_bench FOLDER MODEL CLIENTS SAMPLES CHANNELS HEIGHT WIDTH BATCH RATE
// writes FOLDER/ours.f32 [clients, parameters] and prints the seconds of one pass of all clients.

#include <array>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include <cblas.h>
#include <google/protobuf/text_format.h>
#include <malloc.h>

#include "scenarios/learning.pb.h"
#include "sim/base/contract.hpp"
#include "sim/data/dataset.hpp"
#include "sim/learn/local_trainer.hpp"
#include "sim/learn/model.hpp"
#include "sim/learn/row_learner.hpp"
#include "sim/learn/torch_network.hpp"

namespace souk {
namespace {

template <class Value>
std::vector<Value> read(const std::string& path, std::size_t size) {
  std::vector<Value> values(size);
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(size * sizeof(Value)));
  SOUK_REQUIRE(file.good(), "{}: cannot read {} values", path, size);
  return values;
}

struct Task {
  std::string folder, model;
  std::size_t clients, samples;
  std::array<std::size_t, 3> image;
  std::uint32_t batch;
  double rate;
};

/// The indices that LocalTrainer's shuffle puts into ascending order: its permutation, inverted.
std::vector<SampleIndex> ordered_samples(const LocalContext& context, std::size_t first, std::size_t count) {
  std::vector<SampleIndex> shuffled(count), ordered(count);
  std::iota(shuffled.begin(), shuffled.end(), SampleIndex{0});
  Stream(context.seed, StreamKey{Purpose::batch_order, context.agent, context.round, 0}).shuffle(shuffled);
  for (std::size_t i = 0; i < count; ++i) ordered[shuffled[i]] = static_cast<SampleIndex>(first + i);
  return ordered;
}

template <class Message>
Message parse(const std::string& text) {
  Message message;
  SOUK_REQUIRE(google::protobuf::TextFormat::ParseFromString(text, &message), "cannot parse {}", text);
  return message;
}

/// Behind "torch:" on LibTorch's operators, behind "scripted:" as PyTorch has saved it; otherwise as runs have it.
std::unique_ptr<Network> network_of(const Task& task, const ModelShape& shape) {
  const auto model = [](const std::string& name) { return parse<scenario::Model>(name + " {}"); };
  if (task.model.starts_with("torch:")) {
    return make_torch_network(make_architecture(model(task.model.substr(6)), shape), "cpu", make_objective({}, true));
  }
  if (task.model.starts_with("scripted:")) {
    const std::string file = "torchscript { file: \"" + task.folder + "/network.pt\" }";
    return make_network(parse<scenario::Model>(file), shape, "cpu");
  }
  return make_network(model(task.model), shape, "cpu");
}

void run(const Task& task) {
  const ModelShape shape{.input = task.image, .classes = 10};
  const auto network = network_of(task, shape);
  const std::size_t total = task.clients * task.samples, dimension = network->layout().dimension();
  const std::size_t features = task.image[0] * task.image[1] * task.image[2];
  auto values = read<float>(task.folder + "/features.f32", total * features);
  auto labels = read<std::int32_t>(task.folder + "/labels.i32", total);
  const auto initial = read<float>(task.folder + "/initial.f32", dimension);
  const DatasetShape data_shape{
      .samples = total, .sample_shape = task.image, .class_names = std::vector<std::string>(10, "digit")};
  const Dataset data(data_shape, {.u8 = {}, .f32 = values, .labels = labels, .groups = {}}, raw_scaling(data_shape));
  const auto training =
      parse<scenario::Training>(fmt::format("sgd {{}} batch_size: {} learning_rate: {}", task.batch, task.rate));
  RowLearner learner(training, *network, data);
  LocalTrainer trainer(training, learner);

  std::vector<float> updates(task.clients * dimension);
  std::vector<std::vector<SampleIndex>> mine;
  std::vector<LocalContext> contexts;
  for (std::size_t client = 0; client < task.clients; ++client) {
    contexts.push_back({.agent = AgentId{static_cast<std::uint32_t>(client)}, .round = RoundIndex{1}});
    mine.push_back(ordered_samples(contexts.back(), client * task.samples, task.samples));
  }
  const auto train_all = [&] {
    for (std::size_t client = 0; client < task.clients; ++client) {
      trainer.train(initial, mine[client], {}, contexts[client],
                    std::span(updates).subspan(client * dimension, dimension));
    }
  };
  train_all();  // the caches and buffers of a running simulation are warm
  const std::clock_t start = std::clock();
  train_all();
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  for (std::size_t i = 0; i < updates.size(); ++i) updates[i] += initial[i % dimension];
  std::ofstream(task.folder + "/ours.f32", std::ios::binary)
      .write(reinterpret_cast<const char*>(updates.data()),
             static_cast<std::streamsize>(updates.size() * sizeof(float)));
  fmt::print("{:.6f}\n", seconds);
}

}  // namespace
}  // namespace souk

int main(int argc, char** argv) {
  if (argc != 10) {
    std::fputs("compare_pytorch_bench FOLDER MODEL CLIENTS SAMPLES CHANNELS HEIGHT WIDTH BATCH RATE\n", stderr);
    return souk::exit_bad_input;
  }
  openblas_set_num_threads(1);
  mallopt(M_MMAP_THRESHOLD, 1 << 30);  // as the program does: freed memory is used again
  mallopt(M_TRIM_THRESHOLD, -1);
  const auto size = [&](int i) { return static_cast<std::size_t>(std::stoul(argv[i])); };
  try {
    souk::run({.folder = argv[1],
               .model = argv[2],
               .clients = size(3),
               .samples = size(4),
               .image = {size(5), size(6), size(7)},
               .batch = static_cast<std::uint32_t>(size(8)),
               .rate = std::stod(argv[9])});
  } catch (const souk::InputError& error) {
    fmt::print(stderr, "compare_pytorch_bench: {}\n", error.what());
    return souk::exit_bad_input;
  }
  return souk::exit_done;
}
