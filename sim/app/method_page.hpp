#pragma once

#include <string>
#include <utility>
#include <vector>

namespace google::protobuf {
class Descriptor;
class FieldDescriptor;
}  // namespace google::protobuf

namespace souk {

/// What there is to say about one method, or message of the schema.
struct MethodPage {
  std::string name;
  std::string kind;  ///< "aggregators", …; empty for a plain message
  const google::protobuf::Descriptor* type = nullptr;
  std::vector<std::pair<std::string, std::string>> facts;  ///< (formula, …), (cost, …), (needs, …)
};

/// The page of a plug-in, from its schema and, for rules and attacks, from what these declare about themselves.
MethodPage method_page(const std::string& kind, const google::protobuf::FieldDescriptor& choice);

/// For a terminal, at most 100 columns.
std::string as_text(const MethodPage& page);

/// A page of docs/.
std::string as_markdown(const MethodPage& page);

/// Breaks a paragraph into lines of at most 100 columns, each starting with `indent`.
std::string wrap(const std::string& text, const std::string& indent);

}  // namespace souk
