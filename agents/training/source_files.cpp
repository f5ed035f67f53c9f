#include "agents/training/source_files.hpp"

#include <google/protobuf/descriptor.h>

#include "scenarios/options.pb.h"
#include "scenarios/scenario.pb.h"
#include "sim/base/atomic_file.hpp"
#include "sim/base/hash.hpp"
#include "sim/data/data_path.hpp"
#include "sim/engine/message_walk.hpp"

namespace souk {

std::vector<SourceFile> source_files(const scenario::Scenario& scenario) {
  std::vector<SourceFile> files;
  walk(scenario, "",
       [&](const google::protobuf::Message& holder, const google::protobuf::FieldDescriptor& field, int,
           const std::string& path) {
         if (!field.options().GetExtension(scenario::source_file)) return;
         const std::string named = holder.GetReflection()->GetString(holder, &field);
         if (named.empty()) return;  // refused by who needs it
         files.push_back({path, named, sha256_hex(read_text_file(data_path(path, named)))});
       });
  return files;
}

}  // namespace souk
