#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "agents/unlearning/client_sums.hpp"
#include "agents/unlearning/operator.hpp"
#include "agents/unlearning/retraining.hpp"
#include "agents/unlearning/student.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

/// What a teacher answers about some clients' units, and who is to answer like it. Each client has its own units
/// taught.
class TeachersLesson {
 public:
  /// `teacher`: parameters [dimension], which answers as `school`, in the graph that it was taught in.
  TeachersLesson(ModelServer& server, std::span<const DealtUnits> holders, Student& school,
                 std::span<const float> teacher, Student& student)
      : sums_(server, holders), clients_(holders.size()), school_(school), teacher_(teacher), student_(student) {}
  std::size_t units() const { return sums_.units(); }
  std::size_t clients() const { return clients_; }
  /// How often.
  std::uint32_t taught() const { return taught_; }

  /// Gradient of the mean divergence at `model`, [trainable]. Collective.
  std::vector<double> gradient(std::span<const float> model) {
    ++taught_;
    std::vector<float> work(model.size());
    std::vector<double> sum = sums_.sum([&](UnitSet units, const BatchEdit& edit, std::span<float> out) {
      std::ranges::copy(model, work.begin());  // running statistics move
      student_.gradient(work, units, edit, answers_about(units, edit), out);
    });
    for (double& value : sum) value /= static_cast<double>(units());
    return sum;
  }

 private:
  const std::vector<float>& answers_about(UnitSet units, const BatchEdit& edit) {
    std::vector<float>& answers = answers_[units.front()];
    if (answers.empty()) answers = school_.answers(teacher_, units, BatchEdit(edit));
    return answers;
  }

  ClientSums sums_;
  std::size_t clients_;
  std::uint32_t taught_ = 0;
  Student& school_;
  std::span<const float> teacher_;
  Student& student_;
  std::map<SampleIndex, std::vector<float>> answers_;  ///< logits, by the first unit of a part of a client's
};

/// Two teachers: of what stays the model before, in the data as they were, of what is forgotten an untrained network.
/// Sinha, Mandal, Kankanhalli, "Distill to Delete", 2023, whose divergences are means over each set here.
class TwoTeachers final : public UnlearningOperator {
 public:
  explicit TwoTeachers(const scenario::TwoTeachers& config) : config_(config) {}

  void check(const World& world) const override {
    SOUK_REQUIRE(world.federation.task().classes() > 0,
                 "teaches probabilities of classes, and the data set has numbers to predict");
    SOUK_REQUIRE(!world.federation.data().graph.own_nodes,
                 "teaches answers in the whole graph, and clients train on their own nodes alone");
  }

  ForgettingCost forget(const ForgettingCase& request, RoundRecord& record) override {
    ForgettingCost cost;
    if (request.units.empty()) {
      record.events.push_back(
          {"d2dgn", -1,
           "no unit is forgotten that the untrained network could be asked about: the other teaches alone"});
    }
    const auto then = make_student(request.world, request.graph_before, 1.0);
    const auto now = make_student(request.world, request.federation().data().graph, 1.0);
    const std::vector<DealtUnits> stay = units_that_stay(request.federation());
    for (ModelServer* server : request.servers) {
      const std::vector<float> before(server->parameters().begin(), server->parameters().end());
      std::vector<float> untrained = before, model = before;
      Stream random(request.scenario().seed(), streams::random_model(server->index(), request.round));
      request.federation().task().initialise(random, untrained);
      TeachersLesson rest(*server, stay, *then, before, *now), gone(*server, request.holders, *then, untrained, *then);
      for (std::uint32_t step = 0; step < config_.steps(); ++step) {
        std::vector<double> moved(server->trainable().size(), 0.0);
        add(1.0 - config_.alpha(), rest, model, moved);
        add(config_.alpha(), gone, model, moved);
        for (std::size_t v = 0; v < moved.size(); ++v) {
          model[v] -= static_cast<float>(config_.learning_rate() * moved[v]);
        }
      }
      count(request.federation(), rest, cost);
      count(request.federation(), gone, cost);
      server->take_model(model);
    }
    return cost;
  }

 private:
  static void add(double weight, TeachersLesson& lesson, std::span<const float> model, std::vector<double>& sum) {
    if (weight == 0.0 || lesson.units() == 0) return;
    const std::vector<double> gradient = lesson.gradient(model);
    for (std::size_t v = 0; v < sum.size(); ++v) sum[v] += weight * gradient[v];
  }

  /// Gradients of all steps, the teacher's answers once, and two vectors for each client and step.
  static void count(const Federation& federation, const TeachersLesson& lesson, ForgettingCost& cost) {
    if (lesson.taught() == 0) return;
    cost += training_cost(federation, lesson.units(), lesson.taught() + 1.0 / 3.0);
    const auto vectors = 2.0 * static_cast<double>(lesson.clients()) * lesson.taught();
    cost.megabytes += vectors * static_cast<double>(federation.task().layout().trainable() * sizeof(float)) / 1e6;
    cost.messages += lesson.taught();
  }

  const scenario::TwoTeachers& config_;
};

const Register<UnlearningOperator, TwoTeachers, scenario::TwoTeachers> register_two_teachers;

}  // namespace
}  // namespace souk
