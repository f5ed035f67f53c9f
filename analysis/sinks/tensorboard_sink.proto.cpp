#include "analysis/sinks/tensorboard_sink.hpp"

#include <array>
#include <chrono>
#include <cstring>
#include <fstream>

#include <unistd.h>

#include "analysis/sinks/tensorboard.pb.h"
#include "sim/base/atomic_file.hpp"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? (value >> 1) ^ 0x82F63B78U : value >> 1;
    table[i] = value;
  }
  return table;
}

std::uint32_t masked_crc(std::span<const std::byte> bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8U;
}

template <class T>
std::span<const std::byte> bytes_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

constexpr std::size_t header_size = 12;  // length and its checksum
constexpr std::size_t footer_size = 4;   // checksum of the data

class TensorboardSink final : public MetricSink {
 public:
  TensorboardSink(MetricSink& inner, const fs::path& directory)
      : inner_(inner), file_(directory / "events.out.tfevents.0000000000.souk") {
    fs::create_directories(directory);
  }
  void describe(const std::map<std::string, std::string>& facts) override { inner_.describe(facts); }
  void commit_set_up(const SetUpRecord& record) override { inner_.commit_set_up(record); }

  void commit(const RoundRecord& record) override {
    inner_.commit(record);
    tensorboard::Event event = stamped(record.round.value);
    for (const MetricValue& metric : record.metrics) {
      if (metric.agent >= 0) continue;
      auto& value = *event.mutable_summary()->add_value();
      value.set_tag(metric.label < 0 ? metric.name : fmt::format("{}/{}", metric.name, metric.label));
      value.set_simple_value(static_cast<float>(metric.value));
    }
    append(event);
  }

  void rewind(RoundIndex last_kept) override {
    inner_.rewind(last_kept);
    if (fs::exists(file_)) fs::resize_file(file_, kept_bytes(last_kept));
    if (fs::exists(file_) && fs::file_size(file_) > 0) return;
    tensorboard::Event first = stamped(0);
    first.set_file_version("brain.Event:2");
    append(first);
  }

 private:
  static tensorboard::Event stamped(std::int64_t step) {
    tensorboard::Event event;
    event.set_wall_time(std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count());
    event.set_step(step);
    return event;
  }

  void append(const tensorboard::Event& event) {
    const std::string data = event.SerializeAsString();
    const std::uint64_t length = data.size();
    const std::uint32_t length_crc = masked_crc(bytes_of(length));
    const std::uint32_t data_crc = masked_crc(std::as_bytes(std::span(data)));
    std::string record;
    const auto add = [&](std::span<const std::byte> part) {
      record.append(reinterpret_cast<const char*>(part.data()), part.size());
    };
    add(bytes_of(length));
    add(bytes_of(length_crc));
    record += data;
    add(bytes_of(data_crc));
    std::ofstream out(file_, std::ios::binary | std::ios::app);
    out.write(record.data(), static_cast<std::streamsize>(record.size()));
    out.flush();
    if (!out) throw std::runtime_error(fmt::format("cannot write {}", file_.string()));
  }

  /// Size of the leading whole records of rounds up to `last_kept`.
  std::size_t kept_bytes(RoundIndex last_kept) const {
    const std::vector<std::byte> bytes = read_file(file_);
    std::size_t kept = 0;
    while (bytes.size() - kept >= header_size + footer_size) {
      std::uint64_t length = 0;
      std::memcpy(&length, bytes.data() + kept, sizeof length);
      if (length > bytes.size() - kept - header_size - footer_size) break;
      tensorboard::Event event;
      if (!event.ParseFromArray(bytes.data() + kept + header_size, static_cast<int>(length))) break;
      if (event.step() > last_kept.value) break;
      kept += header_size + length + footer_size;
    }
    return kept;
  }

  MetricSink& inner_;
  fs::path file_;
};

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes) {
  static constexpr auto table = make_crc_table();
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const std::byte value : bytes) crc = (crc >> 8) ^ table[(crc ^ static_cast<std::uint32_t>(value)) & 0xFFU];
  return ~crc;
}

std::unique_ptr<MetricSink> with_tensorboard(MetricSink& inner, const fs::path& directory) {
  return std::make_unique<TensorboardSink>(inner, directory);
}

}  // namespace souk
