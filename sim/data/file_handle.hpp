#pragma once

#include <cstdio>
#include <memory>

namespace souk {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

/// An open file, closed where it goes out of scope.
using FileHandle = std::unique_ptr<std::FILE, CloseFile>;

}  // namespace souk
