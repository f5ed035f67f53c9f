"""The Python side of functions of a user's own: runs the file, hands its function what the arguments name, and checks
what it answers. Whatever is wrong becomes a Refusal: one sentence, then the user's own traceback where there is one."""
import difflib
import gc
import inspect
import json
import random
import sys
import traceback
import types

try:
    import numpy
except ImportError:
    numpy = None

# What a file prints is for its author, and not for scripts that read what a run leaves behind.
sys.stdout = sys.stderr

DOOR = "<souk>"
files = 0


class Refusal(Exception):
    """A sentence for the user."""


def near(word, words):
    close = difflib.get_close_matches(word, words, 1)
    return f" Did you mean '{close[0]}'?" if close else ""


def listed(words):
    return ", ".join(f"'{word}'" for word in words) or "none"


class Function:
    """One function of a file, with its settings, and what it keeps between rounds."""

    def __init__(self, path, source, name, offers, settings):
        if numpy is None:
            raise Refusal(f"{path}: needs NumPy, which this Python does not have: install python3-numpy")
        self.path, self.name, self.settings = path, name, settings
        self.states, self.lent = {}, {}
        self.module = self.run(source)
        self.function = getattr(self.module, name, None)
        if not callable(self.function):
            raise Refusal(f"{path}: has no function '{name}'")
        code = getattr(inspect.unwrap(self.function), "__code__", None)
        self.place = f"{path}:{code.co_firstlineno}" if code else path
        self.asks = self.matched(offers)

    def run(self, source):
        """The module that the file makes. Imports find what is installed, and no neighbours of the file: its content
        alone is part of a run's identity."""
        global files
        files += 1
        module = types.ModuleType(f"souk_own_{files}")
        module.__file__ = self.path
        try:
            code = compile(source, self.path, "exec")
        except (SyntaxError, ValueError) as error:
            line = f":{error.lineno}" if getattr(error, "lineno", None) else ""
            raise Refusal(f"{self.path}{line}: is not Python: {getattr(error, 'msg', error)}") from None
        sys.modules[module.__name__] = module
        try:
            exec(code, module.__dict__)
        except BaseException as error:
            self.tell(error, "the file")
        return module

    def matched(self, offers):
        """The names of what the function is handed, in the order of its arguments."""
        parameters = inspect.signature(self.function).parameters
        for parameter in parameters.values():
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                raise Refusal(f"{self.place}: {self.name} takes '{parameter}': name every argument that it wants")
        for name in self.settings:
            if name in offers:
                raise Refusal(f"{self.path}: the setting '{name}' has the name of something that {self.name} is handed;"
                              " call it otherwise")
            if name not in parameters:
                free = [p for p in parameters if p not in offers]
                raise Refusal(f"{self.place}: {self.name} has no argument '{name}' for the setting of this name; its "
                              f"settings: {listed(free)}.{near(name, free)}")
        for name, parameter in parameters.items():
            if name not in offers and name not in self.settings and parameter.default is parameter.empty:
                raise Refusal(f"{self.place}: {self.name} asks for '{name}', which is neither a setting of the scenario "
                              f"nor among what it may be handed: {listed(offers)}.{near(name, offers)}")
        return [name for name in parameters if name in offers]

    def constant(self, name):
        return getattr(self.module, name, None)

    def columnwise(self):
        value = self.constant("columnwise")
        if value not in (None, True, False):
            raise Refusal(f"{self.path}: columnwise is {value!r}, must be True or False")
        return bool(value)

    def not_preserved(self):
        """What the file says that its rule does not preserve."""
        known = ("scale", "translation", "unanimity", "permutation")
        value = self.constant("does_not_preserve")
        if value is None:
            return []
        if isinstance(value, str) or not all(isinstance(word, str) for word in value):
            raise Refusal(f"{self.path}: does_not_preserve must be a tuple of some of {listed(known)}")
        for word in value:
            if word not in known:
                raise Refusal(f"{self.path}: does_not_preserve names '{word}', which is none of {listed(known)}."
                              f"{near(word, known)}")
        return list(value)

    def call(self, lent, state, seeds, wanted, sole):
        """What the function answers, as arrays by name. `wanted` says how they may be shaped and of what type they become;
        an answer that is no dict is the one named `sole`."""
        self.lent = lent
        if state is not None:
            lent["state"] = self.states.setdefault(state, {})
        if seeds and "random" in self.asks:
            lent["random"] = numpy.random.Generator(numpy.random.PCG64(numpy.random.SeedSequence(seeds)))
        # Numbers that are drawn without asking for `random` are the same in every call.
        random.seed(0)
        numpy.random.seed(0)
        try:
            answer = self.function(**lent, **self.settings)
        except BaseException as error:
            self.tell(error, self.name)
        finally:
            sys.stdout.flush()
        if state is not None:
            self.settle(self.states[state])
        return self.checked(answer, wanted, sole)

    def checked(self, answer, wanted, sole):
        if answer is None:
            return None
        given = answer if isinstance(answer, dict) else {sole: answer}
        diagnostics = given.get("diagnostics", {})
        names = [*wanted, "diagnostics"]
        for name in given:
            if name not in names:
                raise Refusal(f"{self.place}: {self.name} answers '{name}', which is none of {listed(names)}."
                              f"{near(str(name), names)}")
        arrays = {name: self.array(name, value, *wanted[name]) for name, value in given.items() if name in wanted}
        return arrays, self.numbers(diagnostics)

    def array(self, name, value, kind, shapes):
        try:
            array = numpy.asarray(value)
        except ValueError as error:
            raise Refusal(f"{self.place}: {self.name} answers {name} that is no array: {error}") from None
        if array.dtype.kind not in "fiub":
            raise Refusal(f"{self.place}: {self.name} answers {name} of the type {array.dtype}, must be real numbers")
        if array.shape not in shapes:
            must = " or ".join(str(tuple(shape)) for shape in shapes)
            raise Refusal(f"{self.place}: {self.name} answers {name} of the shape {array.shape}, must be {must}")
        with numpy.errstate(over="ignore"):
            array = numpy.ascontiguousarray(array, kind)
        finite = numpy.isfinite(array)
        if not finite.all():
            first = numpy.argmin(finite)
            raise Refusal(f"{self.place}: {self.name} answers {name} that is not finite: value {first} is "
                          f"{array.reshape(-1)[first]}")
        return array

    def numbers(self, diagnostics):
        if not isinstance(diagnostics, dict):
            raise Refusal(f"{self.place}: {self.name} answers diagnostics that are no dict")
        found = {}
        for name, value in diagnostics.items():
            try:
                number = float(value)
            except (TypeError, ValueError):
                number = float("nan")
            if not isinstance(name, str) or number - number != 0.0:
                raise Refusal(f"{self.place}: {self.name} answers the diagnostic {name!r} = {value!r}, must be a text and "
                              "a finite number")
            found[name] = number
        return found

    def take_back(self):
        """What was lent for a call is gone after it: who still held it would read other rounds' memory."""
        lent, self.lent = self.lent, {}
        for name in [name for name, value in lent.items() if isinstance(value, numpy.ndarray)]:
            array = lent.pop(name)
            if sys.getrefcount(array) > 2:
                gc.collect()
            if sys.getrefcount(array) > 2:
                raise Refusal(f"{self.place}: {self.name} keeps '{name}' or a part of it after it has answered: keep a copy")

    def settle(self, state):
        """Refuses what cannot be saved, and gives arrays memory of their own."""
        for name, value in state.items():
            if not isinstance(name, str):
                raise Refusal(f"{self.place}: state has the key {name!r}, must be a text")
            if isinstance(value, numpy.ndarray):
                if value.dtype.kind not in "fiubU":
                    raise Refusal(f"{self.place}: state['{name}'] has the type {value.dtype}, must be numbers or texts")
                if not value.flags.owndata or type(value) is not numpy.ndarray:
                    state[name] = numpy.array(value)
            elif isinstance(value, numpy.generic) and value.dtype.kind in "fiubU":
                pass
            elif not isinstance(value, (bool, int, float, str)):
                raise Refusal(f"{self.place}: state['{name}'] is a {type(value).__name__}, must be a number, a text or a "
                              "NumPy array")

    def save(self):
        """All states as bytes: a line of JSON that says what they hold, then the arrays' values."""
        states, values = [], []
        for key, state in self.states.items():
            entries = []
            for name, value in state.items():
                if isinstance(value, (numpy.ndarray, numpy.generic)):
                    # A scalar of NumPy is an array without dimensions, marked so that it comes back as one.
                    entries.append([name, "scalar" if isinstance(value, numpy.generic) else "array",
                                    [value.dtype.str, list(value.shape)]])
                    values.append(numpy.asarray(value).tobytes())
                elif isinstance(value, float):
                    entries.append([name, "float", value.hex()])
                else:
                    entries.append([name, "plain", value])
            states.append([key, entries])
        return json.dumps(states).encode() + b"\n" + b"".join(values)

    def load(self, saved):
        head, _, values = saved.partition(b"\n")
        self.states, at = {}, 0
        for key, entries in json.loads(head) if head else []:
            state = self.states[key] = {}
            for name, kind, value in entries:
                if kind in ("array", "scalar"):
                    dtype = numpy.dtype(value[0])
                    count = int(numpy.prod(value[1], dtype=numpy.int64))
                    array = numpy.frombuffer(values, dtype, count, at).reshape(value[1]).copy()
                    at += count * dtype.itemsize
                    state[name] = array[()] if kind == "scalar" else array
                else:
                    state[name] = float.fromhex(value) if kind == "float" else value

    def tell(self, error, what):
        """The user's own exception, without the lines of this file."""
        frame = error.__traceback__
        while frame is not None and frame.tb_frame.f_code.co_filename == DOOR:
            frame = frame.tb_next
        own = [entry for entry in traceback.extract_tb(frame) if entry.filename == self.path]
        place = f"{self.path}:{own[-1].lineno}" if own else self.path
        text = "".join(traceback.format_exception(type(error), error, frame)).rstrip()
        said = str(error).splitlines()
        sentence = f"{place}: {what} raised {type(error).__name__}" + (f": {said[0]}" if said else "")
        raise Refusal(sentence + "\n" + text) from None
