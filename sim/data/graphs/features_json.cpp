#include "sim/data/graphs/features_json.hpp"

#include <istream>
#include <utility>

#include <nlohmann/json.hpp>

#include "sim/base/contract.hpp"
#include "sim/data/graphs/graph_parts.hpp"
#include "sim/data/source_buffer.hpp"
#include "sim/data/table_columns.hpp"

namespace souk {
namespace {

using nlohmann::json;

/// Takes the events of a file: an object of lists of numbers, and nothing else.
class FeatureHandler final : public nlohmann::json_sax<json> {
 public:
  FeatureHandler(const std::string& path, std::size_t nodes) : path_(path), seen_(nodes) {}
  JsonFeatures result() && { return std::move(features_); }

  bool null() override { misplaced("null"); }
  bool boolean(bool) override { misplaced("a truth value"); }
  bool number_integer(number_integer_t number) override { misplaced(std::to_string(number)); }
  bool number_float(number_float_t, const string_t& spelling) override { misplaced(spelling); }
  bool string(string_t& text) override { misplaced(quote_cell(text)); }
  bool binary(binary_t&) override { misplaced("binary data"); }

  bool number_unsigned(number_unsigned_t number) override {
    if (!in_list_ || number >= graph_features_max) misplaced(std::to_string(number));
    features_.columns.push_back(static_cast<std::uint32_t>(number));
    return true;
  }

  bool start_object(std::size_t) override {
    if (in_object_) misplaced("an object");
    return in_object_ = true;
  }
  bool key(string_t& name) override {
    const auto node = parse_index(name, seen_.size());
    SOUK_REQUIRE(node.has_value(), "{}: {} is none of the {} nodes", path_, quote_cell(name), seen_.size());
    SOUK_REQUIRE(!seen_[*node], "{}: node {} is there twice", path_, *node);
    seen_[*node] = true;
    features_.nodes.push_back(static_cast<NodeIndex>(*node));
    return true;
  }
  bool end_object() override { return true; }

  bool start_array(std::size_t) override {
    if (!in_object_ || in_list_) misplaced("a list");
    return in_list_ = true;
  }
  bool end_array() override {
    in_list_ = false;
    features_.offsets.push_back(features_.columns.size());
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const json::exception& error) override {
    const std::string text = error.what();
    const std::size_t begin = text.find("] ");
    throw_input_error("{}: byte {}: {}", path_, position, begin == std::string::npos ? text : text.substr(begin + 2));
  }

 private:
  [[noreturn]] void misplaced(const std::string& what) const {
    if (features_.nodes.empty()) throw_input_error("{}: {} where an object of nodes belongs", path_, what);
    throw_input_error("{}: node {}: {} where a list of features' numbers below {} belongs", path_,
                      features_.nodes.back(), what, graph_features_max);
  }

  std::string path_;
  std::vector<bool> seen_;  // nodes
  JsonFeatures features_;
  bool in_object_ = false, in_list_ = false;
};

}  // namespace

JsonFeatures read_features_json(const std::string& path, std::size_t nodes) {
  SourceBuffer buffer(path);
  std::istream stream(&buffer);
  stream.exceptions(std::ios::badbit);  // or what the source says would be lost
  FeatureHandler handler(path, nodes);
  json::sax_parse(stream, &handler);
  return std::move(handler).result();
}

}  // namespace souk
