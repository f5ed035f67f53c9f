"""Souk from Python: scenarios, runs, sweeps, metrics as pandas data frames, trained models as NumPy arrays.

    import souk
    scenario = souk.Scenario.read("scenarios/quickstart.textproto").set({"rounds": 10, "aggregator.median": {}})
    run = souk.run(scenario, ranks=2)
    run.rounds("accuracy", "loss").plot()
    weights = run.parameters()

The work is done by the program `souk`, which is found by the environment variable SOUK_PROGRAM, in the build tree that
this package lies in, or on the PATH. What the program refuses is an exception with its own sentence. docs/python.md has
more.
"""

from ._data import write_data, write_parameters
from ._errors import InputError, InternalError, Interrupted, RunFailed, SoukError
from ._exports import (
    agents,
    cells,
    last,
    merge,
    metrics,
    open,
    price_of_robustness,
    query,
    rounds,
    runs,
    scenario,
    table,
    traffic,
)
from ._program import program, version
from ._run import Run, report, run, start
from ._scenario import Scenario, check, messages
from ._sweep import Grid, Sweep, sweep

__all__ = [
    "Grid",
    "InputError",
    "InternalError",
    "Interrupted",
    "Run",
    "RunFailed",
    "Scenario",
    "SoukError",
    "Sweep",
    "agents",
    "cells",
    "check",
    "last",
    "merge",
    "messages",
    "metrics",
    "open",
    "price_of_robustness",
    "program",
    "query",
    "report",
    "rounds",
    "run",
    "runs",
    "scenario",
    "start",
    "sweep",
    "table",
    "traffic",
    "version",
    "write_data",
    "write_parameters",
]
