#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace google::protobuf {
class Message;
}
namespace souk::scenario {
class Scenario;
}

namespace souk {

/// What a user gives: a file's text and changes on top of it.
struct ScenarioSource {
  std::string file_name;               ///< for messages
  std::string text;                    ///< protobuf text format, or JSON if it starts with '{'
  std::vector<std::string> overrides;  ///< "path=value", applied in order
};

/// Where fields stand in a file: "aggregator.krum.f" -> "3:5".
using FieldPlaces = std::map<std::string, std::string>;

/// A scenario with every default filled in and every range checked.
struct ResolvedScenario {
  std::unique_ptr<scenario::Scenario> scenario;
  std::string file_name;
  FieldPlaces places;

  ResolvedScenario();
  ~ResolvedScenario();
  ResolvedScenario(ResolvedScenario&&) noexcept;
  ResolvedScenario& operator=(ResolvedScenario&&) noexcept;
  /// From now on errors about this field, and those below it, are of --set and no longer of the file.
  void note_override(const std::string& path);
};

/// Whether `path` is the field `above`, or one below it.
bool covers_field(const std::string& above, const std::string& path);

/// Parses the text format alone, into any message of the schema; leaves defaults and ranges. Throws one InputError that
/// lists every error found with file, line and column.
FieldPlaces parse_text_format(const ScenarioSource& source, google::protobuf::Message& out);

/// Parses, applies overrides, fills defaults and checks ranges. Throws one InputError that lists every error found,
/// each with file, line and column, or with the override that caused it.
ResolvedScenario resolve_scenario(const ScenarioSource& source);

/// Whether a name may be part of a directory's: letters, digits, '.', '_' and '-', not starting with '.'.
bool is_plain_name(const std::string& name);

/// Puts "file:line:column: " before a message that starts with the path of a field of the file, "--set " before one of
/// an override; other messages stay as they are.
std::string with_place(const ResolvedScenario& resolved, const std::string& message);

/// Sets `path` (dotted, with [i] or .i for list elements) to a value in text format. Throws InputError naming the path,
/// the expected type and, for unknown names, the nearest known one. An element one past the end is added;
/// an empty value empties a list.
void set_path(google::protobuf::Message& message, const std::string& path, const std::string& value);

/// The value of a field as set_path would take it, strings without quotation marks; nothing where it is not set. A list
/// without an index is its first element, "attack" stands for "attacks", and a message, or a whole list of them, for
/// its plugin_label ("none" for an empty list). Throws InputError where there is no such path.
std::optional<std::string> value_at(const google::protobuf::Message& message, const std::string& path);

/// Names of the plug-ins that a message chooses, those of its lists' elements too, joined by '+': "nnm+krum".
std::string plugin_label(const google::protobuf::Message& message);

/// "a.b[2].c" and "a.b.2.c" as {"a", "b", "2", "c"}.
std::vector<std::string> split_path(const std::string& path);

/// The first number of a text format that has a 0 in front, which protobuf reads as octal or hexadecimal; "" if none
/// has.
std::string octal_number(const std::string& text);

/// Sets every unset scalar field to its default and chooses the default member of every unset oneof, recursively.
void fill_defaults(google::protobuf::Message& message);

/// One sentence per value outside its range, each starting with the path of the field.
std::vector<std::string> range_errors(const google::protobuf::Message& message);

/// The resolved scenario as text, every default filled in.
std::string to_text(const scenario::Scenario& scenario);

/// SHA-256 of the canonical form: the text of the resolved scenario without its cosmetic fields.
std::string identity_of(const scenario::Scenario& scenario);

/// A field that has other values in two messages; nothing where it is not set, "set" for an empty message that one
/// lacks.
struct Difference {
  std::string path;
  std::optional<std::string> first, second;
};

/// All of them in schema order, cosmetic fields aside.
std::vector<Difference> differences(const google::protobuf::Message& a, const google::protobuf::Message& b);

/// Path and both values of the first field, in schema order, in which two resolved scenarios differ, cosmetic fields
/// aside; nothing if they are the same run.
std::optional<std::string> first_difference(const google::protobuf::Message& a, const google::protobuf::Message& b);

/// The nearest of `known` to `word`, as " Did you mean 'x'?", or "" if none is near.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& known);

}  // namespace souk
