// What a module may not be or do, and how it is said.
#include <cstddef>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/atomic_file.hpp"
#include "sim/base/error.hpp"
#include "sim/data/zip_writer.hpp"
#include "tests/sim/learn/fixtures.hpp"
#include "tests/sim/learn/script_fixtures.torch.hpp"

namespace souk::scripted_refusals_test {
namespace {

using fixtures::model;
using fixtures::shape;
using scripts::batch_norm;
using scripts::dropout;
using scripts::linear;
using scripts::Module;
using scripts::net;
using scripts::saved;
using testing::AllOf;
using testing::AnyOf;
using testing::Eq;
using testing::HasSubstr;
using testing::Not;

const ModelShape input = shape(4, 1, 1, 3);

std::string refusal_of(const std::string& text, const ModelShape& of = input, const std::string& objective = "") {
  try {
    make_network(model(text), of, "cpu",
                 make_objective(fixtures::parse<scenario::Objective>(objective), of.classes > 0));
  } catch (const InputError& error) {
    return error.what();
  }
  return "none";
}

std::string refusal_of_file(const std::string& path) { return refusal_of("torchscript { file: \"" + path + "\" }"); }

/// Of a module with an affine layer `fc` for the shape above.
std::string refusal_of_body(const std::string& body) { return refusal_of(saved(net({{"fc", linear(4, 3)}}, body))); }

TEST(ScriptedRefusals, are_none_for_what_is_asked_for) { EXPECT_EQ(refusal_of_body("return self.fc(x)"), "none"); }

TEST(ScriptedRefusals, name_the_field_where_there_is_no_file) {
  EXPECT_THAT(refusal_of("torchscript {}"), HasSubstr("task.model.torchscript.file: is empty"));
  EXPECT_THAT(refusal_of_file("nowhere.pt"),
              HasSubstr("task.model.torchscript.file = \"nowhere.pt\": nowhere.pt: no such file"));
}

TEST(ScriptedRefusals, say_what_a_foreign_file_is_not) {
  const std::string text = scripts::script_file("text.pt"), archive = scripts::script_file("archive.pt");
  std::ofstream(text) << "no archive\n";
  ZipWriter writer(archive);
  const std::vector<std::byte> bytes(8);
  writer.add("archive/data.pkl", {bytes});
  writer.finish();

  EXPECT_THAT(refusal_of_file(text), HasSubstr(text + ": "));
  EXPECT_THAT(refusal_of_file(archive), AllOf(HasSubstr("holds no TorchScript"), HasSubstr("torch.jit.script")));
}

TEST(ScriptedRefusals, say_that_a_file_is_damaged) {
  saved(net({{"fc", linear(4, 3)}}, "return self.fc(x)"));
  const std::vector<std::byte> whole = read_file(scripts::script_file());
  for (std::size_t at = 0; at < whole.size(); at += 101) {
    auto changed = whole;
    changed[at] = static_cast<std::byte>(~static_cast<unsigned char>(changed[at]));
    const std::string path = scripts::script_file("changed.pt");
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(changed.data()), static_cast<std::streamsize>(changed.size()));
    const std::string refusal = refusal_of_file(path);  // or it was in the padding, or in a value
    EXPECT_THAT(refusal, AnyOf(Eq("none"), AllOf(HasSubstr(path), Not(HasSubstr("\n")))));
  }
  const std::string half = scripts::script_file("half.pt");
  std::ofstream(half, std::ios::binary)
      .write(reinterpret_cast<const char*>(whole.data()), static_cast<std::streamsize>(whole.size() / 2));
  EXPECT_THAT(refusal_of_file(half), HasSubstr(half + ": "));
}

TEST(ScriptedRefusals, come_before_code_that_runs_while_a_file_is_read) {
  Module module = linear(4, 3);
  module.define(
      "def __getstate__(self):\n  return 1\n"
      "def __setstate__(self, state: int):\n  print(state)\n");

  EXPECT_THAT(refusal_of(saved(module)), HasSubstr("has a __setstate__, which would run while the file is read"));
}

TEST(ScriptedRefusals, name_operators_that_reach_beyond_the_network) {
  EXPECT_THAT(refusal_of_body("print(x)\n  return self.fc(x)"), HasSubstr("calls prim::Print, and a network prints"));
  EXPECT_THAT(refusal_of_body("torch.save(x, \"souk_must_not_write\")\n  return self.fc(x)"),
              HasSubstr("calls aten::save, and a network writes no files"));
  EXPECT_THAT(refusal_of_body("if x.size(0) > 99:\n    torch.save(x, \"souk_must_not_write\")\n  return self.fc(x)"),
              HasSubstr("calls aten::save"));
  EXPECT_THAT(refusal_of_body("return self.fc(x) + torch.from_file(\"/etc/passwd\", False, 1).sum()"),
              HasSubstr("calls aten::from_file, and a network reads no files"));
  EXPECT_FALSE(std::filesystem::exists("souk_must_not_write"));
}

TEST(ScriptedRefusals, name_what_a_module_would_keep_between_calls) {
  Module counting = net({{"fc", linear(4, 3)}}, "return self.fc(x)");
  counting.register_attribute("calls", c10::IntType::get(), 0);
  counting.register_attribute("list", c10::ListType::ofInts(), c10::List<std::int64_t>());
  counting.register_buffer("total", at::zeros({}, at::kLong));
  const auto with = [&](const std::string& statement) {
    Module module = counting.clone();
    module.define("def more(self, x):\n  " + statement + "\n  return self.forward(x)\n");
    Module outer("__torch__.Outer");
    outer.register_module("inner", module);
    outer.define("def forward(self, x):\n  return self.inner.more(x)\n");
    return refusal_of(saved(outer));
  };

  EXPECT_THAT(with("self.calls = self.calls + 1"), HasSubstr("forward sets self.calls"));
  EXPECT_THAT(with("self.list.append(1)"), HasSubstr("forward changes self.list"));
  EXPECT_THAT(with("self.total.add_(1)"), HasSubstr("changes inner.total from call to call"));
  EXPECT_EQ(with("pass"), "none");
}

TEST(ScriptedRefusals, say_that_a_module_changes_its_own_parameters) {
  Module module = net({{"fc", linear(4, 3)}}, "return self.fc(x)");
  module.register_parameter("scale", scripts::parameter({1}), false);
  module.define("def scaled(self, x):\n  self.scale.detach().mul_(0.5)\n  return self.forward(x) * self.scale\n");
  Module outer("__torch__.Outer");
  outer.register_module("inner", module);
  outer.define("def forward(self, x):\n  return self.inner.scaled(x)\n");

  EXPECT_THAT(refusal_of(saved(outer)), HasSubstr("changes its parameters or buffers where it is tested"));
}

TEST(ScriptedRefusals, name_both_shapes) {
  EXPECT_THAT(refusal_of_body("return torch.cat([self.fc(x), self.fc(x)], 1)"),
              HasSubstr("answers [2, 6], must answer [2, 3]: a logit of each class for each sample"));
  EXPECT_THAT(refusal_of_body("return self.fc(x).view([2, 3])"), HasSubstr("fails on a batch [3, 4]: shape '[2, 3]'"));
  EXPECT_THAT(refusal_of(saved(net({{"fc", linear(5, 3)}}, "return self.fc(x)"))),
              AllOf(HasSubstr("fails on a batch [2, 4]: "), HasSubstr("cannot be multiplied"), Not(HasSubstr("\n"))));
  EXPECT_THAT(refusal_of_body("return self.fc(x).to(7)"), HasSubstr("answers numbers of Double, must answer float32"));
  EXPECT_THAT(refusal_of_body("return (self.fc(x), x)"), HasSubstr("forward answers a Tuple, must answer one tensor"));
  EXPECT_THAT(refusal_of(saved(net({{"fc", linear(4, 3)}}, "return self.fc(x)")), shape(4, 1, 1, 0)),
              HasSubstr("answers [2, 3], must answer [2, 1]: a number for each sample"));
}

TEST(ScriptedRefusals, say_what_the_module_itself_raises) {
  EXPECT_THAT(refusal_of_body("assert x.size(0) > 9, \"too few\"\n  return self.fc(x)"),
              AllOf(HasSubstr("fails on a batch [2, 4]: "), HasSubstr("too few"), Not(HasSubstr("\n"))));
}

TEST(ScriptedRefusals, want_parameters_of_float32) {
  Module doubles = linear(4, 3), frozen = linear(4, 3);
  doubles.setattr("weight", at::ones({3, 4}, at::kDouble).requires_grad_(true));
  for (const char* name : {"weight", "bias"}) frozen.attr(name).toTensor().requires_grad_(false);

  EXPECT_THAT(refusal_of(saved(net({{"fc", doubles}}, "return self.fc(x.to(7)).to(6)"))),
              HasSubstr("fc.weight is of Double, and networks compute in float32"));
  EXPECT_THAT(refusal_of(saved(net({{"fc", frozen}}, "return self.fc(x)"))),
              HasSubstr("has no parameters that need a gradient"));
}

TEST(ScriptedRefusals, want_answers_that_depend_on_parameters) {
  EXPECT_THAT(refusal_of_body("return self.fc(x).detach()"), HasSubstr("do not depend on its parameters"));
}

TEST(ScriptedRefusals, want_the_same_answer_to_the_same_question) {
  // As torch.jit.trace leaves them in training mode, where nothing tells tests from training any more.
  EXPECT_THAT(refusal_of_body("return torch.dropout(self.fc(x), 0.5, True)"),
              AllOf(HasSubstr("draws random numbers where it is tested"), HasSubstr("torch.jit.script")));
  Module norm = batch_norm(4);
  norm.define(
      "def traced(self, x):\n  return torch.batch_norm(x, self.weight, self.bias, self.running_mean, self.running_var, "
      "True, 0.1, 1e-5, False)\n");
  Module outer = net({{"fc", linear(4, 3)}, {"norm", norm}}, "return self.fc(self.norm.traced(x))");
  EXPECT_THAT(refusal_of(saved(outer)), HasSubstr("changes its parameters or buffers where it is tested"));
}

TEST(ScriptedRefusals, want_counters_that_do_not_matter) {
  EXPECT_EQ(refusal_of(saved(net({{"norm", batch_norm(4)}, {"fc", linear(4, 3)}}, "return self.fc(self.norm(x))"))),
            "none");
  EXPECT_THAT(refusal_of(saved(
                  net({{"norm", batch_norm(4, "1.0 / float(self.num_batches_tracked.item())")}, {"fc", linear(4, 3)}},
                      "return self.fc(self.norm(x))"))),
              HasSubstr("answers otherwise when it is trained on the same batch from the same values and seed again"));
}

TEST(ScriptedRefusals, of_second_derivatives_name_the_operator) {
  Module grid = net({{"fc", linear(4, 3)}}, "return self.fc(x)");
  grid.register_parameter("grid", scripts::parameter({1, 2, 2, 2}), false);
  grid.define(
      "def sampled(self, x):\n"
      "  y = torch.grid_sampler(x.view([-1, 1, 2, 2]), self.grid.expand([x.size(0), 2, 2, 2]), 0, 0, False)\n"
      "  return self.forward(torch.flatten(y, 1))\n");
  Module outer("__torch__.Outer");
  outer.register_module("inner", grid);
  outer.define("def forward(self, x):\n  return self.inner.sampled(x)\n");
  const auto network = make_network(model(saved(outer)), input, "cpu");
  const auto parameters = fixtures::initial_parameters(*network);
  const fixtures::Samples samples(input, 3);
  std::vector<float> product(parameters.size());
  EXPECT_GT(fixtures::norm(fixtures::loss_and_gradient(*network, parameters, samples.batch()).gradient), 0.0);

  try {
    network->hessian_vector(parameters, samples.batch(), parameters, product);
    FAIL() << "was not refused";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("a product with its Hessian is asked for"), HasSubstr("grid_sampler")));
  }
}

TEST(ScriptedRefusals, of_objectives_that_look_inside) {
  EXPECT_THAT(refusal_of(saved(net({{"fc", linear(4, 3)}}, "return self.fc(x)")), input, "channel_correlation {}"),
              HasSubstr("task.objective: asks for the channel attention"));
}

}  // namespace
}  // namespace souk::scripted_refusals_test
