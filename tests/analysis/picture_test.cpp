#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "analysis/base64.hpp"
#include "analysis/png.hpp"
#include "analysis/sinks/picture_sink.hpp"
#include "sim/base/atomic_file.hpp"

namespace souk::picture_test {
namespace {

using ::testing::ElementsAre;

std::uint32_t number_at(const std::string& file, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = (number << 8U) | static_cast<std::uint8_t>(file[at + i]);
  return number;
}

/// The lines of a picture, each behind a byte for its filter; checks the chunks' sums.
std::string lines_of(const std::string& file) {
  EXPECT_EQ(file.substr(0, 8), "\x89PNG\r\n\x1a\n");
  std::string lines;
  for (std::size_t at = 8; at < file.size();) {
    const std::size_t length = number_at(file, at);
    const auto* checked = reinterpret_cast<const Bytef*>(file.data() + at + 4);
    EXPECT_EQ(number_at(file, at + 8 + length), crc32(0, checked, static_cast<uInt>(length + 4)));
    if (file.substr(at + 4, 4) == "IDAT") {
      uLongf size = 1000;
      lines.resize(size);
      EXPECT_EQ(uncompress(reinterpret_cast<Bytef*>(lines.data()), &size, checked + 4, static_cast<uLong>(length)),
                Z_OK);
      lines.resize(size);
    }
    at += 12 + length;
  }
  return lines;
}

TEST(Png, holds_the_lines_of_a_picture) {
  const std::string file = png_of({.name = "a", .channels = 3, .height = 2, .width = 1, .values = {1, 2, 3, 4, 5, 6}});

  EXPECT_EQ(number_at(file, 16), 1U);  // width
  EXPECT_EQ(number_at(file, 20), 2U);
  EXPECT_THAT(lines_of(file), ElementsAre(0, 1, 2, 3, 0, 4, 5, 6));
}

// RFC 4648, section 10.
TEST(Base64, is_as_the_rfc_has_it) {
  const auto text = [](const std::string& plain) { return base64(std::as_bytes(std::span(plain))); };

  EXPECT_EQ(text(""), "");
  EXPECT_EQ(text("f"), "Zg==");
  EXPECT_EQ(text("fo"), "Zm8=");
  EXPECT_EQ(text("foo"), "Zm9v");
  EXPECT_EQ(text("foobar"), "Zm9vYmFy");
}

/// Counts what it is given.
class CountingSink final : public MetricSink {
 public:
  void describe(const std::map<std::string, std::string>&) override {}
  void commit_set_up(const SetUpRecord&) override {}
  void commit(const RoundRecord&) override { ++rounds; }
  void rewind(RoundIndex) override {}
  int rounds = 0;
};

TEST(PictureSink, writes_pictures_beside_the_results_large_enough_to_be_looked_at) {
  const auto folder = std::filesystem::path(::testing::TempDir()) / "pictures";
  std::filesystem::remove_all(folder);
  CountingSink inner;
  const auto sink = with_pictures(inner, folder);

  RoundRecord record;
  record.round = {1};
  sink->commit(record);
  EXPECT_FALSE(std::filesystem::exists(folder));
  record.round = {2};
  record.pictures.push_back({.name = "x-0002", .channels = 1, .height = 1, .width = 100, .values = {}});
  record.pictures.back().values.resize(100, 7);
  sink->commit(record);

  EXPECT_EQ(inner.rounds, 2);
  const std::vector<std::byte> bytes = read_file(folder / "x-0002.png");
  const std::string file(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  EXPECT_EQ(number_at(file, 16), 200U);
  EXPECT_EQ(lines_of(file).size(), 2U * 201U);
}

}  // namespace
}  // namespace souk::picture_test
