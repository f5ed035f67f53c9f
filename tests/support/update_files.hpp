#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/program.hpp"

namespace souk {

/// The bytes of a .npy file, version 1.0.
template <class Value>
std::string npy(const std::string& shape, const std::vector<Value>& values, const char* type) {
  std::string header = std::string("{'descr': '") + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size() & 0xFFU);
  bytes += static_cast<char>(header.size() >> 8U);
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value));
  return bytes;
}

/// A command of the program that turns files of updates into others, in a directory of the test's own.
class UpdateFilesTest : public testing::Test {
 protected:
  explicit UpdateFilesTest(std::string command) : command_(std::move(command)) {}
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    directory_ = std::filesystem::path(testing::TempDir()) / ("souk_" + command_) / info->name();
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(directory_ / name, std::ios::binary) << bytes;
  }
  std::string read(const std::string& name) const {
    std::ifstream in(directory_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// Values of an array that the program wrote, of this type and shape.
  template <class Value>
  std::vector<Value> values(const std::string& name, const std::string& type_and_shape) const {
    const std::string bytes = read(name);
    EXPECT_THAT(bytes, testing::HasSubstr(type_and_shape));
    const auto header = static_cast<std::size_t>(static_cast<unsigned char>(bytes.at(8))) +
                        256U * static_cast<unsigned char>(bytes.at(9));
    std::vector<Value> result((bytes.size() - 10 - header) / sizeof(Value));
    std::memcpy(result.data(), bytes.data() + 10 + header, result.size() * sizeof(Value));
    return result;
  }
  Ended run(std::vector<std::string> words) const {
    words.insert(words.begin(), {std::getenv("SOUK_PROGRAM"), command_});
    return RunningProgram(words, directory_).wait();
  }
  /// Refused as bad input in one sentence, with nothing written to a.npy.
  void expect_refused(const std::vector<std::string>& words, const std::string& message) const {
    const Ended ended = run(words);
    EXPECT_EQ(ended.exit_code, 2) << message;
    EXPECT_THAT(ended.err, testing::HasSubstr(message));
    EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
    EXPECT_EQ(ended.out, "");
    EXPECT_FALSE(std::filesystem::exists(directory_ / "a.npy"));
  }
  std::filesystem::path directory_;

 private:
  std::string command_;
};

}  // namespace souk
