// What a served graph's answers give away of its edges.
#include "analysis/report/figures.hpp"
#include "analysis/report/section.hpp"
#include "analysis/report/tables.hpp"

namespace souk {
namespace {

SectionContent content_of_edges(const ReportInput& input) {
  SectionContent section{.figures = edge_inference(input.study, input.view)};
  section.add(edge_table(input.study, input.view));
  section.add(request_table(input.study, input.view));
  return section;
}

const RegisterSection register_edges_section(
    {.id = "edges", .title = "Edge inference", .place = 35, .content = content_of_edges});

}  // namespace
}  // namespace souk
