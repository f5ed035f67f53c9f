"""Runs: starting them, watching them, and what they leave behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import sqlite3
import struct
import tempfile
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

import numpy
import pandas

from ._job import Job
from ._program import PathLike, call
from ._scenario import Scenario, scenario_of

_SAID = "souk: results in "


class Run:
    """A run in its directory, at work or over. Everything is read when it is asked for, so it is that of now.

    Frames have columns as in docs/results-schema.md. Rounds are numbered from 1; agent -1 and class -1 are the whole.
    """

    def __init__(self, directory: PathLike, _job: Optional[Job] = None):
        """The run in a directory that is there. Raises FileNotFoundError where it holds none."""
        self.directory = pathlib.Path(directory)
        self._job = _job
        if not (self.directory / "results.sqlite").is_file():
            raise FileNotFoundError(f"{directory}: holds no run")

    def __repr__(self) -> str:
        return f"<souk.Run {self.directory} {self.status}>"

    # How it is.

    @property
    def facts(self) -> Dict[str, str]:
        """What is known of the run: status, reason, seed, rounds_done, parameters_sha256, ranks, versions, …"""
        rows = self.query("SELECT name, value FROM run")
        return dict(zip(rows["name"], rows["value"]))

    @property
    def status(self) -> str:
        """running, done, diverged, interrupted, failed, crashed, or timed_out."""
        status = self.facts.get("status", "running")
        return "interrupted" if status == "running" and not _is_locked(self.directory / "lock") else status

    @property
    def running(self) -> bool:
        """Whether somebody is at work on it: this Python, or anybody else."""
        return self.status == "running"

    @property
    def scenario(self) -> Scenario:
        """The scenario as it was run, every default filled in."""
        return Scenario.read(self.directory / "scenario.textproto")

    @property
    def messages(self) -> List[str]:
        """What the program has said so far, with times: the lines of souk.log."""
        return (self.directory / "souk.log").read_text(errors="replace").splitlines()

    def wait(self) -> "Run":
        """Waits for a run that `start` began. Raises SoukError; a KeyboardInterrupt ends it after a checkpoint."""
        if self._job is not None:
            self._job.wait()
        return self

    def interrupt(self) -> "Run":
        """Ends a run that `start` has started after the round in hand and a checkpoint, and waits for that."""
        if self._job is not None:
            self._job.interrupt()
        return self

    def resume(self, *, ranks: int = 1, progress: Optional[bool] = None) -> "Run":
        """Goes on from the last checkpoint to the end, on any number of ranks, and ends as if never interrupted.

        A run that is over stays as it is. Raises SoukError.
        """
        return run(self.scenario, ranks=ranks, directory=self.directory, resume=True, progress=progress)

    # What it measured.

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> pandas.DataFrame:
        """The rows of any SQL query on results.sqlite."""
        uri = (self.directory / "results.sqlite").absolute().as_uri() + "?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=10)) as db:
            return pandas.read_sql_query(sql, db, params=tuple(parameters))

    def metrics(self, *names: str, agents: bool = False) -> pandas.DataFrame:
        """Metrics in long form: round, name, agent, class, value, of all committed rounds.

        names: only these; all without any. agents: also values of single agents. A run at work may yet record what it
        has not; of one that is over, raises ValueError for a name that it has not recorded.
        """
        at_work = self.running  # before its rows are read
        chosen = f" AND name IN ({','.join('?' * len(names))})" if names else ""
        whole = "" if agents else " AND agent = -1"
        frame = self.query(f"SELECT * FROM metric WHERE 1{chosen}{whole} ORDER BY round, name, agent, class", names)
        if not at_work:
            self._require_recorded(names)
        return frame

    def rounds(self, *names: str) -> pandas.DataFrame:
        """Metrics of the whole federation in wide form: a row per round, a column per metric; NaN where not measured.

        Round 0 has what is known before the first. names: as for `metrics`.
        """
        frame = self.metrics(*names)
        frame = frame[frame["class"] == -1].pivot(index="round", columns="name", values="value")
        return frame.reindex(columns=pandas.Index(names, name="name")) if names else frame

    def last(self, *names: str) -> pandas.Series:
        """The last recorded value of each metric of the whole federation, by name."""
        frame = self.metrics(*names)
        return frame[frame["class"] == -1].groupby("name")["value"].last()

    def selections(self) -> pandas.DataFrame:
        """What became of each client that was asked: round, agent, outcome, samples, weight, score, …"""
        return self.query("SELECT * FROM selection ORDER BY round, buyer, agent")

    def agents(self) -> pandas.DataFrame:
        """The clients: role, samples, attacker_group (-1: benign), compute in flop/s, bandwidth in bytes/s."""
        return self.query("SELECT * FROM agent ORDER BY agent").set_index("agent")

    def events(self) -> pandas.DataFrame:
        """What happened beside the numbers: round, sequence, kind, agent, text."""
        return self.query("SELECT * FROM event ORDER BY round, sequence")

    def _require_recorded(self, names: Sequence[str]) -> None:
        known = set(self.query("SELECT DISTINCT name FROM metric")["name"]) if names else set()
        for name in names:
            if name not in known:
                raise ValueError(f"{self.directory} has not recorded '{name}'; there are {', '.join(sorted(known))}")

    # What it learned.

    def parameters(self) -> Dict[str, numpy.ndarray]:
        """The model of the newest checkpoint: float32 arrays by name, in the order of the network.

        A run saves one at its end, when it is interrupted, and every `checkpoint.every` rounds. Raises InputError where
        there is none yet.
        """
        with tempfile.TemporaryDirectory(prefix="souk-") as folder:
            file = os.path.join(folder, "model.npz")
            self.export_parameters(file)
            with numpy.load(file) as arrays:
                return {name: arrays[name] for name in arrays.files}

    def export_parameters(self, path: PathLike) -> pathlib.Path:
        """Writes that model to a new file: .npz for NumPy and `server.start_from`, .pt for PyTorch. Returns its path."""
        call(["export", str(self.directory), "--parameters", os.fspath(path)])
        return pathlib.Path(path)

    def report(self, path: PathLike = "report.html") -> pathlib.Path:
        """Writes the report page of the run. Returns its path."""
        return report(self, path=path)


def _is_locked(file: pathlib.Path) -> bool:
    """Whether a process holds the lock that a run has on this file."""
    with contextlib.suppress(OSError), file.open("rb") as lock:
        asked = struct.pack("hhqqi", fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
        return struct.unpack("hhqqi", fcntl.fcntl(lock, fcntl.F_GETLK, asked))[0] != fcntl.F_UNLCK
    return False


def start(
    scenario: Union[Scenario, PathLike, Any],
    *,
    ranks: int = 1,
    directory: Optional[PathLike] = None,
    set: Optional[Mapping[str, Any]] = None,
    seed: Optional[int] = None,
    resume: bool = False,
    device: str = "cpu",
    stall_timeout: float = 600.0,
    progress: Optional[bool] = False,
) -> Run:
    """Starts a run and returns as soon as it writes results: they can be read while it goes on.

    Arguments as for `run`. `Run.wait` waits for the end; a run that still goes on when Python ends is interrupted, and
    can be resumed. Raises SoukError where the run does not begin.
    """
    scenario = scenario_of(scenario).set(set)
    held = contextlib.ExitStack()
    words = ["run", *held.enter_context(scenario.arguments())]
    words += ["--device", device, "--stall-timeout", repr(float(stall_timeout))]
    words += ["--ranks", str(ranks)] if ranks > 1 else []
    words += ["--out", os.fspath(directory)] if directory is not None else []
    words += ["--seed", str(seed)] if seed is not None else []
    words += ["--resume"] if resume else []
    job = Job(words, held, progress)
    try:
        found = job.wait_for(lambda: next((line for line in job.messages if line.startswith(_SAID)), None))
    except KeyboardInterrupt:
        job.interrupt()
        raise
    if found is None:
        job.wait()
        raise RuntimeError("souk ended without saying where its results are")
    return Run(found[len(_SAID) :], job)


def run(
    scenario: Union[Scenario, PathLike, Any],
    *,
    ranks: int = 1,
    directory: Optional[PathLike] = None,
    set: Optional[Mapping[str, Any]] = None,
    seed: Optional[int] = None,
    resume: bool = False,
    device: str = "cpu",
    stall_timeout: float = 600.0,
    progress: Optional[bool] = None,
) -> Run:
    """Runs a scenario to its end.

    scenario: a Scenario, the path of a file, or a message. ranks: processes on this machine that share the work; the
    result has the same bits for any number. directory: of the run; None: runs/NAME-IDENTITY, with a number behind it
    where that is taken. set: fields to change, as for Scenario.set. seed: instead of the scenario's. resume: go on from
    the last checkpoint in the directory, if there is one. stall_timeout: seconds without any movement that end it.
    progress: show a line of progress; None: where standard error is a terminal, and in notebooks.

    Raises InputError with the program's sentence where something given is wrong, RunFailed where the run fails. A
    KeyboardInterrupt ends the run after the round in hand and a checkpoint; the same call with resume=True, or
    Run(directory).resume(), continues.
    """
    return start(
        scenario,
        ranks=ranks,
        directory=directory,
        set=set,
        seed=seed,
        resume=resume,
        device=device,
        stall_timeout=stall_timeout,
        progress=progress,
    ).wait()


def report(*runs: Any, path: PathLike = "report.html", filter: Optional[str] = None) -> pathlib.Path:
    """Writes the report page of runs and sweeps, replacing an older one. Returns its path.

    runs: Runs, Sweeps, or directories of such. filter: only these runs, as for `souk table`. Raises InputError.
    """
    words = ["report", *(os.fspath(getattr(one, "directory", one)) for one in runs), "--out", os.fspath(path)]
    call(words + (["--filter", filter] if filter else []))
    return pathlib.Path(path)
