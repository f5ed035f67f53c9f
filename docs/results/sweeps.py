"""Sweeps grids and writes what comes out into the pages of this folder."""
import argparse
import contextlib
import functools
import math
import pathlib
import re
import sqlite3
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
REPO = HERE.parent.parent
GRIDS = REPO / "scenarios"


class Sweep:
    """The cells of one grid, given as its file under scenarios/: mean metrics by the labels of its axes."""

    def __init__(self, options, file):
        name = pathlib.Path(file).stem
        grid, folder, merged = GRIDS / file, options.runs / name, options.runs / f"{name}.sqlite"
        sweep = [options.program, "sweep", "run", grid, "--out", folder, "--ranks", options.ranks]
        subprocess.run(list(map(str, sweep)), check=True)
        merged.unlink(missing_ok=True)
        subprocess.run(list(map(str, [options.program, "export", folder, "--sqlite", merged])), check=True)
        self.merged = merged
        with contextlib.closing(sqlite3.connect(merged)) as database:
            self.labels = labels_of(database)
            self.cells = cells_of(database)

    def __getitem__(self, labels):
        """Means over seeds, and "diverged" where a run diverged; None where there is no such cell."""
        runs = self.cells.get(frozenset(labels))
        if runs is None:
            return None
        names = set().union(*runs)
        found = {name: mean([run.get(name) for run in runs]) for name in names}
        found["diverged"] = any(run["diverged"] for run in runs)
        return found


def mean(values):
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def labels_of(database):
    found = {}
    for axis, label in database.execute("SELECT axis, value FROM axis_value ORDER BY axis, position"):
        found.setdefault(axis, []).append(label)
    return found


def cells_of(database):
    """The last value of every metric of a run, tpr and tnr as means over the attacked rounds, by the cell's labels."""
    runs = {run: {"diverged": status == "diverged"} for run, status in database.execute("SELECT run, status FROM run")}
    last = """SELECT run, name, class, value, max(round) FROM metric
              WHERE agent = -1 AND (class = -1 OR name IN ('class_accuracy', 'class_f1')) GROUP BY run, name, class"""
    for run, name, label, value, _ in database.execute(last):
        runs[run][name if label < 0 else f"{name}.{label}"] = value
    rates = "SELECT run, name, avg(value) FROM metric WHERE name IN ('tpr', 'tnr') GROUP BY run, name"
    for run, name, value in database.execute(rates):
        runs[run][name] = value
    labels, run_of = {}, dict(database.execute("SELECT cell, run FROM cell"))
    for cell, axis, value in database.execute("SELECT cell, axis, value FROM coordinate WHERE axis != 'seed'"):
        labels.setdefault(cell, set()).add(value)
    cells = {}
    for cell, found in labels.items():
        cells.setdefault(frozenset(found), []).append(runs[run_of[cell]])
    return cells


def number(value, decimals, scale):
    return "–" if value is None or math.isnan(value) else f"{scale * value:.{decimals}f}"


def percents(found, *names):
    """The metrics in whole percent, and a dagger where the run diverged."""
    if found is None:
        return "–"
    return " / ".join(number(found.get(name), 0, 100) for name in names) + ("†" if found["diverged"] else "")


def markdown(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def put(page, section, body):
    """Replaces what is between the section's markers in a page of this folder."""
    path = HERE / page
    begin, end = f"<!-- {section} -->", f"<!-- /{section} -->"
    text = path.read_text()
    if begin not in text or end not in text:
        sys.exit(f"{path}: no markers {begin} … {end}")
    path.write_text(re.sub(f"{begin}.*?{end}", lambda _: f"{begin}\n{body}\n{end}", text, flags=re.DOTALL))


def write(page, description, sections):
    """The command line of a page: `sections` maps names to functions of a function that sweeps a grid."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=REPO / "build" / "souk", type=pathlib.Path)
    parser.add_argument("--runs", default=pathlib.Path("runs") / pathlib.Path(page).stem, type=pathlib.Path)
    parser.add_argument("--ranks", default=2, type=int)
    parser.add_argument("sections", nargs="*", choices=[[], *sections], metavar="SECTION")
    options = parser.parse_args()
    options.runs.mkdir(parents=True, exist_ok=True)
    sweep = functools.cache(lambda file: Sweep(options, file))
    for section in options.sections or sections:
        body = sections[section](sweep)
        put(page, section, body)
        print(body)
