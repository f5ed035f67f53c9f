// What `souk list` and `souk describe` say about plug-ins and kinds of them.
#include "tests/support/update_files.hpp"

namespace souk::describe_test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Describe : public UpdateFilesTest {
 protected:
  Describe() : UpdateFilesTest("describe") {}
  std::string list(const std::string& kind) const {
    return RunningProgram({std::getenv("SOUK_PROGRAM"), "list", kind}, directory_).wait().out;
  }
};

TEST_F(Describe, a_kind_stands_for_the_kinds_below_it) {
  EXPECT_THAT(list("attacks"),
              AllOf(HasSubstr("attacks/data\n"), HasSubstr("attacks/updates\n"), HasSubstr("attacks/sybil\n"),
                    HasSubstr("attacks/reports\n"), HasSubstr("label_flip"), HasSubstr("false_reports"),
                    Not(HasSubstr("aggregators\n"))));
  EXPECT_THAT(list("attacks/updates"), AllOf(HasSubstr("alie"), Not(HasSubstr("label_flip"))));
  EXPECT_EQ(list("attack"), "");
}

TEST_F(Describe, sections_metrics_and_tables_are_described_too) {
  EXPECT_THAT(run({"root"}).out, HasSubstr("samples"));
  EXPECT_THAT(run({"task.training"}).out, HasSubstr("learning_rate"));
  EXPECT_THAT(run({"asr"}).out, AllOf(HasSubstr("attack success rate"), HasSubstr("smaller is better")));
  EXPECT_THAT(run({"buyer.b.accuracy"}).out, HasSubstr("test accuracy, buyer b"));
  EXPECT_THAT(run({"ledger"}).out, AllOf(HasSubstr("table of results"), HasSubstr("micro_credits")));
  EXPECT_EQ(run({"acuracy"}).exit_code, 2);
}

TEST_F(Describe, attacks_say_what_they_know_and_need) {
  EXPECT_THAT(run({"alie"}).out,
              AllOf(HasSubstr("knowledge   ALL as published, COLLUDERS at least"),
                    HasSubstr("needs       2 known updates in a round"), HasSubstr("baruch2019little")));
  EXPECT_THAT(run({"ipm"}).out, AllOf(HasSubstr("OWN at least"), HasSubstr("needs       updates alone")));
  EXPECT_THAT(run({"pivot"}).out,
              AllOf(HasSubstr("COLLUDERS at least"), HasSubstr("needs       2 members in a round")));
  EXPECT_THAT(run({"mimic"}).out, HasSubstr("2 known updates in a round below ALL"));
  EXPECT_THAT(run({"ipm_opt"}).out, HasSubstr("RULE as published, RULE at least"));
  EXPECT_THAT(run({"neurotoxin"}).out, HasSubstr("needs       training of its own, a data attack in the same group"));
  EXPECT_THAT(run({"fltrust_adaptive"}).out, HasSubstr("needs       a server that trains on root data"));
  EXPECT_THAT(run({"badnets"}).out, AllOf(HasSubstr("poisons     50 % of the eligible samples"),
                                          HasSubstr("the attack success rate is measured")));
  EXPECT_THAT(run({"flshield_fa_adp"}).out, HasSubstr("knowledge   ALL at least"));
}

TEST_F(Describe, a_page_has_the_parameters_of_its_parts) {
  EXPECT_THAT(run({"sybil_mimic"}).out,
              AllOf(HasSubstr("parameters of memory"), HasSubstr("CURRENT: "), HasSubstr("followed (")));
  EXPECT_THAT(run({"adaptive_seller", "--markdown"}).out,
              AllOf(HasSubstr("## Parameters of `bandit`"), HasSubstr("| `gain` |")));
  EXPECT_THAT(run({"err"}).out, Not(HasSubstr("parameters of base"))) << "that is a choice, with pages of its own";
}

TEST_F(Describe, a_kind_gives_a_page_for_each_of_its_plug_ins) {
  EXPECT_THAT(run({"pre_aggregators"}).out, AllOf(HasSubstr("nnm (pre_aggregators)"), HasSubstr("\n\narc (")));
  EXPECT_EQ(run({"pre_aggregators", "--out", "."}).out, "");
  EXPECT_EQ(read("nnm.md"), run({"nnm", "--markdown"}).out);
  EXPECT_EQ(read("arc.md"), run({"arc", "--markdown"}).out);
  const Ended nowhere = run({"pre_aggregators", "--out", "nowhere"});
  EXPECT_EQ(nowhere.exit_code, 2);
  EXPECT_THAT(nowhere.err, HasSubstr("nowhere/nnm.md: there is no directory nowhere"));
}

}  // namespace
}  // namespace souk::describe_test
