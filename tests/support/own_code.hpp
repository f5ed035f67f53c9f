#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "sim/python/python_function.hpp"

namespace souk {

/// Where the examples of code of a user's own are.
inline std::filesystem::path own_code(const std::string& name) {
  return std::filesystem::path(__FILE__).parent_path().parent_path().parent_path() / "scenarios" / "own" / name;
}

/// Whether this build has no Python, so that nothing of it can be tried.
inline bool without_python() {
  try {
    load_python({.field = "test", .path = own_code("filtered_mean.py"), .name = "none", .offers = {}});
  } catch (const InputError& error) {
    return std::string(error.what()).find("without Python") != std::string::npos;
  }
  return false;
}

/// A file of a test, under the name of the test.
inline std::string own_file(const std::string& text, const std::string& name = "own.py") {
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  const auto folder = std::filesystem::path(testing::TempDir()) / "souk_own" /
                      (std::string(info->test_suite_name()) + "." + info->name());
  std::filesystem::create_directories(folder);
  std::ofstream(folder / name) << text;
  return folder / name;
}

/// The names of plug-ins that can be tried with nothing set, in this build.
inline std::vector<std::string> names_that_run(std::vector<std::string> names) {
  if (without_python()) std::erase(names, "python");
  return names;
}

/// The message of a rule as it is by itself: that of a rule of a user's own names a file.
inline std::string usual_rule(const std::string& name) {
  return name == "python" ? "python { file: \"" + own_code("filtered_mean.py").string() + "\" }" : name + " {}";
}

}  // namespace souk
