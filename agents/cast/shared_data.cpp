#include "agents/cast/shared_data.hpp"

#include <algorithm>
#include <array>
#include <exception>

#include "agents/cast/cutter.hpp"
#include "agents/cast/shared_graph.hpp"
#include "scenarios/data.pb.h"
#include "scenarios/graphs.pb.h"
#include "scenarios/options.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/hash.hpp"
#include "sim/base/log.hpp"
#include "sim/base/memory.hpp"
#include "sim/data/class_labels.hpp"
#include "sim/data/dataset_reader.hpp"
#include "sim/data/graphs/graph_file.hpp"
#include "sim/data/graphs/own_graph.hpp"

namespace souk {
namespace {

constexpr std::array<Split, 2> splits{Split::train, Split::test};

void serialize(Archive& archive, DatasetShape& shape) {
  std::vector<std::int64_t> numbers{static_cast<std::int64_t>(shape.samples),
                                    static_cast<std::int64_t>(shape.sample_shape[0]),
                                    static_cast<std::int64_t>(shape.sample_shape[1]),
                                    static_cast<std::int64_t>(shape.sample_shape[2]),
                                    shape.element == Element::u8 ? 1 : 0,
                                    static_cast<std::int64_t>(shape.groups),
                                    static_cast<std::int64_t>(shape.class_names.size()),
                                    static_cast<std::int64_t>(shape.vocabulary)};
  archive.field("shape", numbers);
  shape.samples = static_cast<std::size_t>(numbers[0]);
  for (std::size_t axis = 0; axis < 3; ++axis) shape.sample_shape[axis] = static_cast<std::size_t>(numbers[axis + 1]);
  shape.element = numbers[4] == 1 ? Element::u8 : Element::f32;
  shape.groups = static_cast<std::size_t>(numbers[5]);
  shape.class_names.resize(static_cast<std::size_t>(numbers[6]));
  shape.numbers = shape.class_names.empty();
  shape.vocabulary = static_cast<std::size_t>(numbers[7]);
  for (std::string& name : shape.class_names) archive.field("class", name);
}

std::string hash_of(std::array<DatasetShape, 2> shapes) {
  SaveArchive save;
  for (DatasetShape& shape : shapes) serialize(save, shape);
  return sha256_hex(std::span<const std::byte>(save.bytes()));
}

/// Equal for equal shapes; compared between nodes.
std::int64_t shape_hash(const std::array<DatasetShape, 2>& shapes) {
  return std::stoll(hash_of(shapes).substr(0, 15), nullptr, 16);
}

/// Whether samples are nodes shows in the memory that is hashed.
void serialize_graph(Archive& archive, DatasetShape& shape) {
  std::int64_t graph = shape.graph ? 1 : 0;
  archive.field("graph", graph);
  shape.graph = graph == 1;
}

/// Names do not change what a run computes, and are no part of the hash.
void serialize_columns(Archive& archive, DatasetShape& shape) {
  auto count = static_cast<std::int64_t>(shape.columns.size());
  archive.field("columns", count);
  shape.columns.resize(static_cast<std::size_t>(count));
  for (TableColumn& column : shape.columns) {
    std::vector<std::int64_t> numbers{static_cast<std::int64_t>(column.number),
                                      static_cast<std::int64_t>(column.categories.size())};
    archive.field("column", numbers);
    archive.field("name", column.name);
    column.number = static_cast<std::size_t>(numbers[0]);
    column.categories.resize(static_cast<std::size_t>(numbers[1]));
    for (std::string& category : column.categories) archive.field("category", category);
  }
}

/// The node's first rank knows the shapes; the others learn them.
std::array<DatasetShape, 2> share_shapes(const Comm& node, std::array<DatasetShape, 2> shapes) {
  SaveArchive save;
  if (node.rank() == 0) {
    for (DatasetShape& shape : shapes) {
      serialize(save, shape);
      serialize_graph(save, shape);
      serialize_columns(save, shape);
    }
  }
  std::string bytes(reinterpret_cast<const char*>(save.bytes().data()), save.bytes().size());
  bytes = node.broadcast_text(bytes, 0);
  LoadArchive load(std::as_bytes(std::span(bytes)));
  for (DatasetShape& shape : shapes) {
    serialize(load, shape);
    serialize_graph(load, shape);
    serialize_columns(load, shape);
  }
  return shapes;
}

DatasetBuffers cut_buffers(Cutter& cutter, const DatasetShape& shape) {
  DatasetBuffers buffers;
  const std::size_t values = shape.samples * shape.row_values();
  if (shape.element == Element::u8) {
    buffers.u8 = cutter.cut<std::uint8_t>(values);
  } else {
    buffers.f32 = cutter.cut<float>(values);
  }
  if (shape.numbers) {
    buffers.numbers = cutter.cut<float>(shape.samples);
  } else {
    buffers.labels = cutter.cut<std::int32_t>(shape.samples);
  }
  if (shape.groups > 0) buffers.groups = cutter.cut<std::uint32_t>(shape.samples);
  return buffers;
}

DatasetBuffers slice(const DatasetBuffers& all, const DatasetShape& shape, RowRange rows) {
  const std::size_t count = rows.end - rows.begin;
  const auto part = [&](auto span, std::size_t per_row) {
    return span.empty() ? span : span.subspan(rows.begin * per_row, count * per_row);
  };
  return {.u8 = part(all.u8, shape.row_values()),
          .f32 = part(all.f32, shape.row_values()),
          .labels = part(all.labels, 1),
          .groups = part(all.groups, 1),
          .numbers = part(all.numbers, 1)};
}

Scaling fit_scaling(const scenario::Data& data, const DatasetShape& shape, const DatasetBuffers& training) {
  if (shape.vocabulary > 0) return raw_scaling(shape);  // token numbers are names, not quantities
  switch (data.scaling()) {
    case scenario::Data::RAW:
      return raw_scaling(shape);
    case scenario::Data::UNIT:
      return unit_scaling(shape);
    case scenario::Data::ROWS:
      throw_input_error(
          "task.data.scaling = ROWS: divides the features of a graph's nodes, and the samples of the data set are no "
          "nodes: take STANDARD, UNIT or RAW");
    case scenario::Data::STANDARD:
      break;
  }
  return fit_standard_scaling(shape, training);
}

/// What of a data set's nodes is learned; null where its samples are rows.
const scenario::GraphNodes* graph_nodes(const google::protobuf::Message& source) {
  const auto* field = source.GetDescriptor()->FindFieldByName("graph");
  if (field == nullptr || field->message_type() != scenario::GraphNodes::descriptor()) return nullptr;
  return static_cast<const scenario::GraphNodes*>(&source.GetReflection()->GetMessage(source, field));
}

/// Whether the scenario's seed draws a split or noise on the edges of a graph that is the same by itself.
bool is_drawn_by_seed(const scenario::GraphNodes& nodes) {
  if (nodes.edge_privacy_case() != scenario::GraphNodes::EDGE_PRIVACY_NOT_SET) return true;
  if (nodes.has_random()) return nodes.random().seed() == 0;
  return nodes.has_per_class() && nodes.per_class().seed() == 0;
}

bool is_same_for_every_seed(const google::protobuf::Message& source) {
  const scenario::GraphNodes* nodes = graph_nodes(source);
  if (nodes != nullptr && is_drawn_by_seed(*nodes)) return false;
  const auto& options = source.GetDescriptor()->options();
  if (options.GetExtension(scenario::same_for_every_seed)) return true;
  for (int i = 0; i < options.ExtensionSize(scenario::same_for_every_seed_with); ++i) {
    const auto* field =
        source.GetDescriptor()->FindFieldByName(options.GetExtension(scenario::same_for_every_seed_with, i));
    SOUK_EXPECT(field != nullptr);
    const bool text = field->type() == google::protobuf::FieldDescriptor::TYPE_STRING;
    if (text ? !source.GetReflection()->GetString(source, field).empty()
             : source.GetReflection()->GetUInt64(source, field) > 0) {
      return true;
    }
  }
  return false;
}

}  // namespace

SharedData load_shared_data(const Comm& comm, const scenario::Data& data, std::uint64_t seed) {
  const Comm node = comm.node();
  const bool leader = node.rank() == 0;
  std::unique_ptr<DatasetReader> reader;
  std::array<DatasetShape, 2> shapes;
  bool sliced = false;
  comm.run_phase("open data", [&] {
    if (!leader) return;
    reader = open_dataset(data, {.seed = seed});
    for (std::size_t s = 0; s < splits.size(); ++s) shapes[s] = reader->shape(splits[s]);
    sliced = reader->rows_are_independent();
    for (const std::string& warning : reader->warnings()) log::warning("{}", warning);
  });
  shapes = share_shapes(node, shapes);
  const GraphShape graph_shape = share_shape(node, reader == nullptr ? nullptr : reader->graph());
  std::int64_t hash = 0;
  sliced = node.broadcast(static_cast<int>(sliced), 0) == 1;

  comm.run_phase("compare data", [&] { hash = shape_hash(shapes); });
  const bool alike = comm.all_max(hash) == hash;
  comm.run_phase("compare data",
                 [&] { SOUK_REQUIRE(alike, "task.data: the nodes see different data sets under the same path"); });

  Cutter measure({});
  for (const DatasetShape& shape : shapes) cut_buffers(measure, shape);
  cut_graph(measure, graph_shape, shapes[0].samples, shapes[1].samples);
  comm.run_phase("check memory", [&] {
    const double needed = static_cast<double>(measure.used());
    SOUK_REQUIRE(needed <= available_memory(), "task.data: the data set needs {}, this node has {} to give",
                 bytes_text(needed), bytes_text(available_memory()));
  });
  SharedData shared;
  std::exception_ptr failure;
  try {
    shared.memory = node.shared_block(measure.used());
  } catch (...) {
    failure = std::current_exception();
  }
  comm.run_phase("share memory", [&] {
    if (failure != nullptr) std::rethrow_exception(failure);
  });

  Cutter cutter(shared.memory->bytes());
  std::array<DatasetBuffers, 2> buffers;
  for (std::size_t s = 0; s < splits.size(); ++s) buffers[s] = cut_buffers(cutter, shapes[s]);
  const GraphBuffers graph = cut_graph(cutter, graph_shape, shapes[0].samples, shapes[1].samples);
  shared.graph = graph.view(graph_shape);
  comm.run_phase("read data", [&] {
    if (!sliced && !leader) return;
    if (reader == nullptr) reader = open_dataset(data, {.seed = seed});
    const auto parts = static_cast<std::size_t>(sliced ? node.size() : 1);
    const auto part = static_cast<std::size_t>(node.rank());
    for (std::size_t s = 0; s < splits.size(); ++s) {
      const RowRange rows{shapes[s].samples * part / parts, shapes[s].samples * (part + 1) / parts};
      reader->read(splits[s], rows, slice(buffers[s], shapes[s], rows));
    }
    if (leader && reader->graph() != nullptr) graph.copy(*reader->graph());
    reader.reset();
  });

  comm.run_phase("look at classes", [&] {
    if (comm.rank() != 0) return;
    if (shapes[0].numbers) return;
    const std::string empty = classes_without_sample(shapes[0].class_names, buffers[0].labels);
    if (!empty.empty()) log::warning("task.data: {}", empty);
  });

  Scaling scaling;
  const bool has_columns = !shapes[0].graph || data.scaling() == scenario::Data::STANDARD;
  comm.run_phase("fit scaling", [&] {
    const std::size_t channels = has_columns ? shapes[0].sample_shape[0] : 0;
    scaling = {.shift = std::vector<float>(channels), .scale = std::vector<float>(channels)};
    scaling.rows = shapes[0].graph && data.scaling() == scenario::Data::ROWS;
    if (!leader) return;
    scaling = shapes[0].graph ? fit_graph_scaling(data, shared.graph) : fit_scaling(data, shapes[0], buffers[0]);
  });
  node.broadcast_into(std::span(scaling.shift), 0);
  node.broadcast_into(std::span(scaling.scale), 0);
  scaling.number_shift = node.broadcast(scaling.number_shift, 0);
  scaling.number_scale = node.broadcast(scaling.number_scale, 0);
  shared.train = Dataset(shapes[0], buffers[0], scaling);
  shared.test = Dataset(shapes[1], buffers[1], scaling);
  return shared;
}

std::string content_hash(const SharedData& data) {
  // The block holds both splits' values, labels and groups one after the other, with zeros between them.
  return sha256_hex(hash_of({data.train.shape(), data.test.shape()}) +
                    sha256_hex(std::span<const std::byte>(data.memory->bytes())));
}

namespace {

/// "features", or what else a sample consists of.
std::string describe_sample(const DatasetShape& shape) {
  const auto [channels, height, width] = shape.sample_shape;
  if (shape.vocabulary > 0) return fmt::format("{} tokens below {}", channels, shape.vocabulary);
  return height * width == 1 ? fmt::format("{} features", channels)
                             : fmt::format("{}x{}x{} pixels", channels, height, width);
}

std::string describe_numbers(const Dataset& train) {
  const auto [least, largest] = std::ranges::minmax(train.numbers());
  return fmt::format("numbers from {:.4g} to {:.4g} to predict", least, largest);
}

std::string describe_classes(const Dataset& train) {
  constexpr std::size_t listed_max = 5;
  const DatasetShape& shape = train.shape();
  std::vector<std::size_t> counts(shape.class_names.size());
  for (const std::int32_t label : train.labels()) ++counts[static_cast<std::size_t>(label)];
  std::string balance;
  if (counts.size() <= listed_max) {
    for (std::size_t c = 0; c < counts.size(); ++c) {
      balance += fmt::format("{}{} {}", c == 0 ? "" : ", ", shape.class_names[c], counts[c]);
    }
  } else {
    const auto [least, most] = std::ranges::minmax_element(counts);
    const auto name = [&](auto at) { return shape.class_names[static_cast<std::size_t>(at - counts.begin())]; };
    balance = *least == *most ? fmt::format("{} each", *least)
                              : fmt::format("{} ({}) to {} ({}) each", *least, name(least), *most, name(most));
  }
  return fmt::format("{} classes: {}", counts.size(), balance);
}

}  // namespace

std::string describe(const SharedData& data) {
  if (data.graph.nodes() > 0) {
    return fmt::format("{} training and {} test nodes of a graph of {} nodes, {} edges and {} features, {}",
                       data.train.size(), data.test.size(), data.graph.nodes(), data.graph.edges.entries() / 2,
                       data.train.features(), describe_classes(data.train));
  }
  return fmt::format("{} training and {} test samples of {}, {}", data.train.size(), data.test.size(),
                     describe_sample(data.train.shape()),
                     data.train.shape().numbers ? describe_numbers(data.train) : describe_classes(data.train));
}

std::string data_key(const scenario::Data& data, std::uint64_t seed) {
  const auto* chosen = data.GetReflection()->GetOneofFieldDescriptor(data, data.GetDescriptor()->oneof_decl(0));
  const bool fixed = chosen != nullptr && is_same_for_every_seed(data.GetReflection()->GetMessage(data, chosen));
  return data.SerializeAsString() + (fixed ? "" : std::to_string(seed));
}

}  // namespace souk
