// What a function of a user's own is handed and may answer, and what becomes of all else.
#include "sim/python/python_function.hpp"

#include <gmock/gmock.h>

#include "sim/python/settings.hpp"
#include "tests/support/own_code.hpp"

namespace souk::python_function_test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class PythonFunctions : public testing::Test {
 protected:
  void SetUp() override {
    if (without_python()) GTEST_SKIP() << "this build has no Python";
  }
  static std::unique_ptr<PythonFunction> load(const std::string& text, std::vector<PythonSetting> settings = {}) {
    return load_python({.field = "rule",
                        .path = own_file(text),
                        .name = "answer",
                        .offers = {"updates", "weights", "round", "state", "random"},
                        .settings = std::move(settings)});
  }
  static std::string refusal(const std::string& text, std::vector<PythonSetting> settings = {}) {
    try {
      load(text, std::move(settings));
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }

  /// Two updates of three values, 0 … 5.
  PythonAnswer ask(PythonFunction& function, const std::string& state = "") const {
    PythonCall call;
    if (function.asks("updates")) {
      call.arguments.emplace_back("updates", PythonArray{values_.data(), PythonNumber::float32, {2, 3}, {}});
    }
    if (function.asks("round")) call.arguments.emplace_back("round", std::int64_t{7});
    if (function.asks("state")) call.state = state;
    call.random = {1, 2, 3, 4};
    call.wanted = {{"step", PythonNumber::float32, {{3}}}, {"weights", PythonNumber::float64, {{2}}}};
    return function.call(call);
  }
  std::string refused_answer(const std::string& text) const {
    const auto function = load(text);
    try {
      ask(*function);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }

  std::vector<float> values_{0, 1, 2, 3, 4, 5};
};

TEST_F(PythonFunctions, answer_an_array_or_a_dict) {
  EXPECT_THAT(ask(*load("def answer(updates): return updates[1]")).vectors.at("step"), ElementsAre(3, 4, 5));
  const PythonAnswer answer = ask(*load(
      "def answer(updates, round):\n  return {'step': [1, 2, 3.5], 'weights': [1, 0], 'diagnostics': {'r': round}}"));
  EXPECT_THAT(answer.vectors.at("step"), ElementsAre(1, 2, 3.5F));
  EXPECT_THAT(answer.numbers.at("weights"), ElementsAre(1, 0));
  EXPECT_EQ(answer.diagnostics.at("r"), 7);
  EXPECT_TRUE(ask(*load("def answer(): pass")).none);
}

TEST_F(PythonFunctions, see_the_memory_itself_and_cannot_write_to_it) {
  const auto function = load(
      "def answer(updates):\n"
      "  return {'step': updates[0], 'diagnostics': {'at': updates.__array_interface__['data'][0]}}");
  EXPECT_EQ(ask(*function).diagnostics.at("at"), static_cast<double>(reinterpret_cast<std::uintptr_t>(values_.data())));
  EXPECT_THAT(refused_answer("def answer(updates):\n  updates[0, 0] = 9\n  return updates[0]"),
              HasSubstr("own.py:2: answer raised ValueError: assignment destination is read-only"));
  EXPECT_THAT(refused_answer("def answer(updates):\n  updates.setflags(write=True)\n  return updates[0]"),
              HasSubstr("cannot set WRITEABLE"));
  EXPECT_EQ(values_[0], 0.0F);
}

TEST_F(PythonFunctions, must_not_keep_what_was_lent) {
  EXPECT_THAT(refused_answer("kept = []\ndef answer(updates):\n  kept.append(updates[0])\n  return updates[1]"),
              HasSubstr("own.py:2: answer keeps 'updates' or a part of it after it has answered: keep a copy"));
  EXPECT_EQ(refused_answer("kept = []\ndef answer(updates):\n  kept.append(updates[0].copy())\n  return updates[1]"),
            "");
}

TEST_F(PythonFunctions, get_settings_by_name_and_type) {
  const auto function = load(
      "def answer(updates, factor, word='', yes=False, other=2):\n"
      "  assert type(factor) is float and word == 'w' and yes is True and other == 2\n"
      "  return factor * updates[0]",
      {{"factor", 3.0}, {"word", std::string("w")}, {"yes", true}});
  EXPECT_THAT(ask(*function).vectors.at("step"), ElementsAre(0, 3, 6));
}

TEST_F(PythonFunctions, are_refused_with_file_line_and_name) {
  EXPECT_THAT(refusal("def answer(updats): pass"),
              AllOf(HasSubstr("own.py:1: answer asks for 'updats'"), HasSubstr("Did you mean 'updates'?")));
  EXPECT_THAT(refusal("def answer(updates, beta=1): pass", {{"bta", 1.0}}),
              AllOf(HasSubstr("no argument 'bta'"), HasSubstr("Did you mean 'beta'?")));
  EXPECT_THAT(refusal("def answer(updates): pass", {{"updates", 1.0}}), HasSubstr("the setting 'updates'"));
  EXPECT_THAT(refusal("def answer(**needs): pass"), HasSubstr("name every argument"));
  EXPECT_THAT(refusal("def answer(updates)"), HasSubstr("own.py:1: is not Python: expected ':'"));
  EXPECT_THAT(refusal("x = 1"), HasSubstr("has no function 'answer'"));
  EXPECT_THAT(refusal("\nx = 1 / 0"), HasSubstr("own.py:2: the file raised ZeroDivisionError: division by zero"));
  EXPECT_THAT(refusal("columnwise = 3\ndef answer(): pass"), HasSubstr("columnwise is 3"));
  EXPECT_THAT(refusal("does_not_preserve = ('scle',)\ndef answer(): pass"), HasSubstr("Did you mean 'scale'?"));
}

TEST_F(PythonFunctions, that_import_their_neighbours_are_refused) {
  own_file("x = 1", "neighbour.py");
  EXPECT_THAT(refusal("import neighbour"), HasSubstr("No module named 'neighbour'"));
}

TEST_F(PythonFunctions, show_the_users_own_traceback_and_no_line_of_ours) {
  const std::string why =
      refused_answer("def inner(x):\n  raise KeyError('gone')\ndef answer(updates):\n  inner(updates)");
  EXPECT_THAT(why, AllOf(HasSubstr("own.py:2: answer raised KeyError: 'gone'\nTraceback (most recent call last):"),
                         HasSubstr("line 4, in answer"), HasSubstr("line 2, in inner"), Not(HasSubstr("<souk>"))));
  EXPECT_THAT(refused_answer("import sys\ndef answer(updates): sys.exit(0)"), HasSubstr("raised SystemExit: 0"));
}

TEST_F(PythonFunctions, answers_of_another_shape_or_type_or_not_finite_are_refused) {
  EXPECT_THAT(refused_answer("def answer(updates): return updates"),
              HasSubstr("step of the shape (2, 3), must be (3,)"));
  EXPECT_THAT(refused_answer("def answer(updates): return 1.0"), HasSubstr("step of the shape (), must be (3,)"));
  EXPECT_THAT(refused_answer("def answer(updates): return [1, float('nan'), 2]"),
              HasSubstr("step that is not finite: value 1 is nan"));
  EXPECT_THAT(refused_answer("def answer(updates): return [1, 2, 1e300]"), HasSubstr("value 2 is inf"));
  EXPECT_THAT(refused_answer("def answer(updates): return 'abc'"), HasSubstr("must be real numbers"));
  EXPECT_THAT(refused_answer("def answer(updates): return updates[0] * 1j"), HasSubstr("must be real numbers"));
  EXPECT_THAT(refused_answer("def answer(updates): return {'wights': [1, 0]}"), HasSubstr("Did you mean 'weights'?"));
  EXPECT_THAT(refused_answer("def answer(): return {'step': [1, 2, 3], 'diagnostics': {'x': float('inf')}}"),
              HasSubstr("the diagnostic 'x' = inf"));
}

TEST_F(PythonFunctions, states_come_back_bit_by_bit_and_apart) {
  const std::string text =
      "import numpy as np\n"
      "def answer(updates, state):\n"
      "  n = state.get('n', 0)\n"
      "  if n: assert state['half'] == 0.1 and state['word'] == 'ä\\n' and state['row'].tolist() == [0, 1, 2]\n"
      "  if n: assert type(state['one']) is np.float32 and state['big'] == 10**30 and state['yes'] is True\n"
      "  state.update(n=n + 1, half=0.1, word='ä\\n', row=updates[0], one=updates[0, 1], big=10**30, yes=True)\n"
      "  return [state['n']] * 3";
  const auto first = load(text), second = load(text);
  ask(*first);
  EXPECT_THAT(ask(*first).vectors.at("step"), ElementsAre(2, 2, 2));
  EXPECT_THAT(ask(*first, "other").vectors.at("step"), ElementsAre(1, 1, 1));
  second->load_states(first->save_states());
  EXPECT_EQ(second->save_states(), first->save_states());
  EXPECT_THAT(ask(*second).vectors.at("step"), ElementsAre(3, 3, 3));
  EXPECT_THAT(ask(*second, "other").vectors.at("step"), ElementsAre(2, 2, 2));
  EXPECT_THAT(refused_answer("def answer(updates, state):\n  state['a'] = [1]\n  return updates[0]"),
              HasSubstr("state['a'] is a list"));
}

TEST_F(PythonFunctions, draw_the_same_numbers_from_the_same_seed) {
  const std::string text = "def answer(random): return random.normal(size=3)";
  const auto step = ask(*load(text)).vectors.at("step");
  EXPECT_EQ(ask(*load(text)).vectors.at("step"), step);
  // NumPy's own: Generator(PCG64(SeedSequence([1, 2, 3, 4]))).normal(size=3).
  EXPECT_THAT(step,
              ElementsAre(testing::FloatEq(-0.5062038F), testing::FloatEq(1.6152228F), testing::FloatEq(-0.87890804F)));
  const std::string careless = "import numpy as np\ndef answer(): return np.random.rand(3)";
  EXPECT_EQ(ask(*load(careless)).vectors.at("step"), ask(*load(careless)).vectors.at("step"));
}

struct GivenSetting {
  std::string given_name;
  bool has = true;
  const std::string& name() const { return given_name; }
  bool has_number() const { return has; }
  bool has_text() const { return false; }
  bool has_flag() const { return false; }
  double number() const { return 1.0; }
  std::string text() const { return ""; }
  bool flag() const { return false; }
};

TEST(PythonSettings, without_name_or_value_or_twice_are_refused) {
  const auto refusal = [](const std::vector<GivenSetting>& settings) -> std::string {
    try {
      python_settings("aggregator.python", settings);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(refusal({{"a"}, {"b"}}), "");
  EXPECT_THAT(refusal({{"a"}, {""}}), HasSubstr("aggregator.python.settings[1].name: is empty"));
  EXPECT_THAT(refusal({{"a"}, {"a"}}), HasSubstr("settings[1].name = \"a\": is set twice"));
  EXPECT_THAT(refusal({{"a", false}}), HasSubstr("settings[0]: 'a' has no value: number, text or flag"));
}

}  // namespace
}  // namespace souk::python_function_test
