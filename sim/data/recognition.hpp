#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace souk::scenario {
class Data;
}

namespace souk {

/// What a path was found to hold.
struct Recognised {
  std::string format;                    ///< for people, such as "IDX directory"
  std::shared_ptr<scenario::Data> data;  ///< as a scenario would name it
  std::vector<std::string> remarks{};    ///< sentences: what was decided and why
};

/// What is asked about a path.
struct RecognitionHints {
  std::string label;  ///< column of the class; empty: find one
};

/// Looks at a path that exists: what a format finds there, or nothing where it is not its own. Throws InputError where
/// it is, and something must be decided by the user.
using Recogniser = std::function<std::optional<Recognised>(const std::string& path, const RecognitionHints& hints)>;

/// Enters a format's recogniser: `const RegisterRecogniser idx_recogniser(20, recognise);` in the format's own file.
/// Lower orders are asked first: those that know names of files, then those that look into them.
class RegisterRecogniser {
 public:
  RegisterRecogniser(int order, Recogniser recogniser);
};

/// The first format that knows the path.
std::optional<Recognised> recognise(const std::string& path, const RecognitionHints& hints);

/// With a data message to be filled.
Recognised recognised_as(const std::string& format);

/// The file beside `path` whose name has "test" where that of `path` has "train"; empty if there is none.
std::string test_file_beside(const std::string& path);

/// Whether a path ends in one of the extensions, or in one with .gz behind it.
bool has_extension(const std::string& path, std::initializer_list<const char*> extensions);

}  // namespace souk
