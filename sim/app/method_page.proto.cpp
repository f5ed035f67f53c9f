#include "sim/app/method_page.hpp"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include "agents/market/valuation.hpp"
#include "aggregators/aggregator.hpp"
#include "attacks/attack.hpp"
#include "attacks/edge_attack.hpp"
#include "attacks/inference_attack.hpp"
#include "scenarios/aggregators.pb.h"
#include "scenarios/attacks.pb.h"
#include "scenarios/edge_attacks.pb.h"
#include "scenarios/inference.pb.h"
#include "scenarios/market.pb.h"
#include "sim/engine/schema_info.hpp"

namespace souk {
namespace {

namespace pb = google::protobuf;

std::string listed(const std::vector<std::pair<bool, std::string>>& items) {
  std::vector<std::string> chosen;
  for (const auto& [holds, text] : items) {
    if (holds) chosen.push_back(text);
  }
  return fmt::format("{}", fmt::join(chosen, ", "));
}

std::string or_else(const std::string& text, const char* otherwise) { return text.empty() ? otherwise : text; }

/// What a rule with default parameters declares about itself.
void declare_rule(const pb::FieldDescriptor& choice, MethodPage& page) {
  scenario::Aggregator config;
  config.GetReflection()->MutableMessage(&config, &choice);
  const auto rule = make_aggregator(config);
  const RuleNeeds needs = rule->needs();
  const std::string needed = listed({{needs.tolerated_f, "a tolerated number f of malicious updates"},
                                     {needs.root_update, "the server's own update on root data"},
                                     {needs.root_data, "root data to judge models by"},
                                     {needs.validators, "validators"},
                                     {needs.model, "the network"},
                                     {needs.memory && !needs.history, "memory of earlier rounds"},
                                     {needs.history, "a history of every client"},
                                     {needs.everyone, "every client in every round"}});
  const RulePreserves preserves = rule->preserves();
  const std::string preserved = listed({{preserves.permutation, "permutation"},
                                        {preserves.scale, "scale"},
                                        {preserves.translation, "translation"},
                                        {preserves.unanimity, "unanimity"}});
  page.facts.emplace_back("needs", or_else(needed, "the updates alone"));
  page.facts.emplace_back("preserves",
                          or_else(preserved, "what it says of itself") + (preserves.noise ? "; adds noise" : ""));
}

/// The same for an attack, and when it acts.
void declare_attack(const UpdateAttack& attack, MethodPage& page) {
  const AttackNeeds needs = attack.needs();
  page.facts.emplace_back("knowledge", fmt::format("{} as published, {} at least", knowledge_name(attack.usual()),
                                                   knowledge_name(attack.least())));
  const auto several = [](std::size_t least) { return least > 1; };
  const std::size_t known = attack.least_known(attack.usual()), members = attack.least_members();
  const bool below = attack.least() < Knowledge::all && attack.least_known(attack.least()) > known;
  const std::string needed =
      listed({{needs.lab, "training of its own"},
              {several(members), fmt::format("{} members in a round", members)},
              {several(known), fmt::format("{} known updates in a round", known)},
              {below, fmt::format("{} known updates in a round below ALL", attack.least_known(attack.least()))},
              {attack.needs_poison(), "a data attack in the same group"},
              {needs.root_update, "a server that trains on root data"}});
  page.facts.emplace_back("needs", or_else(needed, "updates alone"));
}

void declare_attack(const DataAttack& attack, MethodPage& page) {
  page.facts.emplace_back("poisons", fmt::format("{:.4g} % of the eligible samples where the scenario names no share",
                                                 100.0 * attack.usual_share()));
  const char* shown_by = attack.of_classes() ? "none for single inputs: the accuracy shows it"
                                             : "none for single inputs: the errors of the model show it";
  page.facts.emplace_back(
      "goal", attack.has_goal() ? "inputs taken for a class: the attack success rate is measured" : shown_by);
}

void declare_attack(const ReportAttack& attack, MethodPage& page) {
  page.facts.emplace_back("knowledge", fmt::format("{} at least", knowledge_name(attack.least())));
}

void declare_attack(const StructureAttack& attack, MethodPage& page) {
  page.facts.emplace_back("needs", "a data set of nodes, and a network that reads neighbours");
  page.facts.emplace_back("chooses edges", attack.is_anew() ? "anew in every round" : "once and for all");
}

/// What an attack on edges with default parameters must be granted.
void declare_edge_attack(const pb::FieldDescriptor& choice, MethodPage& page) {
  scenario::EdgeInference config;
  config.GetReflection()->MutableMessage(&config, &choice);
  const Rights needs = make_edge_attack(config)->needs();
  std::vector<std::pair<bool, std::string>> rights;
  for (std::size_t r = 0; r < right_kinds; ++r) {
    rights.emplace_back(needs.has(static_cast<Right>(r)), to_string(static_cast<Right>(r)));
  }
  page.facts.emplace_back("rights", listed(rights));
}

/// What an attack on updates' data with default parameters must be granted.
void declare_inference(const pb::FieldDescriptor& choice, MethodPage& page) {
  scenario::InferenceAttack config;
  config.GetReflection()->MutableMessage(&config, &choice);
  const auto attack = make_inference_attack(config);
  const InferenceGrants needs = attack->needs();
  page.facts.emplace_back("reads",
                          or_else(listed({{needs.has(InferenceGrant::training), "how clients train"},
                                          {needs.has(InferenceGrant::auxiliary), "samples of its own"},
                                          {needs.has(InferenceGrant::control), "the model that it has sent"},
                                          {needs.has(InferenceGrant::candidates), "samples that it is asked about"},
                                          {needs.has(InferenceGrant::others), "all updates of the round"}}),
                                  "what it is shown alone"));
  page.facts.emplace_back("claims", attack->claims());
}

/// An attack with default parameters.
void declare_attack(const std::string& kind, const pb::FieldDescriptor& choice, MethodPage& page) {
  if (kind == "attacks/inference") return declare_inference(choice, page);
  if (kind == "attacks/edges") return declare_edge_attack(choice, page);
  scenario::Attack group;
  group.GetReflection()->MutableMessage(&group, &choice);
  if (kind == "attacks/data") {
    declare_attack(*make_data_attack(group), page);
  } else if (kind == "attacks/structure") {
    declare_attack(*make_structure_attack(group), page);
  } else if (kind == "attacks/reports") {
    declare_attack(*make_report_attack(group), page);
  } else {
    declare_attack(*make_update_attacks(group).front(), page);
  }
}

/// What a valuation with default parameters declares about itself.
void declare_valuation(const pb::FieldDescriptor& choice, MethodPage& page) {
  scenario::Market market;
  market.GetReflection()->MutableMessage(&market, &choice);
  const ValuationNeeds needs = make_valuation_rule(market)->needs();
  const std::string needed = listed(
      {{needs.root_update, "the buyer's own update on root data"}, {needs.worth, "root data to judge models by"}});
  page.facts.emplace_back("needs", or_else(needed, "the updates alone"));
  if (needs.most_updates > 0) page.facts.emplace_back("updates", fmt::format("{} a round at most", needs.most_updates));
}

std::string enum_values(const pb::FieldDescriptor& field, const std::string& indent) {
  std::string text;
  if (field.cpp_type() != pb::FieldDescriptor::CPPTYPE_ENUM) return text;
  for (int v = 0; v < field.enum_type()->value_count(); ++v) {
    const auto& value = *field.enum_type()->value(v);
    text += wrap(fmt::format("{}: {}", value.name(), comment_of(value)), indent);
  }
  return text;
}

std::string escaped_words(std::string text) {
  for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) text.insert(at, "\\");
  return text;
}

/// Fields that hold parameters of their own; not those that choose a plug-in, which has a page.
std::vector<const pb::FieldDescriptor*> parts_of(const pb::Descriptor& type) {
  std::vector<const pb::FieldDescriptor*> parts;
  for (int f = 0; f < type.field_count(); ++f) {
    const auto& field = *type.field(f);
    const bool message = field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE;
    if (message && !field.is_repeated() && field.message_type()->oneof_decl_count() == 0) parts.push_back(&field);
  }
  return parts;
}

std::string parameters_as_text(const pb::Descriptor& type) {
  std::string text;
  for (int f = 0; f < type.field_count(); ++f) {
    const auto& field = *type.field(f);
    text += fmt::format("  {} ({})\n", field.name(), facts_of(field)) + wrap(comment_of(field), "      ");
    text += enum_values(field, "        ");
  }
  return text;
}

std::string parameters_as_markdown(const pb::Descriptor& type) {
  std::string text = "| parameter | | |\n|---|---|---|\n";
  for (int f = 0; f < type.field_count(); ++f) {
    const auto& field = *type.field(f);
    std::string meaning = comment_of(field);
    for (int v = 0; field.cpp_type() == pb::FieldDescriptor::CPPTYPE_ENUM && v < field.enum_type()->value_count();
         ++v) {
      const auto& value = *field.enum_type()->value(v);
      meaning += fmt::format(" `{}`: {}", value.name(), comment_of(value));
    }
    text += fmt::format("| `{}` | {} | {} |\n", field.name(), facts_of(field), escaped_words(meaning));
  }
  return text;
}

}  // namespace

std::string wrap(const std::string& text, const std::string& indent) {
  std::string out;
  std::string line = indent;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.size() > indent.size() && line.size() + word.size() + 1 > 100) {
      out += line + "\n";
      line = indent;
    }
    line += (line.size() > indent.size() ? " " : "") + word;
  }
  return out + line + "\n";
}

MethodPage method_page(const std::string& kind, const pb::FieldDescriptor& choice) {
  MethodPage page{choice.name(), kind, choice.message_type(), method_facts_of(*choice.message_type())};
  if (kind == "aggregators") declare_rule(choice, page);
  if (kind.starts_with("attacks/")) declare_attack(kind, choice, page);
  if (kind == "valuations") declare_valuation(choice, page);
  return page;
}

std::string as_text(const MethodPage& page) {
  std::string text = page.name + (page.kind.empty() ? "" : fmt::format(" ({})", page.kind)) + "\n";
  text += wrap(comment_of(*page.type), "  ");
  if (!page.facts.empty()) text += "\n";
  for (const auto& [what, said] : page.facts) text += fmt::format("  {:<11} {}\n", what, said);
  if (page.type->field_count() > 0) text += "\nparameters\n";
  text += parameters_as_text(*page.type);
  for (const pb::FieldDescriptor* part : parts_of(*page.type)) {
    text += fmt::format("\nparameters of {}\n", part->name()) + wrap(comment_of(*part->message_type()), "  ") +
            parameters_as_text(*part->message_type());
  }
  for (const std::string& entry : bibtex_of(*page.type)) text += "\n" + entry + "\n";
  return text;
}

std::string as_markdown(const MethodPage& page) {
  std::string text = fmt::format("# {}\n\n{}\n", page.name, comment_of(*page.type));
  if (!page.facts.empty()) text += "\n| | |\n|---|---|\n";
  for (const auto& [what, said] : page.facts) {
    const char* quote = what == "formula" ? "`" : "";
    text += fmt::format("| {} | {}{}{} |\n", what, quote, escaped_words(said), quote);
  }
  if (page.type->field_count() > 0) text += "\n## Parameters\n\n" + parameters_as_markdown(*page.type);
  for (const pb::FieldDescriptor* part : parts_of(*page.type)) {
    text += fmt::format("\n## Parameters of `{}`\n\n{}\n\n", part->name(), comment_of(*part->message_type())) +
            parameters_as_markdown(*part->message_type());
  }
  const std::vector<std::string> sources = bibtex_of(*page.type);
  if (!sources.empty()) text += fmt::format("\n## Source\n\n```bibtex\n{}\n```\n", fmt::join(sources, "\n"));
  return text;
}

}  // namespace souk
