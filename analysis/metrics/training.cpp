// How training goes, whatever is learned.
#include "analysis/metrics/metric.hpp"

namespace souk {
namespace {

const RegisterMetrics register_training{
    {.name = "loss",
     .title = "test loss",
     .better = Better::smaller,
     .shown = {{"curves", 30}, {"runs", 50}, {"overview", 50}, {"run_page", 30}}},
    {.name = "validation_loss", .title = "validation loss", .better = Better::smaller},
    {.name = "train_loss", .title = "training loss", .shown = {{"curves", 90}, {"run_page", 110}}},
    {.name = "local_loss", .title = "local training loss"},
    {.name = "learning_rate", .title = "learning rate"},
    {.name = "step_norm", .title = "length of the step", .shown = {{"run_page", 120}}},
    {.name = "update_norm", .title = "length of an update"},
    {.name = "cosine_to_aggregate", .title = "cosine of an update and the step"},
    {.name = "weight", .title = "weight of an update in the step", .unit = "share"},
    {.name = "updates", .title = "updates used", .unit = "count"},
    {.name = "parameters", .title = "parameters", .unit = "count"},
    {.name = "distance_from_iid", .title = "distance from an even deal", .unit = "share"},
};

}  // namespace
}  // namespace souk
