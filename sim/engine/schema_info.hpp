#pragma once

#include <string>
#include <utility>
#include <vector>

namespace google::protobuf {
class Descriptor;
class EnumDescriptor;
class EnumValueDescriptor;
class FieldDescriptor;
class OneofDescriptor;
}  // namespace google::protobuf

namespace souk {

/// The schema as protoc describes it, with comments: the bytes of a google.protobuf.FileDescriptorSet.
std::string schema_descriptors();

/// The comment above something in the .proto files, as one paragraph; "" if it has none.
std::string comment_of(const google::protobuf::Descriptor& type);
std::string comment_of(const google::protobuf::FieldDescriptor& field);
std::string comment_of(const google::protobuf::EnumValueDescriptor& value);

/// "uint32, default 10, [1, 100], samples", from the field's type and options.
std::string facts_of(const google::protobuf::FieldDescriptor& field);
/// Default as the text format writes it; "" for messages and lists.
std::string default_text(const google::protobuf::FieldDescriptor& field);

/// Formula, breakdown point and cost of a method, as (what, text); only those that the schema gives.
std::vector<std::pair<std::string, std::string>> method_facts_of(const google::protobuf::Descriptor& type);

/// BibTeX entries of a message.
std::vector<std::string> bibtex_of(const google::protobuf::Descriptor& type);

/// A kind of plug-in: a oneof whose members are all messages.
struct PluginKind {
  std::string name;  ///< plural, as `souk list` says it: aggregators, models, …
  const google::protobuf::OneofDescriptor* choice = nullptr;
};
std::vector<PluginKind> plugin_kinds();

/// Names of the plug-ins of a kind, in the order of the schema.
std::vector<std::string> plugin_names(const std::string& kind);

/// Every message of the schema reachable from Scenario or Grid, in order of first mention.
std::vector<const google::protobuf::Descriptor*> schema_messages();

}  // namespace souk
