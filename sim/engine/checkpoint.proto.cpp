#include "sim/engine/checkpoint.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>

#include <google/protobuf/text_format.h>

#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/atomic_file.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/hash.hpp"
#include "sim/base/log.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t format_version = 1;
constexpr std::size_t digest_size = 64;  // hexadecimal SHA-256 at the end of the file

/// Files by round.
std::map<std::uint32_t, fs::path> checkpoint_files(const fs::path& directory) {
  std::map<std::uint32_t, fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("round-", 0) != 0 || entry.path().extension() != ".souk") continue;
    std::uint32_t round = 0;
    std::from_chars(name.data() + 6, name.data() + name.size(), round);
    files[round] = entry.path();
  }
  return files;
}

void serialize(Archive& archive, Checkpoint& checkpoint) {
  std::int64_t version = format_version;
  std::int64_t round = checkpoint.round.value;
  std::string state(reinterpret_cast<const char*>(checkpoint.state.data()), checkpoint.state.size());
  archive.field("souk checkpoint version", version);
  SOUK_REQUIRE(version == format_version, "saved state: format version {}, this program reads {}", version,
               format_version);
  archive.field("round", round);
  archive.field("scenario", checkpoint.scenario_text);
  archive.field("stop", checkpoint.stop);
  archive.field("state", state);
  checkpoint.round = {static_cast<std::uint32_t>(round)};
  const auto bytes = std::as_bytes(std::span(state));
  checkpoint.state.assign(bytes.begin(), bytes.end());
}

Checkpoint read_checkpoint(const fs::path& path) {
  const std::vector<std::byte> bytes = read_file(path);
  SOUK_REQUIRE(bytes.size() > digest_size, "saved state: only {} bytes", bytes.size());
  const auto body = std::span(bytes).first(bytes.size() - digest_size);
  const std::string digest(reinterpret_cast<const char*>(bytes.data()) + body.size(), digest_size);
  SOUK_REQUIRE(sha256_hex(body) == digest, "saved state: checksum does not match");
  LoadArchive archive(body);
  Checkpoint checkpoint;
  serialize(archive, checkpoint);
  archive.expect_end();
  return checkpoint;
}

}  // namespace

CheckpointStore::CheckpointStore(fs::path directory, std::uint32_t keep)
    : directory_(std::move(directory)), keep_(keep) {}

bool CheckpointStore::empty() const { return checkpoint_files(directory_).empty(); }

void CheckpointStore::commit(const Checkpoint& checkpoint) const {
  fs::create_directory(directory_);  // not its parents: a run whose directory was taken away is over
  SaveArchive archive;
  Checkpoint copy = checkpoint;
  serialize(archive, copy);
  std::vector<std::byte> bytes = archive.bytes();
  const std::string digest = sha256_hex(std::span<const std::byte>(bytes));
  const auto digest_bytes = std::as_bytes(std::span(digest));
  bytes.insert(bytes.end(), digest_bytes.begin(), digest_bytes.end());
  write_file_atomically(directory_ / fmt::format("round-{:07}.souk", checkpoint.round.value), bytes);
  std::map<std::uint32_t, fs::path> files = checkpoint_files(directory_);
  while (files.size() > keep_) {
    std::error_code ignored;  // an old checkpoint that cannot be removed only takes room
    fs::remove(files.begin()->second, ignored);
    files.erase(files.begin());
  }
}

std::optional<Checkpoint> CheckpointStore::latest(const scenario::Scenario& scenario) const {
  const auto files = checkpoint_files(directory_);
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    Checkpoint checkpoint;
    try {
      checkpoint = read_checkpoint(file->second);
    } catch (const InputError& error) {
      log::warning("{}: {}; trying an older checkpoint", file->second.string(), error.what());
      continue;
    }
    scenario::Scenario saved;
    SOUK_REQUIRE(google::protobuf::TextFormat::ParseFromString(checkpoint.scenario_text, &saved),
                 "{}: its scenario cannot be read by this version", file->second.string());
    const auto difference = first_difference(saved, scenario);
    SOUK_REQUIRE(!difference, "{}: is of another scenario: {} (first the checkpoint's, then yours)",
                 file->second.string(), *difference);
    return checkpoint;
  }
  return std::nullopt;
}

}  // namespace souk
