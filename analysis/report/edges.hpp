#pragma once

#include <set>
#include <string>
#include <vector>

#include "analysis/database.hpp"
#include "analysis/report/figure.hpp"
#include "analysis/report/lines.hpp"
#include "analysis/report/study.hpp"
#include "analysis/report/vega.hpp"

namespace souk {

// What the figures about attacks on edges share. Attacks on training are another matter: in figures' data those on
// edges are `inference`, and `attack` is what clients do.

/// The attacks that have rows in a table of the view, as the lines of a figure.
vega::Dimension edge_attacks_of(const Database& view, const std::string& table);

/// A choice of the attack and of the value of every dimension, for figures whose lines are something else; none for the
/// fields in `without`.
void choose_place(vega::Json& spec, const Study& study, const vega::Dimension& attacks,
                  const std::set<std::string>& without = {});

/// Success of attacks, and the model's, by the noise on the edges; nothing where runs do not differ in it.
std::vector<Figure> edge_noise(const Study& study, const Database& view);

}  // namespace souk
