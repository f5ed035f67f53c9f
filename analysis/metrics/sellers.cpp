// The sellers' side, once for all buyers.
#include "analysis/metrics/metric.hpp"

namespace souk {
namespace {

const RegisterMetrics register_sellers{
    {.name = "sellers_present", .title = "sellers that take part where asked", .unit = "count"},
    {.name = "churn", .title = "sellers that came or left in the round", .unit = "share"},
    {.name = "mean_ask", .title = "mean of what sellers asked for their updates", .unit = "credits"},
    {.name = "reputation", .title = "reputation of a seller", .unit = "share"},
};

}  // namespace
}  // namespace souk
