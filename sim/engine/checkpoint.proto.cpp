#include "sim/engine/checkpoint.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include <google/protobuf/text_format.h>

#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/log.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

// Version 1 held the state as the bytes of one more text field; in version 2 its fields follow those of the head;
// version 3 names the model's tensors.
constexpr std::int64_t format_version = 3;
constexpr std::size_t digest_size = 64;                    // hexadecimal SHA-256 at the end of the file
constexpr std::size_t buffer_size = std::size_t{1} << 20;  // bytes written, read and sent at a time

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

/// Returns the version.
std::int64_t serialize_head(Archive& archive, Checkpoint& checkpoint) {
  std::int64_t version = format_version;
  std::int64_t round = checkpoint.round.value;
  archive.field("souk checkpoint version", version);
  SOUK_REQUIRE(version >= 1 && version <= format_version, "saved state: format version {}, this program reads 1 to {}",
               version, format_version);
  archive.field("round", round);
  archive.field("scenario", checkpoint.scenario_text);
  archive.field("stop", checkpoint.stop);
  if (version >= 3) archive.field("tensors", checkpoint.tensors);
  checkpoint.round = {static_cast<std::uint32_t>(round)};
  return version;
}

/// Part of a file.
class FilePart final : public StateSource {
 public:
  FilePart(const fs::path& path, std::uint64_t size, std::uint64_t begin = 0)
      : file_(path, std::ios::binary), left_(size) {
    file_.seekg(static_cast<std::streamoff>(begin));
  }
  std::uint64_t left() const override { return left_; }
  void read(std::span<std::byte> bytes) override {
    SOUK_EXPECT(bytes.size() <= left_);
    left_ -= bytes.size();
    file_.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    SOUK_REQUIRE(file_.good() || bytes.empty(), "saved state: could not be read");
  }

 private:
  std::ifstream file_;
  std::uint64_t left_;
};

void require_digest(const fs::path& path, std::uint64_t size) {
  FilePart body(path, size + digest_size);
  Sha256 digest;
  std::vector<std::byte> buffer(buffer_size);
  while (body.left() > digest_size) {
    const auto piece = std::span(buffer).first(std::min<std::uint64_t>(buffer_size, body.left() - digest_size));
    body.read(piece);
    digest.add(piece);
  }
  std::string expected(digest_size, '\0');
  body.read(std::as_writable_bytes(std::span(expected)));
  SOUK_REQUIRE(digest.hex() == expected, "saved state: checksum does not match");
}

Checkpoint read_checkpoint(const fs::path& path) {
  std::error_code error;
  const std::uint64_t size = fs::file_size(path, error);
  SOUK_REQUIRE(!error, "saved state: {}", error.message());
  SOUK_REQUIRE(size > digest_size, "saved state: only {} bytes", size);
  require_digest(path, size - digest_size);
  FilePart body(path, size - digest_size);
  ArchiveReader archive(body);
  Checkpoint checkpoint;
  const std::int64_t version = serialize_head(archive, checkpoint);
  if (version == 1) {
    SOUK_REQUIRE(archive.begin_text("state") == body.left(), "saved state: more than one state");
  }
  checkpoint.file = path;
  checkpoint.state_size = body.left();
  checkpoint.state_begin = size - digest_size - body.left();
  return checkpoint;
}

}  // namespace

CheckpointFile::CheckpointFile(const fs::path& path, const Checkpoint& head) : file_(path) {
  Checkpoint copy = head;
  ArchiveWriter archive(*this);
  serialize_head(archive, copy);
}

void CheckpointFile::write(std::span<const std::byte> bytes) {
  if (failure_) return;
  try {
    if (buffer_.size() + bytes.size() > buffer_size) flush();
    if (bytes.size() < buffer_size) {
      buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    } else {
      digest_.add(bytes);
      file_.write(bytes);
    }
  } catch (const std::exception&) {
    failure_ = std::current_exception();
  }
}

void CheckpointFile::flush() {
  digest_.add(buffer_);
  file_.write(buffer_);
  buffer_.clear();
}

void CheckpointFile::put_in_place() {
  if (failure_) std::rethrow_exception(failure_);
  flush();
  const std::string digest = digest_.hex();
  file_.write(std::as_bytes(std::span(digest)));
  file_.put_in_place();
}

CheckpointState::CheckpointState(const Comm& comm, const Checkpoint& checkpoint)
    : comm_(comm),
      path_(checkpoint.file),
      begin_(checkpoint.state_begin),
      left_(checkpoint.state_size),
      unread_(checkpoint.state_size) {}

void CheckpointState::read(std::span<std::byte> bytes) {
  SOUK_EXPECT(bytes.size() <= left_);
  left_ -= bytes.size();
  while (!bytes.empty()) {
    if (used_ == buffer_.size()) refill();
    const std::size_t count = std::min(bytes.size(), buffer_.size() - used_);
    std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(used_), count, bytes.begin());
    used_ += count;
    bytes = bytes.subspan(count);
  }
}

void CheckpointState::refill() {
  buffer_.resize(std::min<std::uint64_t>(buffer_size, unread_));
  comm_.run_phase(phase, [&] {
    if (comm_.rank() != 0) return;
    if (!file_.is_open()) {
      file_.open(path_, std::ios::binary);
      file_.seekg(static_cast<std::streamoff>(begin_));
    }
    file_.read(reinterpret_cast<char*>(buffer_.data()), static_cast<std::streamsize>(buffer_.size()));
    SOUK_REQUIRE(file_.good(), "{}: could not be read", path_.string());
  });
  comm_.broadcast_into(std::span(buffer_), 0);
  unread_ -= buffer_.size();
  used_ = 0;
}

OpenCheckpoint open_checkpoint(const fs::path& path) {
  std::map<std::uint32_t, fs::path> files;
  if (fs::is_directory(path)) {
    files = checkpoint_files(path / "checkpoint");
    if (files.empty()) files = checkpoint_files(path);
    SOUK_REQUIRE(!files.empty(), "{}: holds no checkpoint", path.string());
  } else {
    files[0] = path;
  }
  for (auto file = files.rbegin();; ++file) {
    try {
      Checkpoint head = read_checkpoint(file->second);
      auto state = std::make_unique<FilePart>(head.file, head.state_size, head.state_begin);
      return {std::move(head), std::move(state)};
    } catch (const InputError& error) {
      if (std::next(file) == files.rend()) throw_input_error("{}: {}", file->second.string(), error.what());
      log::warning("{}: {}; trying an older checkpoint", file->second.string(), error.what());
    }
  }
}

CheckpointStore::CheckpointStore(fs::path directory, std::uint32_t keep)
    : directory_(std::move(directory)), keep_(keep) {}

bool CheckpointStore::empty() const { return checkpoint_files(directory_).empty(); }

std::unique_ptr<CheckpointFile> CheckpointStore::begin(const Checkpoint& head) const {
  fs::create_directory(directory_);  // not its parents: a run whose directory was taken away is over
  return std::make_unique<CheckpointFile>(directory_ / fmt::format("round-{:07}.souk", head.round.value), head);
}

void CheckpointStore::commit(CheckpointFile& file) const {
  file.put_in_place();
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

std::optional<Checkpoint> share_checkpoint(const Comm& comm, const std::optional<Checkpoint>& own) {
  if (!comm.broadcast(static_cast<int>(own.has_value()), 0)) return std::nullopt;
  Checkpoint shared = own.value_or(Checkpoint());
  shared.round = comm.broadcast(shared.round, 0);
  shared.scenario_text = comm.broadcast_text(shared.scenario_text, 0);
  shared.stop = comm.broadcast_text(shared.stop, 0);
  shared.tensors = comm.broadcast_text(shared.tensors, 0);
  shared.file = comm.broadcast_text(shared.file.string(), 0);
  shared.state_begin = comm.broadcast(shared.state_begin, 0);
  shared.state_size = comm.broadcast(shared.state_size, 0);
  return shared;
}

}  // namespace souk
