#include "sim/python/python_function.hpp"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>

#include <pybind11/embed.h>
#include <pybind11/numpy.h>

#include "sim/base/atomic_file.hpp"
#include "sim/base/contract.hpp"
#include "sim/data/data_path.hpp"

namespace souk {
namespace {

namespace py = pybind11;

constexpr const char* door_text =
#include "python_door.inc"
    ;

/// The interpreter of this process. It is never ended: what it holds may be asked for until the last object is gone.
class Interpreter {
 public:
  static Interpreter& instance() {
    static Interpreter* const interpreter = new Interpreter;
    return *interpreter;
  }
  /// A name of door.py. The caller holds the interpreter's lock.
  py::object of_door(const char* name) const { return py::reinterpret_borrow<py::object>(door_[name]); }

 private:
  Interpreter() {
    // Sums over more threads have other bits; NumPy's libraries read these when they are loaded.
    for (const char* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}) setenv(name, "1", 1);
    start();
    open_door();
    PyEval_SaveThread();  // whoever works with Python takes its lock
  }

  /// Nothing that differs from process to process decides anything: no hashes with random seeds, no locale; and no
  /// signal handlers, which are the program's.
  static void start() {
    PyPreConfig before;
    PyPreConfig_InitPythonConfig(&before);
    before.configure_locale = 0;
    before.coerce_c_locale = 0;
    before.utf8_mode = 1;
    require(Py_PreInitialize(&before));
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    config.parse_argv = 0;
    config.install_signal_handlers = 0;
    config.use_hash_seed = 1;
    config.hash_seed = 0;
    config.write_bytecode = 0;
    config.safe_path = true;
    require(PyConfig_SetString(&config, &config.program_name, SOUK_PYTHON_EXECUTABLE));
    require(Py_InitializeFromConfig(&config));
    PyConfig_Clear(&config);
  }

  void open_door() {
    const py::module_ builtins = py::module_::import("builtins");
    door_ = py::dict();
    door_["__builtins__"] = builtins;
    door_["__name__"] = "souk_door";
    builtins.attr("exec")(builtins.attr("compile")(door_text, "<souk>", "exec"), door_);
  }

  static void require(const PyStatus& status) {
    SOUK_REQUIRE(!PyStatus_Exception(status), "Python does not start: {}",
                 status.err_msg == nullptr ? "no reason given" : status.err_msg);
  }

  py::object door_;  ///< a dict, once there is an interpreter
};

/// Runs `work` under the interpreter's lock. A Refusal of the door is an InputError.
template <class Work>
auto in_python(const Work& work) {
  const Interpreter& interpreter = Interpreter::instance();
  const py::gil_scoped_acquire lock;
  try {
    return work(interpreter);
  } catch (py::error_already_set& error) {
    if (!error.matches(interpreter.of_door("Refusal"))) throw std::runtime_error(error.what());
    throw InputError(py::cast<std::string>(py::str(error.value())));
  }
}

std::size_t bytes_of(PythonNumber type) { return type == PythonNumber::float32 ? 4 : 8; }

py::dtype dtype_of(PythonNumber type) {
  switch (type) {
    case PythonNumber::float32:
      return py::dtype::of<float>();
    case PythonNumber::float64:
      return py::dtype::of<double>();
    default:
      return py::dtype::of<std::int64_t>();
  }
}

/// A view that cannot be written to.
py::object view_of(const PythonArray& array) {
  std::vector<py::ssize_t> strides(array.strides.begin(), array.strides.end());
  auto step = static_cast<py::ssize_t>(bytes_of(array.type));
  for (std::size_t k = array.shape.size(); array.strides.empty() && k-- > 0;) {
    strides.insert(strides.begin(), step);
    step *= static_cast<py::ssize_t>(array.shape[k]);
  }
  const py::array view(dtype_of(array.type), std::vector<py::ssize_t>(array.shape.begin(), array.shape.end()), strides,
                       array.first, py::none());
  view.attr("setflags")(py::arg("write") = false);
  return view;
}

py::object object_of(const PythonValue& value) {
  if (const auto* array = std::get_if<PythonArray>(&value)) return view_of(*array);
  if (const auto* number = std::get_if<double>(&value)) return py::float_(*number);
  return py::int_(std::get<std::int64_t>(value));
}

template <class T>
std::vector<T> values_of(const py::handle& object) {
  const auto array = py::cast<py::array_t<T, py::array::c_style>>(object);
  return {array.data(), array.data() + array.size()};
}

/// An object of the interpreter's, let go under its lock by whoever is the last to hold it.
struct HeldObject {
  HeldObject() = default;
  HeldObject(const HeldObject&) = delete;
  HeldObject& operator=(const HeldObject&) = delete;
  ~HeldObject() {
    if (!object) return;
    const py::gil_scoped_acquire lock;
    object = py::object();
  }
  py::object object;
};

class EmbeddedFunction final : public PythonFunction {
 public:
  EmbeddedFunction(const PythonSource& source, const std::string& text) : path_(source.path) {
    in_python([&](const Interpreter& interpreter) {
      py::dict settings;
      for (const PythonSetting& setting : source.settings) {
        std::visit([&](const auto& value) { settings[py::str(setting.name)] = value; }, setting.value);
      }
      py::list offers;
      for (const std::string& offer : source.offers) offers.append(offer);
      function_.object = interpreter.of_door("Function")(source.path, py::bytes(text), source.name, offers, settings);
      for (const py::handle& name : function_.object.attr("asks")) asks_.push_back(py::cast<std::string>(name));
      columnwise_ = py::cast<bool>(function_.object.attr("columnwise")());
      for (const py::handle& word : function_.object.attr("not_preserved")()) {
        not_preserved_.push_back(py::cast<std::string>(word));
      }
    });
  }

  bool asks(std::string_view name) const override {
    for (const std::string& asked : asks_) {
      if (asked == name) return true;
    }
    return false;
  }
  bool columnwise() const override { return columnwise_; }
  const std::vector<std::string>& not_preserved() const override { return not_preserved_; }
  const std::string& path() const override { return path_; }

  PythonAnswer call(const PythonCall& call) override {
    return in_python([&](const Interpreter&) {
      PythonAnswer answer = answer_of(call, ask(call));
      function_.object.attr("take_back")();
      return answer;
    });
  }

  std::string save_states() const override {
    return in_python([&](const Interpreter&) { return py::cast<std::string>(function_.object.attr("save")()); });
  }
  void load_states(const std::string& saved) override {
    in_python([&](const Interpreter&) { function_.object.attr("load")(py::bytes(saved)); });
  }

 private:
  py::object ask(const PythonCall& call) const {
    py::dict lent, wanted;
    for (const auto& [name, value] : call.arguments) lent[py::str(name)] = object_of(value);
    for (const PythonWanted& part : call.wanted) {
      py::list shapes;
      for (const std::vector<std::size_t>& shape : part.shapes) {
        py::tuple sizes(shape.size());
        for (std::size_t k = 0; k < shape.size(); ++k) sizes[k] = shape[k];
        shapes.append(sizes);
      }
      wanted[py::str(part.name)] = py::make_tuple(dtype_of(part.type), shapes);
    }
    py::list seeds;
    for (const std::uint32_t word : call.random) seeds.append(word);
    const py::object state = call.state ? py::object(py::str(*call.state)) : py::object(py::none());
    return function_.object.attr("call")(std::move(lent), state, seeds, wanted, call.wanted.front().name);
  }

  /// In memory of its own: arrays may be views of what was lent.
  static PythonAnswer answer_of(const PythonCall& call, const py::object& answered) {
    PythonAnswer answer;
    answer.none = answered.is_none();
    if (answer.none) return answer;
    const auto parts = py::cast<py::tuple>(answered);
    const auto arrays = py::cast<py::dict>(parts[0]);
    for (const PythonWanted& part : call.wanted) {
      if (!arrays.contains(part.name)) continue;
      const py::handle array = arrays[py::str(part.name)];
      if (part.type == PythonNumber::float32) {
        answer.vectors[part.name] = values_of<float>(array);
      } else {
        answer.numbers[part.name] = values_of<double>(array);
      }
    }
    for (const auto& [name, value] : py::cast<py::dict>(parts[1])) {
      answer.diagnostics[py::cast<std::string>(name)] = py::cast<double>(value);
    }
    return answer;
  }

  std::string path_;
  HeldObject function_;
  std::vector<std::string> asks_, not_preserved_;
  bool columnwise_ = false;
};

}  // namespace

std::unique_ptr<PythonFunction> load_python(const PythonSource& source) {
  PythonSource found = source;
  found.path = data_path(source.field + ".file", source.path);
  SOUK_REQUIRE(std::filesystem::is_regular_file(found.path), "{}.file = \"{}\": is no file", source.field, source.path);
  try {
    return std::make_unique<EmbeddedFunction>(found, read_text_file(found.path));
  } catch (const InputError& error) {
    throw_input_error("{}.file: {}", source.field, error.what());
  }
}

}  // namespace souk
