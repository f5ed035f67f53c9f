#include <cstdio>
#include <string>
#include <vector>

#include "attacks/attack.hpp"
#include "scenarios/aggregators.pb.h"
#include "scenarios/attacks.pb.h"
#include "sim/app/attack_properties.hpp"
#include "sim/app/commands.hpp"
#include "sim/app/rule_properties.hpp"
#include "sim/base/atomic_file.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/decimal.hpp"
#include "sim/comm/session.hpp"

namespace souk {
namespace {

/// "name=value": true and false are flags, what reads as a number is one, everything else is a text.
template <class Function>
void add_setting(Function& function, const std::string& given) {
  const auto at = given.find('=');
  SOUK_REQUIRE(at != std::string::npos && at > 0, "--set {}: must be NAME=VALUE", given);
  scenario::Setting& setting = *function.add_settings();
  setting.set_name(given.substr(0, at));
  const std::string value = given.substr(at + 1);
  if (value == "true" || value == "false") {
    setting.set_flag(value == "true");
  } else if (is_decimal(value)) {
    setting.set_number(std::stod(value));
  } else {
    setting.set_text(value);
  }
}

const char* word_of(PropertyResult::Verdict verdict) {
  switch (verdict) {
    case PropertyResult::Verdict::kept:
      return "pass";
    case PropertyResult::Verdict::broken:
      return "FAIL";
    default:
      return "none";
  }
}

/// Whether a file defines a function of this name.
bool defines(const std::string& source, const std::string& name) {
  const std::string line = "def " + name + "(";
  return source.starts_with(line) || source.find("\n" + line) != std::string::npos;
}

std::vector<PropertyResult> properties_of_rule(const ConformArguments& arguments) {
  scenario::Aggregator config;
  config.mutable_python()->set_file(arguments.file);
  for (const std::string& setting : arguments.settings) add_setting(*config.mutable_python(), setting);
  const auto make = [&] { return make_aggregator(config); };
  make();  // what is wrong with the file itself is told as it is
  return properties_of(make);
}

std::vector<PropertyResult> properties_of_attack(const ConformArguments& arguments) {
  scenario::Attack config;
  config.mutable_python()->set_file(arguments.file);
  for (const std::string& setting : arguments.settings) add_setting(*config.mutable_python(), setting);
  for (const auto& attack : make_update_attacks(config)) attack->check();  // the same
  return properties_of(config.python());
}

}  // namespace

int conform_command(const ConformArguments& arguments) {
  limit_blas_to_one_thread();
  const std::string source = read_text_file(arguments.file);
  SOUK_REQUIRE(
      !(defines(source, "pay") || defines(source, "value")) || defines(source, "aggregate") || defines(source, "craft"),
      "{}: is a payment or a valuation; souk conform tries rules (aggregate) and attacks (craft)", arguments.file);
  const bool is_attack = defines(source, "craft") && !defines(source, "aggregate");
  std::size_t broken = 0;
  for (const PropertyResult& result : is_attack ? properties_of_attack(arguments) : properties_of_rule(arguments)) {
    fmt::print("{}  {}{}{}\n", word_of(result.verdict), result.property, result.why.empty() ? "" : ": ", result.why);
    if (result.verdict == PropertyResult::Verdict::broken) ++broken;
  }
  return broken == 0 ? exit_done : 1;
}

}  // namespace souk
