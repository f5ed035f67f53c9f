// Clients' differential privacy: what was given away, and how far updates were shortened.
#include "analysis/metrics/metric.hpp"

namespace souk {
namespace {

const RegisterMetrics register_privacy{
    {.name = "privacy.epsilon",
     .title = "epsilon of what was released so far",
     .better = Better::smaller,
     .shown = {{"curves", 120}, {"run_page", 120}}},
    {.name = "privacy.clip", .title = "length that updates are shortened to"},
    {.name = "privacy.clipped_share",
     .title = "updates that were longer than the bound",
     .unit = "share",
     .of_each_round = true},
};

}  // namespace
}  // namespace souk
