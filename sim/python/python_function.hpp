#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace souk {

/// A setting of a function, from the scenario.
struct PythonSetting {
  std::string name;
  std::variant<double, std::string, bool> value;
};

/// A function of a user's own.
struct PythonSource {
  std::string field;                  ///< of the scenario that names it, for messages: "aggregator.python"
  std::string path;                   ///< of its file
  std::string name;                   ///< "aggregate", "craft"
  std::vector<std::string> offers{};  ///< what it may be handed, by the names of arguments
  std::vector<PythonSetting> settings{};
};

enum class PythonNumber : std::uint8_t { float32, float64, int64 };

/// Memory that a function sees as a NumPy array and may not change. It must outlive the call.
struct PythonArray {
  const void* first = nullptr;
  PythonNumber type = PythonNumber::float32;
  std::vector<std::size_t> shape{};
  std::vector<std::ptrdiff_t> strides{};  ///< [shape] in bytes; empty: values lie row after row without gaps
};

using PythonValue = std::variant<std::int64_t, double, PythonArray>;

/// An array of an answer: the shapes that it may have, and what its values become.
struct PythonWanted {
  std::string name;
  PythonNumber type = PythonNumber::float64;  ///< a float
  std::vector<std::vector<std::size_t>> shapes{};
};

/// What a function is handed in a round, and what it may answer.
struct PythonCall {
  std::vector<std::pair<std::string, PythonValue>> arguments{};
  std::optional<std::string> state{};     ///< whose of its states it is handed; none: it asks for none
  std::array<std::uint32_t, 4> random{};  ///< seed of its generator, if it asks for one
  std::vector<PythonWanted> wanted{};     ///< the first is what an answer that is no dict stands for
};

/// What it answers. Arrays have a shape wanted, and every number is finite.
struct PythonAnswer {
  bool none = false;                                     ///< it answered None
  std::map<std::string, std::vector<float>> vectors{};   ///< those wanted in float32, row after row
  std::map<std::string, std::vector<double>> numbers{};  ///< those wanted in float64
  std::map<std::string, double> diagnostics{};
};

/// One function of a Python file, run by the interpreter inside this process. What it does wrong is an InputError:
/// file, line and sentence, and the user's own traceback. Not collective; several threads take turns.
class PythonFunction {
 public:
  virtual ~PythonFunction() = default;
  /// Whether it has an argument of this name, of those offered.
  virtual bool asks(std::string_view name) const = 0;
  /// Whether the file says `columnwise = True`.
  virtual bool columnwise() const = 0;
  /// What the file says in `does_not_preserve`.
  virtual const std::vector<std::string>& not_preserved() const = 0;
  virtual const std::string& path() const = 0;
  virtual PythonAnswer call(const PythonCall& call) = 0;
  /// All states that it keeps between rounds, as bytes.
  virtual std::string save_states() const = 0;
  virtual void load_states(const std::string& saved) = 0;
};

/// Runs the file and finds the function. Throws InputError naming the field where there is no such file, and with file
/// and line for whatever is wrong in it: no such function, an argument that is neither offered nor set, a setting that
/// is no argument. In a build without Python, throws what is missing.
std::unique_ptr<PythonFunction> load_python(const PythonSource& source);

}  // namespace souk
