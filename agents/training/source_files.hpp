#pragma once

#include <string>
#include <vector>

namespace souk::scenario {
class Scenario;
}

namespace souk {

/// A file of code that a scenario names.
struct SourceFile {
  std::string field;   ///< where, e.g. "aggregator.python.file"
  std::string path;    ///< as the scenario has it
  std::string sha256;  ///< of its content
};

/// All of them, in the order of the schema. Reads them; throws InputError, naming the field, where one is not there.
std::vector<SourceFile> source_files(const scenario::Scenario& scenario);

}  // namespace souk
