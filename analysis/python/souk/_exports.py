"""Results of any number of runs and sweeps, merged, as pandas data frames.

Tables and columns are described in docs/results-schema.md.
"""

from __future__ import annotations

import difflib
import os
import pathlib
import sqlite3
import tempfile
from typing import Any, Optional, Sequence

import pandas

from ._program import PathLike, call

SCHEMA_VERSION = 3


def open(path: PathLike) -> sqlite3.Connection:
    """Open a file written by `souk export --sqlite`, for reading only.

    Returns a sqlite3.Connection. Raises FileNotFoundError where there is nothing, ValueError if it is no such export.
    """
    file = pathlib.Path(path)
    if file.is_dir():
        raise ValueError(f"{path}: is a folder, not an export; make one with 'souk export {path} --sqlite FILE'")
    if not file.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    db = sqlite3.connect(file.absolute().as_uri() + "?mode=ro", uri=True)
    try:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (found,) = db.execute("SELECT count(*) FROM sqlite_master WHERE name IN ('cell', 'coordinate')").fetchone()
    except sqlite3.DatabaseError as error:
        db.close()
        raise ValueError(f"{path}: {error}") from error
    if found != 2 or version != SCHEMA_VERSION:
        db.close()
        raise ValueError(f"{path}: is no export of this version of Souk; make one with 'souk export --sqlite'")
    return db


def merge(*runs: Any, path: Optional[PathLike] = None) -> sqlite3.Connection:
    """The results of runs and sweeps, merged and opened: `souk export RUNS --sqlite PATH` and `open`.

    runs: directories of runs, of sweeps, or folders that contain such; or Runs and Sweeps. path: of the file, which
    must not be there yet; None: in memory. Returns a sqlite3.Connection. Raises InputError.
    """
    words = ["export", *(os.fspath(getattr(run, "directory", run)) for run in runs), "--sqlite"]
    if path is not None:
        call([*words, os.fspath(path)])
        return open(path)
    with tempfile.TemporaryDirectory(prefix="souk-") as folder:
        file = os.path.join(folder, "merged.db")
        call([*words, file])
        with open(file) as exported:
            memory = sqlite3.connect(":memory:")
            exported.backup(memory)
        exported.close()
    return memory


def query(db: sqlite3.Connection, sql: str, parameters: Sequence[Any] = ()) -> pandas.DataFrame:
    """The rows of any SQL query as a data frame."""
    return pandas.read_sql_query(sql, db, params=parameters)


def runs(db: sqlite3.Connection) -> pandas.DataFrame:
    """One row per run, by its number: status, rule, attack, seed, seconds, …; without the scenario's text."""
    return query(db, "SELECT * FROM run ORDER BY run").drop(columns="scenario").set_index("run")


def scenario(db: sqlite3.Connection, run: int) -> Optional[str]:
    """The resolved scenario of a run in text format; None for a run that never started."""
    row = db.execute("SELECT scenario FROM run WHERE run = ?", (run,)).fetchone()
    if row is None:
        raise KeyError(f"there is no run {run}")
    return row[0]


def cells(db: sqlite3.Connection) -> pandas.DataFrame:
    """One row per cell: its run, the columns of `runs`, and a column per axis.

    An axis replaces a column of `runs` of the same name. Its values are numbers where all of them are, as seeds; else
    texts, as in the grid.
    """
    frame = query(db, "SELECT cell, sweep, number, block, run FROM cell ORDER BY cell")
    frame = frame.join(runs(db).drop(columns="sweep"), on="run").set_index("cell")
    coordinates = query(db, "SELECT cell, axis, value FROM coordinate")
    wide = coordinates.pivot(index="cell", columns="axis", values="value")
    for axis in query(db, "SELECT name FROM axis GROUP BY name ORDER BY min(position), name")["name"]:
        frame[axis] = _numbers(wide[axis]) if axis in wide else None  # conditions may leave out every cell of an axis
    return frame


def _numbers(texts: pandas.Series) -> pandas.Series:
    """The column as numbers; as it is where some text is none."""
    numbers = pandas.to_numeric(texts, errors="coerce")
    return numbers if numbers.notna().equals(texts.notna()) else texts


def _require_known(db: sqlite3.Connection, names: Sequence[str], agent_or_class: bool) -> None:
    """Raises ValueError for a metric that no run has recorded, or that is none of the whole federation."""
    whole = "" if agent_or_class else " WHERE agent = -1 AND class = -1"
    known = {name for (name,) in db.execute("SELECT DISTINCT name FROM metric" + whole)}
    for name in names:
        if name in known:
            continue
        if db.execute("SELECT 1 FROM metric WHERE name = ? LIMIT 1", (name,)).fetchone():
            raise ValueError(f"'{name}' is a metric of classes or agents; take souk.metrics(db, '{name}', agents=True)")
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.4) or sorted(k for k in known if k.startswith(name))
        hint = f" Did you mean '{close[0]}'?" if close else ""
        raise ValueError(f"no run has recorded '{name}'; there are {', '.join(sorted(known))}.{hint}")


def metrics(db: sqlite3.Connection, *names: str, agents: bool = False) -> pandas.DataFrame:
    """Metrics in long form: run, round, name, agent, class, value.

    names: only these, which some run must have; all without any. agents: also values of single agents, where the
    export has them.
    """
    _require_known(db, names, agent_or_class=True)
    sql = "SELECT * FROM metric WHERE 1"
    if names:
        sql += f" AND name IN ({','.join('?' * len(names))})"
    if not agents:
        sql += " AND agent = -1"
    return query(db, sql + " ORDER BY run, round, name, agent, class", names)


def rounds(db: sqlite3.Connection, *names: str) -> pandas.DataFrame:
    """Metrics of the whole federation in wide form: a row per run and round, a column per metric.

    names: only these, which some run must have; all without any. Values of single classes are left out.
    """
    _require_known(db, names, agent_or_class=False)
    frame = metrics(db, *names)
    frame = frame[frame["class"] == -1]
    return frame.pivot(index=["run", "round"], columns="name", values="value")


def last(db: sqlite3.Connection, *names: str) -> pandas.DataFrame:
    """The last recorded value of each metric: a row per run, a column per metric."""
    return rounds(db, *names).groupby(level="run").last()


def agents(db: sqlite3.Connection) -> pandas.DataFrame:
    """One row per run and agent: group, samples, rounds asked and accepted, weight, income in credits."""
    frame = query(db, "SELECT * FROM agent_summary ORDER BY run, agent")
    frame["income"] = frame["income"] / 1e6
    return frame.set_index(["run", "agent"])


def traffic(db: sqlite3.Connection) -> pandas.DataFrame:
    """Bytes of the simulated protocol: a row per run and round, a column per kind of message."""
    return query(db, "SELECT run, round, kind, bytes FROM traffic").pivot(
        index=["run", "round"], columns="kind", values="bytes"
    )


def table(
    db: sqlite3.Connection, rows: str, cols: str, metric: str = "accuracy", stat: Any = "mean"
) -> pandas.DataFrame:
    """A table like that of `souk table`: last values of the runs that are done, aggregated.

    rows, cols: columns of `cells`. stat: anything that pandas aggregates by: mean, std, min, max, median, count, or a
    function. A run that several cells of one place share counts once, and several sweeps are never taken together: they
    come before the rows. Runs with another status are left out; count them with
    `cells(db).groupby([rows, cols, "status"]).size()`.
    """
    frame = cells(db)
    frame = frame[frame["status"] == "done"].join(last(db, metric), on="run")
    several = frame["sweep"].nunique() > 1 and "sweep" not in (rows, cols)
    index = ["sweep", rows] if several else [rows]
    frame = frame.drop_duplicates([*index, cols, "run"])
    return frame.pivot_table(index=index if several else rows, columns=cols, values=metric, aggfunc=stat, sort=False)


def price_of_robustness(
    db: sqlite3.Connection,
    rules: str = "aggregator",
    attacks: str = "attack",
    plain: str = "mean",
    none: str = "none",
    target: int = 80,
) -> pandas.DataFrame:
    """What a rule costs where nobody attacks, beside the plain mean: a row per rule, means over the runs that are done.

    accuracy: of the plain rule less that of the rule. cost: credits to `target` % accuracy (70, 80 or 85), over those of
    the plain rule. income: 1 - what benign sellers earn under the rule over what they earn under the plain one. NaN
    where there is no market, or the target was not reached. rules, attacks: columns of `cells`; plain, none: labels.
    """
    cost = f"cost_of_convergence.{target}"
    frame = cells(db)
    frame = frame[(frame["status"] == "done") & (frame[attacks] == none)]
    names = ["accuracy", cost, "benign_income"]
    values = last(db).reindex(columns=names)  # of which only markets have all
    means = frame.drop_duplicates([rules, "run"]).join(values, on="run").groupby(rules, sort=False)[names].mean()
    base = means.loc[plain]
    return pandas.DataFrame(
        {
            "accuracy": base["accuracy"] - means["accuracy"],
            "cost": means[cost] / base[cost],
            "income": 1 - means["benign_income"] / base["benign_income"],
        }
    )
