"""Sweeps: grids of scenarios."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import sqlite3
import tempfile
import warnings
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Union

import pandas

from . import _exports
from ._errors import RunFailed, SoukError
from ._job import Job
from ._program import PathLike
from ._run import Run, report
from ._scenario import Scenario, quoted, scenario_of, settings_of, value_text

_SUMMARY = re.compile(r"sweep (.*): (\d+) runs: (\d+) done, (\d+) diverged, (\d+) failed, (\d+) left")


class Grid:
    """A base scenario and what is varied: every combination is a cell.

    axes: by name. An axis maps labels to the fields that such a choice sets, {"mean": {"aggregator": {"mean": {}}}, …};
    or a list of values of the field whose path is the name, {"participants.fraction": [0.1, 0.5]}. The last one
    varies fastest. seeds: of every combination; None: the base's. text: anything more of a grid file, such as
    'change { where: "attack = none" set: "attacks=" }'.
    """

    def __init__(
        self,
        name: str,
        base: Union[Scenario, PathLike, Any],
        axes: Mapping[str, Union[Mapping[str, Mapping[str, Any]], Sequence[Any]]],
        seeds: Optional[Sequence[int]] = None,
        text: str = "",
    ):
        self.name = name
        self.base = scenario_of(base)
        self.axes = axes
        self.seeds = seeds
        self._more = text

    @property
    def text(self) -> str:
        """The grid as a file has it, with the base in base.textproto beside it."""
        lines = [f"name: {quoted(self.name)}", 'base: "base.textproto"']
        lines += [f"seeds: [{', '.join(str(int(seed)) for seed in self.seeds)}]"] if self.seeds is not None else []
        return "\n".join([*lines, *(self._axis(name, axis) for name, axis in self.axes.items()), self._more, ""])

    @staticmethod
    def _axis(name: str, axis: Any) -> str:
        if not isinstance(axis, Mapping):
            values = " ".join(f"values: {quoted(value_text(value))}" for value in axis)
            return f"axis {{ path: {quoted(name)} {values} }}"
        choices = []
        for label, fields in axis.items():
            settings = [setting for path, value in fields.items() for setting in settings_of(path, value)]
            sets = "".join(f" set: {quoted(setting)}" for setting in settings)
            choices.append(f"  choice {{ label: {quoted(str(label))}{sets} }}")
        return "\n".join([f"axis {{ name: {quoted(name)}", *choices, "}"])

    @contextlib.contextmanager
    def file(self) -> Iterator[str]:
        """The path of a grid file that is there for as long as the context lasts."""
        with tempfile.TemporaryDirectory(prefix="souk-") as folder:
            base = pathlib.Path(folder) / "base.textproto"
            grid = pathlib.Path(folder) / "grid.textproto"
            base.write_text(self.base.resolved().text)
            grid.write_text(self.text)
            try:
                yield str(grid)
            except SoukError as error:  # nobody knows the files by these names
                error.args = (str(error).replace(str(grid), "grid").replace(str(base), "base"),)
                raise


class Sweep:
    """A sweep in its directory."""

    def __init__(self, directory: PathLike):
        """The sweep in a directory that is there. Raises FileNotFoundError where it holds none."""
        self.directory = pathlib.Path(directory)
        if not (self.directory / "sweep.sqlite").is_file():
            raise FileNotFoundError(f"{directory}: holds no sweep")

    def __repr__(self) -> str:
        return f"<souk.Sweep {self.directory}>"

    def open(self) -> sqlite3.Connection:
        """Its results, merged, in memory: for souk.cells, souk.rounds, souk.table and the others, and for SQL."""
        return _exports.merge(self)

    def cells(self) -> pandas.DataFrame:
        """One row per cell: a column per axis, status, seconds, and what else souk.cells has."""
        with contextlib.closing(self.open()) as db:
            return _exports.cells(db)

    def results(self, *names: str) -> pandas.DataFrame:
        """The cells with the last recorded values of metrics: all of the whole federation without any name."""
        with contextlib.closing(self.open()) as db:
            return _exports.cells(db).join(_exports.last(db, *names), on="run")

    def table(self, rows: str, cols: str, metric: str = "accuracy", stat: Any = "mean") -> pandas.DataFrame:
        """Last values of the runs that are done, aggregated, as souk.table."""
        with contextlib.closing(self.open()) as db:
            return _exports.table(db, rows, cols, metric, stat)

    def runs(self) -> Dict[str, Run]:
        """The runs that have begun, by the beginning of their identity."""
        folders = sorted((self.directory / "cells").iterdir())
        return {folder.name: Run(folder) for folder in folders if (folder / "results.sqlite").is_file()}

    def report(self, path: PathLike = "report.html") -> pathlib.Path:
        """Writes the report page of the sweep. Returns its path."""
        return report(self, path=path)


def sweep(
    grid: Union[Grid, PathLike],
    *,
    ranks: int = 1,
    ranks_per_run: int = 1,
    directory: Optional[PathLike] = None,
    filter: Optional[str] = None,
    retry_failed: bool = False,
    progress: Optional[bool] = None,
) -> Sweep:
    """Runs every cell of a grid that is not done yet; after an interruption, the same call goes on.

    grid: a Grid, or the path of a grid file. ranks: processes on this machine, of which ranks_per_run share a run.
    directory: None: runs/NAME. filter: only these cells, as for `souk sweep --filter`. retry_failed: also runs that
    failed for good. progress: as for `run`.

    Runs that fail stop no other, and are warned of; `Sweep.cells` has their status. Raises SoukError where the sweep
    cannot be run. A KeyboardInterrupt ends it after the rounds in hand and their checkpoints.
    """
    held = contextlib.ExitStack()
    file = held.enter_context(grid.file()) if isinstance(grid, Grid) else os.fspath(grid)
    words: List[str] = ["sweep", "run", file, "--ranks-per-run", str(ranks_per_run)]
    words += ["--ranks", str(ranks)] if ranks > 1 else []
    words += ["--out", os.fspath(directory)] if directory is not None else []
    words += ["--filter", filter] if filter else []
    words += ["--retry-failed"] if retry_failed else []
    job = Job(words, held, progress)
    try:
        job.wait()
    except RunFailed:
        if not any(_SUMMARY.match(line) for line in job.output):
            raise
    summary = next(found for found in map(_SUMMARY.match, job.output) if found)
    failed, left = int(summary[5]), int(summary[6])
    if failed or left:
        warnings.warn(f"{summary[1]}: of {summary[2]} runs {failed} failed and {left} are left", stacklevel=2)
    return Sweep(summary[1])
