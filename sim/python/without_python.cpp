#include "sim/base/contract.hpp"
#include "sim/python/python_function.hpp"

#ifndef SOUK_PYTHON

namespace souk {

std::unique_ptr<PythonFunction> load_python(const PythonSource& source) {
  throw_input_error(
      "{}.file = \"{}\": this souk was built without Python: install python3-dev, pybind11-dev and python3-numpy, and "
      "build it again",
      source.field, source.path);
}

}  // namespace souk

#endif
