#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "agents/simulation.hpp"
#include "agents/training/model_server.hpp"
#include "agents/unlearning/holders.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/engine/scenario_file.hpp"

namespace souk {

/// A run on one rank that can be looked into afterwards.
struct Finished {
  explicit Finished(const std::string& text)
      : resolved(resolve_scenario({.file_name = "test", .text = text, .overrides = {}})),
        simulation(make_simulation(comm, *resolved.scenario, "cpu")) {
    const std::optional<InjectedFault> no_fault;
    for (std::uint32_t r = 1; r <= resolved.scenario->rounds(); ++r) {
      RoundRecord& record = records.emplace_back();
      record.round = {r};
      Phases phases(comm, {r}, no_fault);
      simulation->run_round({r}, r == resolved.scenario->rounds(), phases, record);
    }
  }
  ModelServer& server() const { return simulation->model(0); }
  const Federation& federation() const { return server().federation(); }
  Task& task() const { return federation().task(); }
  std::vector<float> model() const { return {simulation->parameters().begin(), simulation->parameters().end()}; }
  std::vector<SampleIndex> units_of(std::uint32_t client) const {
    return federation().validators().training_samples({client});
  }
  std::vector<DealtUnits> holders(const std::vector<std::uint32_t>& clients) const {
    std::vector<DealtUnits> holders;
    for (const std::uint32_t client : clients) holders.push_back({{client}, units_of(client)});
    return holders;
  }
  double number(const std::string& name) const {
    const std::optional<double> value = records.back().metric(name);
    EXPECT_TRUE(value.has_value()) << name;
    return value.value_or(std::nan(""));
  }
  std::size_t events(const std::string& kind) const {
    std::size_t count = 0;
    for (const RoundRecord& record : records) {
      for (const EventRow& event : record.events) count += event.kind == kind ? 1U : 0U;
    }
    return count;
  }
  Comm comm = Comm::self();
  ResolvedScenario resolved;
  std::vector<RoundRecord> records;
  std::unique_ptr<Simulation> simulation;
};

/// Four clients learn for some rounds; then, before the last one, in which nothing is learned, somebody is forgotten.
/// Networks without hidden layers have few parameters.
inline std::string run_of(std::uint32_t learned, const std::string& model, const std::string& training,
                          const std::string& request, const std::string& more = "") {
  const std::string data = model == "logreg {}"
                               ? "baskets { train_samples: 240 test_samples: 100 classes: 4 features: 20 overlap: 0.9 }"
                               : "glyphs { train_samples: 240 test_samples: 60 }";
  const std::string last = std::to_string(learned + 1);
  return "rounds: " + last + " training_rounds: " + std::to_string(learned) + " task { data { " + data + " } model { " +
         model + " } training { " + training + " } } participants { clients: 4 everyone: true } " + more +
         (request.empty() ? "" : " unlearning { requests { name: \"r\" round: " + last + " " + request + " } }");
}

inline std::vector<double> difference(std::span<const float> a, std::span<const float> b) {
  std::vector<double> out;
  for (std::size_t v = 0; v < a.size(); ++v) out.push_back(static_cast<double>(a[v]) - static_cast<double>(b[v]));
  return out;
}

inline double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

inline double length(std::span<const double> a) { return std::sqrt(dot(a, a)); }

/// Gauss' elimination with pivots, [n, n] by rows.
inline std::vector<double> solved(std::vector<std::vector<double>> matrix, std::vector<double> b) {
  const std::size_t n = b.size();
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t pivot = i;
    for (std::size_t r = i + 1; r < n; ++r) {
      if (std::abs(matrix[r][i]) > std::abs(matrix[pivot][i])) pivot = r;
    }
    std::swap(matrix[i], matrix[pivot]);
    std::swap(b[i], b[pivot]);
    for (std::size_t r = i + 1; r < n; ++r) {
      const double factor = matrix[r][i] / matrix[i][i];
      for (std::size_t c = i; c < n; ++c) matrix[r][c] -= factor * matrix[i][c];
      b[r] -= factor * b[i];
    }
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t c = i + 1; c < n; ++c) b[i] -= matrix[i][c] * b[c];
    b[i] /= matrix[i][i];
  }
  return b;
}

}  // namespace souk
