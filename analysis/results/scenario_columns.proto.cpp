#include "analysis/results/scenario_columns.hpp"

#include <algorithm>
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

/// Whether some round of so many is one of the group's, as agents/training/attack_schedule.hpp has them: the first that
/// it names decides.
bool has_a_round(const scenario::Attack& group, std::uint32_t rounds) {
  if (group.at_rounds_size() == 0) return group.from_round() <= rounds;
  return std::ranges::any_of(group.at_rounds(), [&](std::uint32_t round) { return round <= rounds; });
}

bool poisons_nothing(const scenario::Attack& group) {
  return (group.has_poison_share() && group.poison_share() == 0.0) ||
         (group.has_poison_per_batch() && group.poison_per_batch() == 0);
}

/// Whether the group can do anything but behave.
bool can_act(const scenario::Attack& group, double clients, std::uint32_t rounds) {
  if (members_of(group, clients) == 0.0) return false;
  if (group.identities() > 1) return true;  // they are there from the start
  const bool data = group.data_case() != scenario::Attack::DATA_NOT_SET && !poisons_nothing(group);
  return has_a_round(group, rounds) && (data || group.update_case() != scenario::Attack::UPDATE_NOT_SET ||
                                        group.sybil_case() != scenario::Attack::SYBIL_NOT_SET ||
                                        group.validation_case() != scenario::Attack::VALIDATION_NOT_SET);
}

/// What the groups that can act do, how many clients they are, and which groups cannot.
void describe_attack(const scenario::Scenario& scenario, std::uint32_t rounds, ScenarioColumns& columns) {
  const double clients = scenario.participants().clients();
  double members = 0.0;
  for (int g = 0; g < scenario.attacks_size(); ++g) {
    const scenario::Attack& group = scenario.attacks(g);
    if (!can_act(group, clients, rounds)) {
      columns.idle_groups.push_back(g);
      continue;
    }
    members += members_of(group, clients);
    const std::string label = plugin_label(group);
    columns.attack += (columns.attack.empty() ? "" : "+") + (label.empty() ? "identities" : label);
  }
  if (columns.attack.empty()) columns.attack = "none";
  columns.malicious = clients > 0 ? members / clients : 0.0;
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

scenario::Scenario parsed(const std::string& text) {
  scenario::Scenario scenario;
  pb::TextFormat::Parser parser;
  parser.AllowUnknownField(true);  // of a program with other plug-ins
  NoPrinting silent;
  parser.RecordErrorsTo(&silent);
  SOUK_REQUIRE(parser.ParseFromString(text, &scenario), "its scenario is not in the text format");
  return scenario;
}

}  // namespace

std::optional<std::string> ScenarioColumns::value(const std::string& column) const {
  if (column == "seed") return fmt::format("{}", seed);
  if (column == "malicious") return fmt::format("{}", malicious);
  for (const auto& [name, text] :
       {std::pair("aggregator", &aggregator), std::pair("attack", &attack), std::pair("partition", &partition),
        std::pair("dataset", &dataset), std::pair("model", &model)}) {
    if (column == name) return *text;
  }
  return std::nullopt;
}

std::optional<std::string> field_of_scenario(const std::string& text, const std::string& path) {
  return value_at(parsed(text), path);
}

ScenarioColumns columns_of_scenario(const std::string& text, std::optional<std::uint32_t> ended_after) {
  scenario::Scenario scenario = parsed(text);
  ScenarioColumns columns{.seed = scenario.seed(),
                          .rounds = scenario.rounds(),
                          .aggregator = plugin_label(scenario.aggregator()),
                          .attack = {},
                          .malicious = 0.0,
                          .partition = plugin_label(scenario.partition()),
                          .dataset = dataset_of(scenario.task().data()),
                          .model = plugin_label(scenario.task().model()),
                          .settings = {}};
  describe_attack(scenario, ended_after.value_or(scenario.rounds()), columns);
  clear_cosmetic(scenario);
  walk(scenario, "",
       [&](const pb::Message& holder, const pb::FieldDescriptor& field, int index, const std::string& path) {
         columns.settings.emplace_back(path, plain_text(holder, field, index));
       });
  return columns;
}

}  // namespace souk
