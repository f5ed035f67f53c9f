#pragma once

#include <optional>

#include "analysis/database.hpp"
#include "analysis/report/figure.hpp"
#include "analysis/report/study.hpp"
#include "analysis/report/verdict.hpp"

namespace souk {

/// What became of every rule; what every rule costs without an attack; what became of every attack.
ReportTable rule_table(const StudyVerdict& verdict);
ReportTable price_table(const StudyVerdict& verdict);
ReportTable attack_table(const StudyVerdict& verdict);
/// What became of every buyer's model and money; empty where nobody has a rival.
ReportTable buyer_table(const Study& study);
/// The test accuracy of every class at the end; empty where no class was measured, or there are too many to read.
ReportTable class_table(const Study& study, const Database& view);
/// What attacks on a served graph's edges reached; empty where there were none.
ReportTable edge_table(const Study& study, const Database& view);
/// What was asked of a served model by attack and kind, and what of it was refused; empty where nothing was.
ReportTable request_table(const Study& study, const Database& view);
/// What attacks on updates found of the data behind them; empty where there were none.
ReportTable inference_table(const Study& study);
/// What requests to forget left, beside the model that never saw what is forgotten; empty where there were none.
ReportTable unlearning_table(const Study& study);
/// What runs gave away about their clients beside how good they became; empty where none has a privacy section.
ReportTable privacy_table(const Study& study);
/// Of everybody whose data something was learned from: epsilon, the strongest attack, and credits; empty where nothing
/// is bounded and nobody attacks.
ReportTable privacy_ledger_table(const Study& study, const Database& view);
/// Every cell with its place in the grid and its numbers at the end.
ReportTable cell_table(const Study& study);
/// Cells without the result they were to have, with the reason: missing, failed, crashed, timed out, diverged,
/// interrupted, and runs that needed more than one attempt.
ReportTable failure_table(const Study& study);

}  // namespace souk
