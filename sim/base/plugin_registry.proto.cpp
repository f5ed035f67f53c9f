#include "sim/base/plugin_registry.hpp"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

/// The member of a oneof in this file that is of this type; null if there is none.
const google::protobuf::FieldDescriptor* choice_in(const google::protobuf::FileDescriptor& file,
                                                   const google::protobuf::Descriptor* type) {
  for (int m = 0; m < file.message_type_count(); ++m) {
    for (int f = 0; f < file.message_type(m)->field_count(); ++f) {
      const auto* field = file.message_type(m)->field(f);
      if (field->containing_oneof() != nullptr && field->message_type() == type) return field;
    }
  }
  return nullptr;
}

}  // namespace

const google::protobuf::Message* chosen(const google::protobuf::Message& choice, const std::string& oneof) {
  const auto* group = choice.GetDescriptor()->FindOneofByName(oneof);
  SOUK_EXPECT(group != nullptr);
  const auto* field = choice.GetReflection()->GetOneofFieldDescriptor(choice, group);
  return field == nullptr ? nullptr : &choice.GetReflection()->GetMessage(choice, field);
}

bool has_schema(const google::protobuf::Message& config, const google::protobuf::Descriptor* schema) {
  return config.GetDescriptor() == schema;
}

std::string plugin_name(const google::protobuf::Descriptor* schema) {
  if (const auto* own = choice_in(*schema->file(), schema)) return own->name();
  const auto* scenario = schema->file()->pool()->FindFileByName("scenarios/scenario.proto");
  for (int d = 0; scenario != nullptr && d < scenario->dependency_count(); ++d) {
    if (const auto* field = choice_in(*scenario->dependency(d), schema)) return field->name();
  }
  end_fatally("plug-in message " + schema->full_name() + " is in no oneof of the schema", exit_our_fault);
}

void throw_unknown_plugin(const google::protobuf::Message* config, const std::string& oneof,
                          const std::vector<std::string>& names) {
  const std::string known = fmt::format("{}", fmt::join(names, ", "));
  if (config == nullptr) throw_input_error("no {} is chosen; known: {}", oneof, known);
  throw_input_error("nothing implements {} = {}; known: {}", oneof, config->GetDescriptor()->name(), known);
}

}  // namespace souk
