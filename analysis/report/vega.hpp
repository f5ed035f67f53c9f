#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "analysis/report/figure.hpp"
#include "analysis/report/study.hpp"

namespace souk::vega {

/// Words of Vega-Lite that several figures share. Texts of the user go into values, options and data, never into
/// expressions.
using Json = nlohmann::json;

/// As JSON; bytes that are no UTF-8 become U+FFFD, as they do in the data.
std::string text_of(const Json& spec);
/// An empty specification over the data of a Figure.
Json specification();
/// A parameter that the reader chooses from a list; `labels` are what is shown for the options, the options themselves
/// where there are none.
Json choice(const std::string& name, const std::string& label, const std::vector<std::string>& options,
            const std::vector<std::string>& labels = {});
/// {"filter": …}, {"calculate": …, "as": …}.
Json filter(const std::string& expression);
Json calculate(const std::string& expression, const std::string& as);
/// A position or other channel: field, type, title.
Json channel(const std::string& field, const std::string& type, const std::string& title);
/// The channel of rounds, with ticks at whole numbers.
Json round_channel();
/// A tooltip's line.
Json line(const std::string& field, const std::string& title, const std::string& format = "");
/// Colour by a field of few texts; beyond eight of them lines are dashed as well.
void colour_by(Json& encoding, const std::string& field, const std::string& title, std::size_t count);
/// A parameter that keeps what is chosen in the legend; the others fade through `faded`.
Json legend_choice(const std::string& field);
Json faded(double otherwise = 1.0);
/// An expression: the text of `texts` that belongs to the option that parameter `name` has. Texts of ours only.
std::string by_option(const std::string& name, const std::vector<std::string>& options,
                      const std::vector<std::string>& texts);

/// Name of a metric in titles, and in front of units: "test accuracy (%)". Shares are drawn as percentages.
std::string title_of(const std::string& metric);
bool is_share(const std::string& metric);
/// A value of the metric as it is drawn.
double drawn(const std::string& metric, double value);

/// Adds shown_low and shown_high: low and high, but no less than 0 and no more than 100 where parameter `metric` is a
/// share; least and most where there is no interval, or the reader chooses so: a choice that is there with `bands`.
void choose_band(Json& spec, const std::vector<std::string>& metrics, bool bands);

/// Axes of a study beside rule, attack and seed, as fields axis1, axis2, … of data and as parameters of the same name.
std::string axis_field(std::size_t axis);
/// Whether numbers over all values of the axis together mean something.
bool can_be_together(const StudyAxis& axis);
/// Adds a choice and a filter per axis; with `all` the first option is all values together, stored as "all", where that
/// means something.
void choose_axes(Json& spec, const Study& study, bool all);
void choose_axis(Json& spec, const Study& study, std::size_t axis, bool all);
inline constexpr const char* all_values = "all";
/// The specification with its choices of rule, attack and axes set to a place that the data have, under an attack if
/// there is one.
std::string begun_at_data(const Figure& figure, const Study& study);
/// rule, attack, axis1, …: columns of data by cell, and their values.
std::vector<std::string> grid_columns(const Study& study, const std::vector<std::string>& more);
std::vector<ReportValue> grid_values(const StudyCell& cell, std::vector<ReportValue> more);

}  // namespace souk::vega
