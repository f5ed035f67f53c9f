// What attacks on a served graph's edges reach, and what they ask for.
#include "analysis/metrics/metric.hpp"

namespace souk {
namespace {

/// An attacker's success, which is the less welcome the larger it is.
Metric success(std::string_view name, std::string_view title, std::string_view unit = "share") {
  return {.name = name, .title = title, .unit = unit, .better = Better::smaller, .of_named = true};
}

Metric cost(std::string_view name, std::string_view title, std::string_view unit = "count") {
  return {.name = name, .title = title, .unit = unit, .of_named = true};
}

const RegisterMetrics register_edges{
    success("edges.auc", "area under the ROC curve of inferred edges", ""),
    success("edges.auc_low", "area under the ROC curve of inferred edges, low end of its 95 % interval", ""),
    success("edges.auc_high", "area under the ROC curve of inferred edges, high end of its 95 % interval", ""),
    success("edges.auc_same_class", "area under the ROC curve of inferred edges within classes", ""),
    success("edges.auc_degree_low", "area under the ROC curve of inferred edges, third of low degrees", ""),
    success("edges.auc_degree_middle", "area under the ROC curve of inferred edges, third of middle degrees", ""),
    success("edges.auc_degree_high", "area under the ROC curve of inferred edges, third of high degrees", ""),
    success("edges.average_precision", "average precision of inferred edges"),
    success("edges.tpr_at_1pct_fpr", "edges found while 1 % of the other pairs are taken for edges"),
    success("edges.tpr_at_01pct_fpr", "edges found while 0.1 % of the other pairs are taken for edges"),
    success("edges.precision", "precision of inferred edges"),
    success("edges.recall", "recall of inferred edges"),
    success("edges.f1", "F1 of inferred edges"),
    success("edges.f1_low", "F1 of inferred edges, low end of its 95 % interval"),
    success("edges.f1_high", "F1 of inferred edges, high end of its 95 % interval"),
    success("edges.list_auc", "area under the ROC curve of inferred edges, mean over lists", ""),
    success("edges.list_average_precision", "average precision of inferred edges, mean over lists"),
    success("edges.list_precision", "precision of inferred edges, mean over lists"),
    success("edges.list_recall", "recall of inferred edges, mean over lists"),
    success("edges.list_f1", "F1 of inferred edges, mean over lists"),
    success("edges.list_f1_low", "F1 of inferred edges, mean over lists, low end of its 95 % interval"),
    success("edges.list_f1_high", "F1 of inferred edges, mean over lists, high end of its 95 % interval"),
    success("edges.label_accuracy", "targets whose class was guessed"),
    cost("edges.pairs", "pairs of nodes asked about"),
    cost("edges.pairs_scored", "pairs of nodes that got a score"),
    cost("edges.reads", "answers read"),
    cost("edges.writes", "changes of features"),
    cost("edges.registrations", "nodes registered"),
    cost("edges.edges_asked", "edges asked for"),
    cost("edges.refused", "edges refused by nodes"),
    cost("edges.beyond_budget", "pieces of work refused by the budget"),
    cost("edges.ticks", "ticks of the service's clock", "ticks"),
    cost("edges.spent", "credits paid to the service", "credits"),
};

}  // namespace
}  // namespace souk
