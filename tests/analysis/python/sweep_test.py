"""Sweeps from Python, against the runs one by one."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
import souk
from conftest import SMALL, rounds_in


def test_a_grid_made_in_python_runs_every_combination(small):
    grid = souk.Grid(
        "made",
        small,
        {
            "rule": {"mean": {}, "median": {"aggregator": {"median": {}}}},
            "attack": {"none": {}, "flip": {"attacks": [{"count": 1, "sign_flip": {"scale": 2}}]}},
            "task.training.batch_size": [8, 16],
        },
        seeds=[1, 2],
    )
    sweep = souk.sweep(grid, ranks=2)
    assert sweep.directory == pathlib.Path("runs/made")
    results = sweep.results("accuracy")
    assert len(results) == 16 and set(results["status"]) == {"done"}
    changes = {"aggregator.median": {}, "attacks[0]": {"count": 1, "sign_flip": {"scale": 2}}}
    alone = souk.run(small.set(changes), set={"task.training.batch_size": 8}, seed=2)
    chosen = "rule == 'median' and attack == 'flip' and seed == 2 and `task.training.batch_size` == 8"
    (cell,) = results.query(chosen).index
    assert results.loc[cell, "accuracy"] == alone.last("accuracy")["accuracy"]
    table = sweep.table("rule", "attack")
    assert list(table.index) == ["mean", "median"] and list(table.columns) == ["none", "flip"]
    assert len(sweep.runs()) == 16
    assert all(run.status == "done" for run in sweep.runs().values())
    assert sweep.report("sweep.html").is_file()
    # Nothing is done twice.
    before = (sweep.directory / "cells").stat().st_mtime_ns
    souk.sweep(grid)
    assert (sweep.directory / "cells").stat().st_mtime_ns == before


def test_a_grid_in_a_file_is_swept_and_filtered(small):
    pathlib.Path("base.textproto").write_text(small.text)
    pathlib.Path("grid.textproto").write_text('base: "base.textproto" axis { path: "rounds" numbers: [1, 2, 3] }')
    sweep = souk.sweep("grid.textproto", directory="s", filter="rounds < 3")
    assert sorted(sweep.cells()["status"]) == ["done", "done", "missing"]


def test_runs_that_fail_are_warned_of_and_stop_no_other(small):
    grid = souk.Grid("some", small, {"rule": {"mean": {}, "krum": {"aggregator.krum.f": 4}}})
    with pytest.warns(UserWarning, match="runs/some: of 2 runs 1 failed and 0 are left"):
        sweep = souk.sweep(grid)
    assert sweep.cells().set_index("rule")["status"].to_dict() == {"mean": "done", "krum": "failed"}


@pytest.mark.parametrize("ranks", [1, 2])
def test_ctrl_c_ends_a_sweep_after_checkpoints(ranks):
    code = f"""
import souk
base = souk.Scenario('''{SMALL}''').set({{"rounds": 100000, "checkpoint.every": 100000}})
souk.sweep(souk.Grid("long", base, {{"participants.clients": [4, 5]}}), ranks={ranks}, directory="s")
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    python = subprocess.Popen([sys.executable, "-B", "-c", code], env=environment, stderr=subprocess.PIPE, text=True)
    while not any(rounds_in(cell) for cell in pathlib.Path("s/cells").glob("*")):
        assert python.poll() is None, python.stderr.read()
        time.sleep(0.05)
    python.send_signal(signal.SIGINT)
    _, said = python.communicate()
    assert "KeyboardInterrupt" in said
    assert "interrupted" in set(souk.Sweep("s").cells()["status"])


def test_a_grid_that_is_wrong_is_refused(small):
    with pytest.raises(souk.InputError, match="^grid:.*no field 'clints'"):
        souk.sweep(souk.Grid("wrong", small, {"participants.clints": [1, 2]}))
    with pytest.raises(FileNotFoundError, match="holds no sweep"):
        souk.Sweep("nowhere")
