#include "sim/base/archive.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/atomic_file.hpp"
#include "sim/base/error.hpp"
#include "sim/base/hash.hpp"

namespace souk::archive_test {
namespace {

struct Everything {
  std::vector<float> floats{1.5F, -2.0F};
  std::vector<double> doubles{0.1};
  std::vector<std::int64_t> integers{};
  std::int64_t integer = -7;
  double real = 2.5;
  std::string text = "souk";
  void serialize(Archive& archive) {
    archive.field("floats", floats);
    archive.field("doubles", doubles);
    archive.field("integers", integers);
    archive.field("integer", integer);
    archive.field("real", real);
    archive.field("text", text);
  }
  bool operator==(const Everything&) const = default;
};

std::vector<std::byte> saved() {
  SaveArchive archive;
  Everything().serialize(archive);
  return archive.bytes();
}

TEST(Archive, gives_back_what_was_saved) {
  const std::vector<std::byte> bytes = saved();
  Everything loaded{{}, {}, {1}, 0, 0, ""};
  LoadArchive archive(bytes);
  loaded.serialize(archive);
  archive.expect_end();

  EXPECT_EQ(loaded, Everything());
}

TEST(Archive, refuses_another_field_and_every_truncation) {
  const std::vector<std::byte> bytes = saved();
  std::vector<double> other;
  LoadArchive wrong(bytes);
  EXPECT_THROW(wrong.field("floats", other), InputError);

  for (std::size_t size = 0; size < bytes.size(); ++size) {
    LoadArchive archive(std::span<const std::byte>(bytes).first(size));
    Everything loaded;
    EXPECT_THROW(loaded.serialize(archive), InputError) << size;
  }
}

TEST(Archive, floats_in_pieces_are_the_bytes_of_a_vector) {
  std::vector<float> values{1.0F, 2.0F, 3.0F};
  SaveArchive as_vector, in_pieces;
  as_vector.field("v", values);
  in_pieces.begin_floats("v", 3);
  in_pieces.piece(std::span(values).first(2));
  in_pieces.piece(std::span(values).subspan(2));
  EXPECT_EQ(in_pieces.bytes(), as_vector.bytes());

  std::vector<float> loaded(3);
  LoadArchive load(as_vector.bytes());
  load.begin_floats("v", 3);
  load.piece(std::span(loaded).first(1));
  load.piece(std::span(loaded).subspan(1));
  load.expect_end();
  EXPECT_EQ(loaded, values);
  LoadArchive shorter(as_vector.bytes());
  EXPECT_THROW(shorter.begin_floats("v", 4), InputError);
}

TEST(Hash, of_pieces_is_that_of_the_whole) {
  const std::string text = "what comes in pieces";
  Sha256 hash;
  for (const char& letter : text) hash.add(std::as_bytes(std::span(&letter, 1)));
  EXPECT_EQ(hash.hex(), sha256_hex(text));
}

TEST(AtomicFile, in_pieces_takes_its_place_as_a_whole_or_leaves_nothing) {
  const auto directory = std::filesystem::path(testing::TempDir()) / "souk_pieces";
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  {
    AtomicFile file(directory / "a");
    file.write(std::as_bytes(std::span("one", 3)));
    file.write(std::as_bytes(std::span("two", 3)));
    EXPECT_FALSE(std::filesystem::exists(directory / "a"));
    file.put_in_place();
    EXPECT_EQ(read_text_file(directory / "a"), "onetwo");
    AtomicFile given_up(directory / "b");
    given_up.write(std::as_bytes(std::span("one", 3)));
  }
  EXPECT_FALSE(std::filesystem::exists(directory / "b"));
  EXPECT_FALSE(std::filesystem::exists(directory / "b.tmp"));
}

TEST(Hash, is_sha256) {
  EXPECT_EQ(sha256_hex(std::string("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const std::vector<float> one{1.0F};  // 00 00 80 3f
  EXPECT_EQ(sha256_hex(std::span<const float>(one)), sha256_hex(std::string("\0\0\x80\x3f", 4)));
}

TEST(AtomicFile, replaces_the_content_and_leaves_nothing_beside_it) {
  const auto directory = std::filesystem::path(testing::TempDir()) / "souk_atomic";
  std::filesystem::create_directories(directory);
  write_file_atomically(directory / "a", "old");
  write_file_atomically(directory / "a", "new");

  EXPECT_EQ(read_text_file(directory / "a"), "new");
  EXPECT_FALSE(std::filesystem::exists(directory / "a.tmp"));
  EXPECT_THROW(write_file_atomically(directory / "none" / "a", "x"), std::runtime_error);
  EXPECT_THROW(read_text_file(directory), InputError);
  EXPECT_THROW(read_text_file(directory / "none"), InputError);
}

}  // namespace
}  // namespace souk::archive_test
