"""Runs from Python: results, models, interruption, errors; against the program's own files and PyTorch's format."""

import collections
import hashlib
import io
import os
import pathlib
import pickle
import pickletools
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile

import numpy
import pytest
import souk
from conftest import SMALL, rounds_in

LONG = {"rounds": 100000, "checkpoint.every": 100000}


def hash_of(parameters):
    """SHA-256 of little-endian float32 values, as the program prints it."""
    digest = hashlib.sha256()
    for array in parameters.values():
        digest.update(array.astype("<f4").tobytes())
    return digest.hexdigest()


def processes_below(process):
    """Children of a process, theirs, and so on."""
    children = [int(word) for word in pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return children + [below for child in children for below in processes_below(child)]


def test_a_run_has_the_results_that_the_program_wrote(small):
    run = souk.run(small)
    assert run.status == "done" and not run.running
    assert run.directory.parent == pathlib.Path("runs") and run.directory.name.startswith("small-")
    with sqlite3.connect(run.directory / "results.sqlite") as plain:
        expected = dict(plain.execute("SELECT round, value FROM metric WHERE name = 'accuracy' AND agent = -1"))
        count = plain.execute("SELECT count(*) FROM metric").fetchone()[0]
    plain.close()
    assert run.rounds("accuracy", "loss")["accuracy"].to_dict() == expected
    assert run.last("accuracy")["accuracy"] == expected[3]
    assert len(run.metrics(agents=True)) == count
    assert len(run.agents()) == 5 and len(run.selections()) == 15
    assert run.facts["rounds_done"] == "3"
    assert run.scenario.resolved().text == small.resolved().text
    assert any("results in" in line for line in run.messages)
    assert "done" in repr(souk.Run(run.directory))
    with pytest.raises(ValueError, match="has not recorded 'acuracy'; there are .*accuracy"):
        run.rounds("acuracy")


def test_any_number_of_ranks_gives_the_same_model(small):
    models = [souk.run(small, ranks=ranks, directory=f"r{ranks}").parameters() for ranks in (1, 2)]
    assert list(models[0]) == list(models[1])
    for name, array in models[0].items():
        assert array.dtype == numpy.float32
        numpy.testing.assert_array_equal(array, models[1][name])


def test_parameters_are_those_whose_hash_the_run_recorded(small):
    run = souk.run(small)
    parameters = run.parameters()
    assert hash_of(parameters) == run.facts["parameters_sha256"]
    assert [array.shape for array in parameters.values()] == [(8, 784), (8,), (10, 8), (10,)]


def test_a_run_begins_with_given_parameters(small):
    trained = souk.run(small).parameters()
    field = souk.write_parameters("model.npz", dict(reversed(trained.items())))
    untrained = souk.run(small.set(field), set={"training_rounds": 0})
    for name, array in untrained.parameters().items():
        numpy.testing.assert_array_equal(array, trained[name])
    trained["extra"] = numpy.zeros(3)
    with pytest.raises(souk.InputError, match='server.start_from = .*: "extra" is none of this model\'s'):
        souk.run(small.set(souk.write_parameters("more.npz", trained)))


class StateDict(pickle.Unpickler):
    """What torch.load with weights_only allows, with NumPy for PyTorch."""

    def __init__(self, archive):
        super().__init__(io.BytesIO(archive.read("archive/data.pkl")))
        self.archive = archive

    def find_class(self, module, name):
        def rebuild(storage, offset, shape, strides, requires_grad, hooks):
            assert not requires_grad and hooks == collections.OrderedDict()
            steps = [4 * stride for stride in strides]
            return numpy.lib.stride_tricks.as_strided(storage[offset:], shape, steps)

        return {
            ("torch._utils", "_rebuild_tensor_v2"): rebuild,
            ("torch", "FloatStorage"): "float32",
            ("collections", "OrderedDict"): collections.OrderedDict,
        }[module, name]

    def persistent_load(self, pid):
        kind, dtype, key, place, count = pid
        assert (kind, place) == ("storage", "cpu")
        storage = numpy.frombuffer(self.archive.read(f"archive/data/{key}"), dtype)
        assert len(storage) == count
        return storage


def test_a_model_for_pytorch_is_a_state_dict(small):
    run = souk.run(small)
    run.export_parameters("model.pt")
    with zipfile.ZipFile("model.pt") as archive:
        assert archive.testzip() is None
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert archive.read("archive/version") == b"3\n" and archive.read("archive/byteorder") == b"little"
        state = StateDict(archive).load()
        operations = {op.name for op, _, _ in pickletools.genops(archive.read("archive/data.pkl"))}
    # Those of torch._weights_only_unpickler.
    values = {"EMPTY_DICT", "EMPTY_TUPLE", "MARK", "TUPLE", "BINUNICODE", "BININT", "LONG1", "NEWFALSE"}
    assert operations <= values | {"PROTO", "GLOBAL", "REDUCE", "BINPERSID", "SETITEMS", "STOP"}
    parameters = run.parameters()
    assert list(state) == list(parameters)
    for name, array in state.items():
        numpy.testing.assert_array_equal(array, parameters[name])


def test_an_archive_is_read_by_others(small):
    souk.run(small, directory="r").export_parameters("model.npz")
    with zipfile.ZipFile("model.npz") as archive:
        assert archive.testzip() is None
    with pytest.raises(souk.InputError, match="model.npz: exists already"):
        souk.Run("r").export_parameters("model.npz")


def test_a_run_is_watched_interrupted_and_resumed(small):
    run = souk.start(small.set(LONG), directory="watched")
    while len(run.rounds("accuracy")) < 2:
        time.sleep(0.01)
    assert run.running and souk.Run("watched").running
    assert run.interrupt().status == "interrupted"
    done = int(run.facts["rounds_done"])
    assert run.rounds("accuracy").index.max() == done
    assert len(run.parameters()) == 4
    with pytest.raises(souk.Interrupted):
        run.wait()
    with pytest.raises(souk.InputError, match="holds a run already"):
        souk.run(small, directory="watched")


def test_a_resumed_run_ends_as_one_that_was_never_interrupted(small):
    slow = small.set({"rounds": 60, "checkpoint.every": 5})
    whole = souk.run(slow, directory="whole")
    broken = souk.start(slow, directory="broken", ranks=2)
    broken.interrupt()
    resumed = broken.resume(ranks=1)
    assert resumed.status == "done"
    assert resumed.facts["parameters_sha256"] == whole.facts["parameters_sha256"]
    assert resumed.rounds().equals(whole.rounds())


def test_a_rank_that_is_killed_is_said_and_the_run_goes_on_from_a_checkpoint(small):
    slow = small.set({"rounds": 300, "checkpoint.every": 1})
    whole = souk.run(slow, directory="whole")
    run = souk.start(slow, ranks=2, directory="killed")
    while rounds_in("killed") < 2:
        time.sleep(0.01)
    os.kill(processes_below(run._job._process.pid)[-1], signal.SIGKILL)
    with pytest.raises(souk.RunFailed, match="rank . .*signal 9|killed"):
        run.wait()
    assert run.status == "crashed"
    assert run.resume().facts["parameters_sha256"] == whole.facts["parameters_sha256"]


@pytest.mark.parametrize("ranks", [1, 2])
def test_ctrl_c_ends_a_run_after_a_checkpoint(ranks):
    code = f"import souk; souk.run(souk.Scenario('''{SMALL}''').set({LONG!r}), ranks={ranks}, directory='r')"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    python = subprocess.Popen([sys.executable, "-B", "-c", code], env=environment, stderr=subprocess.PIPE, text=True)
    while rounds_in("r") == 0:
        assert python.poll() is None, python.stderr.read()
        time.sleep(0.01)
    python.send_signal(signal.SIGINT)
    _, said = python.communicate()
    assert "KeyboardInterrupt" in said
    run = souk.Run("r")
    assert run.status == "interrupted" and len(run.parameters()) == 4


def test_a_run_ends_with_python(small):
    code = f"import souk; souk.start(souk.Scenario('''{SMALL}''').set({LONG!r}), directory='r')"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-B", "-c", code], env=environment, check=True)
    assert souk.Run("r").status == "interrupted"


def test_what_the_program_refuses_is_an_exception(small):
    with pytest.raises(souk.InputError, match="^--set aggregator.krum.f = 4: krum needs n >= 2 f \\+ 3 updates"):
        souk.run(small.set({"aggregator.krum.f": 4}))
    with pytest.raises(souk.InputError, match="nowhere"):
        souk.report("nowhere")
    with pytest.raises(FileNotFoundError, match="holds no run"):
        souk.Run("nowhere")


def test_progress_is_shown_where_it_is_wanted(small, capfd):
    souk.run(small, directory="quiet", progress=False)
    assert capfd.readouterr().err == ""
    souk.run(small, directory="shown", progress=True)
    assert "round 3/3  accuracy" in capfd.readouterr().err


def test_reports_are_written(small):
    run = souk.run(small)
    assert run.report("page.html").read_text().startswith("<!DOCTYPE html>")
    assert souk.report(run, run.directory, path="two.html").is_file()
