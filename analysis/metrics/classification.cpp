// How good a model is where classes are told apart: its quality by the name the task gives it, on every set of samples.
#include "analysis/metrics/metric.hpp"

namespace souk {
namespace {

const RegisterMetrics register_classification{
    {.name = "accuracy",
     .title = "test accuracy",
     .unit = "share",
     .better = Better::larger,
     .shown = {{"curves", 10}, {"runs", 10}, {"overview", 10}, {"run_page", 10}}},
    {.name = "class_accuracy",
     .title = "test accuracy of a class",
     .unit = "share",
     .better = Better::larger,
     .variant = ", {}",
     .of_each_class = true},
    {.name = "macro_f1", .title = "mean F1 of the classes", .unit = "share", .better = Better::larger},
    {.name = "class_f1",
     .title = "F1 of a class",
     .unit = "share",
     .better = Better::larger,
     .variant = ", {}",
     .of_each_class = true},
    {.name = "validation_accuracy",
     .title = "validation accuracy",
     .unit = "share",
     .better = Better::larger,
     .shown = {{"curves", 50}, {"runs", 70}, {"run_page", 50}}},
    {.name = "root_accuracy", .title = "accuracy on the buyer's root data", .unit = "share", .better = Better::larger},
    {.name = "standalone_accuracy", .title = "test accuracy with an update alone", .unit = "share"},
    {.name = "reward_accuracy", .title = "accuracy of the model that a seller was paid with", .unit = "share"},
};

}  // namespace
}  // namespace souk
