#include "sim/engine/message_walk.hpp"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include "scenarios/options.pb.h"
#include "sim/base/contract.hpp"

namespace souk {

namespace pb = google::protobuf;

std::string element_path(const std::string& prefix, const pb::FieldDescriptor& field, int index) {
  std::string path = prefix.empty() ? field.name() : prefix + "." + field.name();
  return index < 0 ? path : fmt::format("{}[{}]", path, index);
}

int element_count(const pb::Message& message, const pb::FieldDescriptor& field) {
  if (field.is_repeated()) return message.GetReflection()->FieldSize(message, &field);
  return message.GetReflection()->HasField(message, &field) ? 1 : 0;
}

const pb::Message& nested(const pb::Message& message, const pb::FieldDescriptor& field, int index) {
  return index < 0 ? message.GetReflection()->GetMessage(message, &field)
                   : message.GetReflection()->GetRepeatedMessage(message, &field, index);
}

void for_each_nested(pb::Message& message, const pb::FieldDescriptor& field,
                     const std::function<void(pb::Message&)>& act) {
  const auto* reflection = message.GetReflection();
  if (!field.is_repeated()) return act(*reflection->MutableMessage(&message, &field));
  for (int i = 0; i < reflection->FieldSize(message, &field); ++i) {
    act(*reflection->MutableRepeatedMessage(&message, &field, i));
  }
}

std::string value_text(const pb::Message& message, const pb::FieldDescriptor& field, int index) {
  std::string text;
  pb::TextFormat::PrintFieldValueToString(message, &field, index, &text);
  return text;
}

double numeric_value(const pb::Message& message, const pb::FieldDescriptor& field, int index) {
  const auto* reflection = message.GetReflection();
  const auto get = [&](auto single, auto repeated) {
    return static_cast<double>(index < 0 ? (reflection->*single)(message, &field)
                                         : (reflection->*repeated)(message, &field, index));
  };
  using Reflection = pb::Reflection;
  switch (field.cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_INT32:
      return get(&Reflection::GetInt32, &Reflection::GetRepeatedInt32);
    case pb::FieldDescriptor::CPPTYPE_INT64:
      return get(&Reflection::GetInt64, &Reflection::GetRepeatedInt64);
    case pb::FieldDescriptor::CPPTYPE_UINT32:
      return get(&Reflection::GetUInt32, &Reflection::GetRepeatedUInt32);
    case pb::FieldDescriptor::CPPTYPE_UINT64:
      return get(&Reflection::GetUInt64, &Reflection::GetRepeatedUInt64);
    case pb::FieldDescriptor::CPPTYPE_FLOAT:
      return get(&Reflection::GetFloat, &Reflection::GetRepeatedFloat);
    case pb::FieldDescriptor::CPPTYPE_DOUBLE:
      return get(&Reflection::GetDouble, &Reflection::GetRepeatedDouble);
    default:
      end_fatally("field " + field.full_name() + " has a range but is not a number", exit_our_fault);
  }
}

std::string range_text(const scenario::Range& range) {
  const bool has_low = range.has_min() || range.has_above();
  const bool has_high = range.has_max() || range.has_below();
  const double low = range.has_min() ? range.min() : range.above();
  const double high = range.has_max() ? range.max() : range.below();
  if (has_low && has_high) {
    return fmt::format("{}{}, {}{}", range.has_min() ? "[" : "(", low, high, range.has_max() ? "]" : ")");
  }
  if (has_low) return fmt::format("{} {}", range.has_min() ? "at least" : "above", low);
  return fmt::format("{} {}", range.has_max() ? "at most" : "below", high);
}

void set_to_default(pb::Message& message, const pb::FieldDescriptor& field) {
  const auto* reflection = message.GetReflection();
  switch (field.cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_INT32:
      return reflection->SetInt32(&message, &field, field.default_value_int32());
    case pb::FieldDescriptor::CPPTYPE_INT64:
      return reflection->SetInt64(&message, &field, field.default_value_int64());
    case pb::FieldDescriptor::CPPTYPE_UINT32:
      return reflection->SetUInt32(&message, &field, field.default_value_uint32());
    case pb::FieldDescriptor::CPPTYPE_UINT64:
      return reflection->SetUInt64(&message, &field, field.default_value_uint64());
    case pb::FieldDescriptor::CPPTYPE_FLOAT:
      return reflection->SetFloat(&message, &field, field.default_value_float());
    case pb::FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection->SetDouble(&message, &field, field.default_value_double());
    case pb::FieldDescriptor::CPPTYPE_BOOL:
      return reflection->SetBool(&message, &field, field.default_value_bool());
    case pb::FieldDescriptor::CPPTYPE_ENUM:
      return reflection->SetEnum(&message, &field, field.default_value_enum());
    case pb::FieldDescriptor::CPPTYPE_STRING:
      return reflection->SetString(&message, &field, field.default_value_string());
    case pb::FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  end_fatally("field " + field.full_name() + " is a message and has no default value", exit_our_fault);
}

std::vector<std::string> field_names(const pb::Descriptor& type) {
  std::vector<std::string> names;
  for (int f = 0; f < type.field_count(); ++f) names.push_back(type.field(f)->name());
  return names;
}

void walk(const pb::Message& message, const std::string& prefix, const Visit& visit) {
  const auto* type = message.GetDescriptor();
  for (int f = 0; f < type->field_count(); ++f) {
    const pb::FieldDescriptor& field = *type->field(f);
    for (int i = 0; i < element_count(message, field); ++i) {
      const int index = field.is_repeated() ? i : -1;
      const std::string path = element_path(prefix, field, index);
      if (field.type() == pb::FieldDescriptor::TYPE_MESSAGE) {
        walk(nested(message, field, index), path, visit);
      } else {
        visit(message, field, index, path);
      }
    }
  }
}

}  // namespace souk
