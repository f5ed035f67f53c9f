// Codecs: bytes of floats that are encoded, and decoded, a second; beside copying them. One million values, and what a
// client's pipeline of shortening, noise and the k greatest values takes for the models of docs/performance.md.
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <google/protobuf/text_format.h>

#include "agents/communication/codec.hpp"
#include "agents/privacy/update_noise.hpp"
#include "scenarios/communication.pb.h"
#include "sim/base/streams.hpp"

namespace {

using namespace souk;

constexpr std::size_t values = 1'000'000;

std::vector<float> some_update(std::size_t d) {
  Stream random(1, {Purpose::dataset});
  std::vector<float> update(d);
  for (float& value : update) value = static_cast<float>(random.normal());
  return update;
}

struct Work {
  explicit Work(const std::string& text, std::size_t d = values)
      : layout({{.name = "weight", .shape = {1000, static_cast<std::int64_t>(d / 1000)}}}), update(some_update(d)) {
    scenario::Communication config;
    google::protobuf::TextFormat::ParseFromString(text, &config);
    codec = make_codec(config);
    message.resize(codec->bytes(layout));
    memory.resize(codec->memory(layout));
    draws = {
        .seed = 1, .own = streams::encoding(0, AgentId{1}, RoundIndex{1}), .start = streams::thin_matrices(AgentId{1})};
  }
  void encode() {
    codec->encode({.values = update, .layout = layout, .draws = draws, .memory = memory}, message);
    benchmark::DoNotOptimize(message.data());
  }
  ParameterLayout layout;
  std::vector<float> update;
  std::unique_ptr<Codec> codec;
  std::vector<std::byte> message;
  std::vector<float> memory;
  EncodingDraws draws;
};

void count(benchmark::State& state) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(values * sizeof(float)));
}

void encode(benchmark::State& state, const std::string& text) {
  Work work(text);
  for (auto _ : state) work.encode();
  count(state);
}

void decode(benchmark::State& state, const std::string& text) {
  Work work(text);
  work.encode();
  std::vector<float> decoded(values);
  for (auto _ : state) {
    work.codec->decode(work.message, work.layout, decoded);
    benchmark::DoNotOptimize(decoded.data());
  }
  count(state);
}

void copy(benchmark::State& state) {
  const std::vector<float> update = some_update(values);
  std::vector<float> other(values);
  for (auto _ : state) {
    std::memcpy(other.data(), update.data(), values * sizeof(float));
    benchmark::DoNotOptimize(other.data());
    benchmark::ClobberMemory();
  }
  count(state);
}
BENCHMARK(copy);

/// Encoded, decoded, shortened, noised: what is done to a client's update of so many values.
void pipeline(benchmark::State& state) {
  Work work("top_k {}", static_cast<std::size_t>(state.range(0)));
  std::vector<float> decoded(work.update.size());
  for (auto _ : state) {
    work.encode();
    work.codec->decode(work.message, work.layout, decoded);
    shorten(decoded, 1.0);
    add_panel_noise(decoded, 0.1, 1,
                    [](std::size_t panel) { return streams::noise_of_client(0, AgentId{1}, RoundIndex{1}, panel); });
    benchmark::DoNotOptimize(decoded.data());
  }
}
BENCHMARK(pipeline)->Arg(199'000)->Arg(1'663'000)->Unit(benchmark::kMillisecond);

const bool registered = [] {
  for (const char* text : {"top_k {}", "random_k {}", "qsgd {}", "qsgd { levels: 4 bucket: 0 }", "tern_grad {}",
                           "one_bit {}", "ef_sign {}", "power_sgd {}"}) {
    benchmark::RegisterBenchmark((std::string("encode/") + text).c_str(),
                                 [text](benchmark::State& s) { encode(s, text); });
    benchmark::RegisterBenchmark((std::string("decode/") + text).c_str(),
                                 [text](benchmark::State& s) { decode(s, text); });
  }
  return true;
}();

}  // namespace

BENCHMARK_MAIN();
