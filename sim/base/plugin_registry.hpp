#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace google::protobuf {
class Descriptor;
class Message;
}  // namespace google::protobuf

namespace souk {

/// The message chosen in the `oneof` group of `choice` with this name; null if none is.
const google::protobuf::Message* chosen(const google::protobuf::Message& choice, const std::string& oneof);

/// Whether `config` is a message of this schema.
bool has_schema(const google::protobuf::Message& config, const google::protobuf::Descriptor* schema);

/// Name of a plug-in: that of its field in the `oneof` of the schema, e.g. "trimmed_mean".
std::string plugin_name(const google::protobuf::Descriptor* schema);

/// Throws InputError: nothing chosen, or a message without an implementation.
[[noreturn]] void throw_unknown_plugin(const google::protobuf::Message* config, const std::string& oneof,
                                       const std::vector<std::string>& names);

/// One table per plug-in kind. The key is the schema message of the plug-in, so a name exists once.
template <class Base>
class PluginRegistry {
 public:
  using Factory = std::unique_ptr<Base> (*)(const google::protobuf::Message& config);
  using Schema = const google::protobuf::Descriptor* (*)();

  static PluginRegistry& instance() {
    static PluginRegistry registry;
    return registry;
  }
  void add(Schema schema_of, Factory factory) { entries_.push_back({schema_of, factory}); }

  /// Builds what the `oneof` of this name in `choice` selects. Throws InputError naming the known choices.
  std::unique_ptr<Base> create(const google::protobuf::Message& choice, const std::string& oneof) const {
    const google::protobuf::Message* config = chosen(choice, oneof);
    for (const Entry& entry : entries_) {
      if (config != nullptr && has_schema(*config, entry.schema())) return entry.factory(*config);
    }
    throw_unknown_plugin(config, oneof, names());
  }
  std::vector<std::string> names() const {  ///< sorted
    std::vector<std::string> result;
    for (const Entry& entry : entries_) result.push_back(plugin_name(entry.schema()));
    std::sort(result.begin(), result.end());
    return result;
  }
  bool has(const std::string& name) const { return schema(name) != nullptr; }
  /// The schema message of a name; null if unknown.
  const google::protobuf::Descriptor* schema(const std::string& name) const {
    for (const Entry& entry : entries_) {
      if (plugin_name(entry.schema()) == name) return entry.schema();
    }
    return nullptr;
  }

 private:
  struct Entry {
    Schema schema;
    Factory factory;
  };
  std::vector<Entry> entries_;
};

/// `const Register<Aggregator, Krum, scenario::Krum> register_krum;` at the end of krum.cpp.
template <class Base, class Plugin, class Config>
struct Register {
  Register() {
    PluginRegistry<Base>::instance().add(&Config::descriptor, [](const google::protobuf::Message& config) {
      return std::unique_ptr<Base>(new Plugin(static_cast<const Config&>(config)));
    });
  }
};

}  // namespace souk
