"""Scenarios: changes of fields, messages, what is refused, and where the program is looked for."""

import pathlib
import subprocess
import sys

import numpy
import pytest
import souk
from conftest import REPOSITORY, SMALL
from souk._scenario import settings_of


def test_changes_are_those_of_the_command_line():
    assert settings_of("a.b", True) == ["a.b=true"]
    assert settings_of("a", {"x": 1, "y": {"z": 0.5}}) == ["a={}", "a.x=1", "a.y={}", "a.y.z=0.5"]
    assert settings_of("a", [3, 4]) == ["a=", "a[0]=3", "a[1]=4"]
    assert settings_of("a", numpy.array([1.5, 2])) == ["a=", "a[0]=1.5", "a[1]=2.0"]
    assert settings_of("a", numpy.float32(0.5)) == ["a=0.5"]
    assert settings_of("a", pathlib.Path("/x")) == ["a=/x"]
    with pytest.raises(TypeError, match="is no value of a field"):
        settings_of("a", object())


def test_a_change_gives_another_scenario(small):
    changed = small.set({"aggregator.median": {}}, rounds=7)
    assert small.settings == ()
    assert changed.settings == ("aggregator.median={}", "rounds=7")


def test_changes_reach_the_fields(small):
    message = small.set(
        {
            "attacks": [{"fraction": 0.25, "sign_flip": {"scale": 3}}, {"count": 1, "knowledge": "ALL", "min_max": {}}],
            "task.model.mlp.hidden": [32, 16],
            "task.data.npy.path": 'a "quoted"\npath \\ with é',
            "aggregator": {"krum": {"f": 1}},
        }
    ).message()
    assert [group.WhichOneof("update") for group in message.attacks] == ["sign_flip", "min_max"]
    assert message.attacks[0].fraction == 0.25 and message.attacks[0].sign_flip.scale == 3
    assert list(message.task.model.mlp.hidden) == [32, 16]
    assert message.task.data.npy.path == 'a "quoted"\npath \\ with é'
    assert message.aggregator.krum.f == 1


def test_a_message_is_a_scenario(small):
    messages = souk.messages()
    message = messages.Scenario(rounds=4, seed=9)
    message.aggregator.trimmed_mean.SetInParent()
    assert souk.Scenario(message).message().seed == 9
    assert "trimmed_mean" in souk.Scenario(message).resolved().text
    message = small.message()
    message.rounds = 2
    assert souk.Scenario(message).resolved().text == small.set(rounds=2).resolved().text


def test_resolving_changes_nothing_any_more(small):
    resolved = small.set({"partition.dirichlet.alpha": 0.3}).resolved()
    assert resolved.resolved().text == resolved.text
    assert "alpha: 0.3" in resolved.text


def test_files_are_named_in_errors():
    pathlib.Path("bad.textproto").write_text("rounds: 3\naggregator { trimed_mean {} }\n")
    with pytest.raises(souk.InputError, match=r'^bad.textproto:2:14: .*no field named "trimed_mean"') as caught:
        souk.check("bad.textproto")
    assert caught.value.exit_code == 2
    with pytest.raises(ValueError, match="^scenario:1:1: "):
        souk.check(souk.Scenario("round: 3"))
    with pytest.raises(FileNotFoundError):
        souk.run("nowhere.textproto")
    with pytest.raises(TypeError, match="souk.Scenario.read"):
        souk.Scenario(7)


def test_json_files_are_read():
    pathlib.Path("small.json").write_text('{"rounds": 2, "participants": {"clients": 4}}')
    assert souk.Scenario.read("small.json").message().participants.clients == 4


def test_check_tells_what_a_scenario_needs(small):
    text = souk.check(small, ranks=2)
    assert "with 2 rank(s)" in text and "small" in text


def test_the_program_is_named_by_the_environment(monkeypatch):
    assert str(souk.program()) == __import__("os").environ["SOUK_PROGRAM"]
    assert "souk" in souk.version()
    monkeypatch.setenv("SOUK_PROGRAM", "/nowhere/souk")
    with pytest.raises(FileNotFoundError, match="SOUK_PROGRAM = /nowhere/souk"):
        souk.program()


def test_the_program_is_found_on_the_path(monkeypatch, tmp_path):
    """From a copy of the package, which lies in no build tree."""
    folder = tmp_path / "installed"
    (folder / "souk").mkdir(parents=True)
    for file in (REPOSITORY / "analysis/python/souk").glob("*.py"):
        (folder / "souk" / file.name).write_text(file.read_text())
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/souk").symlink_to(souk.program())
    monkeypatch.delenv("SOUK_PROGRAM")
    ask = [sys.executable, "-B", "-c", "import souk; print(souk.program())"]
    found = {"PATH": str(tmp_path / "bin"), "PYTHONPATH": str(folder)}
    assert subprocess.check_output(ask, env=found, text=True).strip() == str(tmp_path / "bin/souk")
    nowhere = subprocess.run(ask, env={**found, "PATH": "/nowhere"}, text=True, capture_output=True, check=False)
    assert "the program 'souk' is not found" in nowhere.stderr


def test_the_text_stays_as_it_was_given():
    assert souk.Scenario(SMALL).text == SMALL
