#pragma once

#include <functional>
#include <string>
#include <vector>

namespace google::protobuf {
class Descriptor;
class FieldDescriptor;
class Message;
}  // namespace google::protobuf
namespace souk::scenario {
class Range;
}

namespace souk {

/// Reflection in the words this project needs: paths, elements, values. `index` is -1 for a field that is no list.

std::string element_path(const std::string& prefix, const google::protobuf::FieldDescriptor& field, int index);
/// 1 or 0 for a plain field, the length for a list.
int element_count(const google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field);
const google::protobuf::Message& nested(const google::protobuf::Message& message,
                                        const google::protobuf::FieldDescriptor& field, int index);
void for_each_nested(google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field,
                     const std::function<void(google::protobuf::Message&)>& act);
/// As the text format writes it.
std::string value_text(const google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field,
                       int index);
/// Of a number; contract: the field is one.
double numeric_value(const google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field,
                     int index);
/// "[0, 0.5)", "at least 1", ….
std::string range_text(const scenario::Range& range);
void set_to_default(google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field);
std::vector<std::string> field_names(const google::protobuf::Descriptor& type);

/// Visits every set scalar of the message and of those nested in it, in schema order.
using Visit = std::function<void(const google::protobuf::Message& holder,
                                 const google::protobuf::FieldDescriptor& field, int index, const std::string& path)>;
void walk(const google::protobuf::Message& message, const std::string& prefix, const Visit& visit);

}  // namespace souk
