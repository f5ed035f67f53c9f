#include "analysis/results/scenario_columns.hpp"

#include <cmath>
#include <filesystem>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include "scenarios/options.pb.h"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/engine/message_walk.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {
namespace {

namespace pb = google::protobuf;

/// As agents are counted into groups: a share is rounded to whole clients.
double members_of(const scenario::Attack& group, double clients) {
  if (group.has_count()) return group.count();
  if (group.has_members()) return group.members().id_size();
  return std::round(group.fraction() * clients);
}

double malicious_share(const scenario::Scenario& scenario) {
  const double clients = scenario.participants().clients();
  double members = 0.0;
  for (const auto& group : scenario.attacks()) members += members_of(group, clients);
  return clients > 0 ? members / clients : 0.0;
}

/// The source's name; for one read from disk, which its first field names, that of the file or folder.
std::string dataset_of(const scenario::Data& data) {
  const std::string source = plugin_label(data);
  if (source.empty()) return source;
  const pb::FieldDescriptor& field = *data.GetDescriptor()->FindFieldByName(source);
  const pb::Message& message = data.GetReflection()->GetMessage(data, &field);
  const pb::FieldDescriptor& place = *message.GetDescriptor()->field(0);
  if (place.is_repeated() || place.cpp_type() != pb::FieldDescriptor::CPPTYPE_STRING) return source;
  std::filesystem::path path = message.GetReflection()->GetString(message, &place);
  if (path.filename().empty()) path = path.parent_path();  // a trailing slash
  return path.empty() ? source : path.stem().string();
}

std::string plain_text(const pb::Message& holder, const pb::FieldDescriptor& field, int index) {
  if (field.cpp_type() != pb::FieldDescriptor::CPPTYPE_STRING) return value_text(holder, field, index);
  const pb::Reflection& reflection = *holder.GetReflection();
  return index < 0 ? reflection.GetString(holder, &field) : reflection.GetRepeatedString(holder, &field, index);
}

void clear_cosmetic(pb::Message& message) {
  const pb::Descriptor& type = *message.GetDescriptor();
  for (int f = 0; f < type.field_count(); ++f) {
    const pb::FieldDescriptor& field = *type.field(f);
    if (field.options().GetExtension(scenario::cosmetic)) message.GetReflection()->ClearField(&message, &field);
  }
}

/// The parser prints errors where nobody takes them.
class NoPrinting final : public pb::io::ErrorCollector {
 public:
  void AddError(int, int, const std::string&) override {}
};

}  // namespace

ScenarioColumns columns_of_scenario(const std::string& text) {
  scenario::Scenario scenario;
  pb::TextFormat::Parser parser;
  parser.AllowUnknownField(true);  // of a program with other plug-ins
  NoPrinting silent;
  parser.RecordErrorsTo(&silent);
  SOUK_REQUIRE(parser.ParseFromString(text, &scenario), "its scenario is not in the text format");
  ScenarioColumns columns{.seed = scenario.seed(),
                          .rounds = scenario.rounds(),
                          .aggregator = plugin_label(scenario.aggregator()),
                          .attack = *value_at(scenario, "attacks"),
                          .malicious = malicious_share(scenario),
                          .partition = plugin_label(scenario.partition()),
                          .dataset = dataset_of(scenario.task().data()),
                          .model = plugin_label(scenario.task().model()),
                          .settings = {}};
  clear_cosmetic(scenario);
  walk(scenario, "",
       [&](const pb::Message& holder, const pb::FieldDescriptor& field, int index, const std::string& path) {
         columns.settings.emplace_back(path, plain_text(holder, field, index));
       });
  return columns;
}

}  // namespace souk
