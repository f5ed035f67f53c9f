"""Scenarios: what a run is told."""

from __future__ import annotations

import contextlib
import os
import pathlib
import tempfile
import types
from typing import Any, Iterator, List, Mapping, Optional, Tuple, Union

from ._errors import SoukError
from ._program import PathLike, call, call_for_text, program


def quoted(text: str) -> str:
    """As the text format writes a string."""
    letters = (f"\\{ord(c):03o}" if ord(c) < 32 else "\\" + c if c in '"\\' else c for c in text)
    return '"' + "".join(letters) + '"'


def value_text(value: Any) -> str:
    """A single value as `--set` takes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str):
        if value.startswith('"') or any(ord(letter) < 32 for letter in value):  # else the program does it
            return quoted(value)
        return value
    if isinstance(value, (int, float)):
        return repr(value)
    if hasattr(value, "item") and getattr(value, "shape", None) == ():  # a number of NumPy
        return value_text(value.item())
    raise TypeError(f"{value!r} is no value of a field: number, text, truth value, path, or a dict or list of such")


def settings_of(path: str, value: Any) -> List[str]:
    """PATH=VALUE for every `--set` that it takes: of dicts, which are messages, and of lists member by member."""
    if hasattr(value, "tolist") and getattr(value, "shape", ()) != ():  # an array
        value = value.tolist()
    if isinstance(value, Mapping):
        settings = [f"{path}={{}}"]
        for name, member in value.items():
            settings += settings_of(f"{path}.{name}", member)
        return settings
    if isinstance(value, (list, tuple)):
        settings = [f"{path}="]
        for index, member in enumerate(value):
            settings += settings_of(f"{path}[{index}]", member)
        return settings
    return [f"{path}={value_text(value)}"]


class Scenario:
    """A scenario: text in protobuf's text format, or a message, and changes of single fields.

    Never changed; `set` gives another one. Nothing is checked before the program is asked to (`check`, `resolved`,
    `souk.run`), for it alone knows the schema.
    """

    def __init__(self, scenario: Any, settings: Tuple[str, ...] = (), path: Optional[pathlib.Path] = None):
        """scenario: the text, or a message of `souk.messages()`. To begin with a file: Scenario.read."""
        if hasattr(scenario, "DESCRIPTOR"):
            from google.protobuf import text_format

            scenario = text_format.MessageToString(scenario)
        if not isinstance(scenario, str):
            raise TypeError("a scenario is a text or a protobuf message; souk.Scenario.read(path) reads a file")
        self.text: str = scenario
        self.settings: Tuple[str, ...] = tuple(settings)
        self._path = path

    @classmethod
    def read(cls, path: PathLike) -> Scenario:
        """The scenario in a file: text format, or JSON. Raises OSError where it cannot be read."""
        file = pathlib.Path(path)
        return cls(file.read_text(), path=file)

    def set(self, fields: Optional[Mapping[str, Any]] = None, **more: Any) -> Scenario:
        """The scenario with some fields changed, in this order.

        fields: by path, as `--set` has them: {"task.training.batch_size": 64, "attacks[0].fraction": 0.2}. A value may
        be a number, text (also the name of an enumerator), truth value, path; a dict for a message, all of which it
        replaces ({"aggregator": {"krum": {"f": 2}}}); or a list. more: the same for fields without a dot.
        """
        settings = list(self.settings)
        for path, value in {**(fields or {}), **more}.items():
            settings += settings_of(path, value)
        return Scenario(self.text, tuple(settings), self._path)

    def resolved(self) -> Scenario:
        """The same scenario in full: changes made and every default filled in. Raises InputError."""
        with self.arguments() as words:
            return Scenario(call_for_text(["check", *words, "--print"]))

    def message(self) -> Any:
        """The resolved scenario as a protobuf message, of which every field can be read. Needs protobuf."""
        from google.protobuf import text_format

        return text_format.Parse(self.resolved().text, messages().Scenario())

    @contextlib.contextmanager
    def arguments(self) -> Iterator[List[str]]:
        """Words of a command line that name this scenario, for as long as the context lasts."""
        changes = [word for setting in self.settings for word in ("--set", setting)]
        known_as = self._path or pathlib.Path("scenario")
        with tempfile.TemporaryDirectory(prefix="souk-") as folder:
            file = pathlib.Path(folder) / ("scenario" + (known_as.suffix or ".textproto"))
            file.write_text(self.text)
            try:
                yield [str(file), *changes]
            except SoukError as error:  # nobody knows the file by its name here
                error.args = (str(error).replace(str(file), str(known_as)),)
                raise

    def __repr__(self) -> str:
        source = f"read from {self._path}" if self._path is not None else f"{len(self.text.splitlines())} lines"
        changes = f", {', '.join(self.settings)}" if self.settings else ""
        return f"<souk.Scenario {source}{changes}>"


def scenario_of(given: Union[Scenario, PathLike, Any]) -> Scenario:
    """A scenario as it is, that of a file, or that of a message."""
    if isinstance(given, Scenario):
        return given
    if isinstance(given, (str, os.PathLike)):
        return Scenario.read(given)
    return Scenario(given)


def check(scenario: Union[Scenario, PathLike, Any], *, ranks: int = 1) -> str:
    """What the scenario comes to and what it needs on so many ranks, as `souk check` prints it, without running it.

    scenario: a Scenario, the path of a file, or a message. Raises InputError where it cannot be run.
    """
    with scenario_of(scenario).arguments() as words:
        return call_for_text(["check", *words, "--ranks", str(ranks)])


_MESSAGES: dict = {}  # by program and when it was built


def messages() -> types.SimpleNamespace:
    """The messages of the schema as protobuf classes, by name: souk.messages().Scenario(rounds=3).

    They are those of the program that is found, which describes its schema itself. Needs protobuf.
    """
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = program()
    key = (file, file.stat().st_mtime_ns)
    if key not in _MESSAGES:
        schema = descriptor_pb2.FileDescriptorSet.FromString(call(["reference", "--descriptors"]))
        pool = descriptor_pool.DescriptorPool()
        for description in schema.file:
            pool.AddSerializedFile(description.SerializeToString())
        make = getattr(message_factory, "GetMessageClass", None) or message_factory.MessageFactory(pool).GetPrototype
        classes = {
            message.name: make(pool.FindMessageTypeByName(f"{description.package}.{message.name}"))
            for description in schema.file
            if description.package.startswith("souk")
            for message in description.message_type
        }
        _MESSAGES[key] = types.SimpleNamespace(**classes)
    return _MESSAGES[key]
