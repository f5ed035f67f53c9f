#pragma once

#include <string>
#include <vector>

#include "analysis/database.hpp"
#include "analysis/report/figure.hpp"
#include "analysis/report/study.hpp"

namespace souk {

/// Families of figures, one file each. Every function returns what there are data for, and nothing otherwise.

/// Rule × attack, by metric and statistic.
std::vector<Figure> heat_maps(const Study& study);
/// Metrics over rounds: mean over seeds and its 95 % confidence interval.
std::vector<Figure> curves(const Study& study, const Database& view);
/// Metrics at the end over every axis of numbers.
std::vector<Figure> numeric_axes(const Study& study);
/// Who had weight in the global model, and who was paid.
std::vector<Figure> selection_and_payment(const Study& study, const Database& view);
/// What clients contributed against what they got for it.
std::vector<Figure> contribution_and_reward(const Study& study, const Database& view);
/// How well attacks on a served graph tell its edges: curves, ranks of scores, and success against noise on the edges.
std::vector<Figure> edge_inference(const Study& study, const Database& view);
/// What attacks on updates reconstructed, beside what a guess comes to, and pictures of it.
std::vector<Figure> reconstructions(const Study& study);
/// What runs reached and paid by the epsilon of their clients, where that differs.
std::vector<Figure> price_of_privacy(const Study& study);
/// Wall-clock time by phase and bytes by kind of message.
std::vector<Figure> costs(const Study& study, const Database& view);

/// Metrics of whole runs that rules and attacks are compared by, of those that the study has.
std::vector<std::string> compared_metrics(const Study& study);

/// At most this many rounds of a curve are drawn; longer ones are thinned evenly, first and last round kept.
inline constexpr std::size_t most_points = 100;
/// The places that are kept of `count`, ascending.
std::vector<std::size_t> thinned(std::size_t count);

}  // namespace souk
