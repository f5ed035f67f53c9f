// How good a model is where numbers are predicted: its quality by the name the task gives it, on every set of samples.
#include "analysis/metrics/metric.hpp"

namespace souk {
namespace {

const RegisterMetrics register_regression{
    {.name = "r2",
     .title = "test R²",
     .unit = "share",
     .better = Better::larger,
     .shown = {{"curves", 20}, {"runs", 20}, {"overview", 20}, {"run_page", 20}}},
    {.name = "rmse",
     .title = "root of the mean squared test error",
     .unit = "units of the data",
     .better = Better::smaller,
     .shown = {{"curves", 70}, {"runs", 30}, {"overview", 30}, {"run_page", 70}}},
    {.name = "mae",
     .title = "mean absolute test error",
     .unit = "units of the data",
     .better = Better::smaller,
     .shown = {{"curves", 80}, {"runs", 40}, {"overview", 40}, {"run_page", 80}}},
    {.name = "validation_r2",
     .title = "validation R²",
     .unit = "share",
     .better = Better::larger,
     .shown = {{"curves", 60}, {"runs", 80}, {"run_page", 60}}},
    {.name = "root_r2", .title = "R² on the buyer's root data", .unit = "share", .better = Better::larger},
    {.name = "standalone_r2", .title = "test R² with an update alone", .unit = "share"},
    {.name = "reward_r2", .title = "R² of the model that a seller was paid with", .unit = "share"},
};

}  // namespace
}  // namespace souk
