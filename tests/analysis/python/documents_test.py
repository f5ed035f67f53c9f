"""What the documents print runs as it is printed."""

import os
import pathlib
import re
import subprocess
import sys

import pytest
from conftest import REPOSITORY


def blocks_of(document):
    """Python's blocks, and what is printed behind them, if anything is."""
    text = (REPOSITORY / document).read_text()
    return re.findall(r"^```python\n(.*?)^```\n(?:```\n(.*?)^```\n)?", text, re.DOTALL | re.MULTILINE)


def test_the_blocks_of_the_guide_run_one_after_the_other(capsys):
    pathlib.Path("scenarios").symlink_to(REPOSITORY / "scenarios")
    blocks = blocks_of("docs/python.md")
    assert len(blocks) > 7
    names = {}
    for code, printed in blocks:
        capsys.readouterr()
        exec(compile(code, "docs/python.md", "exec"), names)
        if printed:
            assert capsys.readouterr().out == printed
    assert names["run"].status == "interrupted"
    assert len(names["sweep"].runs()) == 16


def test_the_block_of_the_readme_runs():
    pytest.importorskip("matplotlib").use("Agg")
    pathlib.Path("scenarios").symlink_to(REPOSITORY / "scenarios")
    ((code, _),) = blocks_of("README.md")
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    assert len(names["run"].rounds("accuracy")) == 10
    assert names["weights"]["conv1.weight"].shape == (30, 1, 3, 3)


def test_the_notebook_makes_its_figure():
    pytest.importorskip("matplotlib")
    command = [sys.executable, "-B", str(REPOSITORY / "scenarios/own/python_grid.py")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "MPLBACKEND": "Agg"}
    ended = subprocess.run(command, env=environment, text=True, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr
    by_hand, by_souk = re.search(r"by hand (\S+), by Souk (\S+)", ended.stdout).groups()
    assert float(by_hand) == pytest.approx(float(by_souk), abs=0.003)  # sums in another order
    table = ended.stdout[ended.stdout.index("attacked by") :]
    mean, median = (re.search(rf"^{rule} +\S+ +(\S+)", table, re.MULTILINE)[1] for rule in ("mean", "median"))
    assert float(mean) < 0.6 < 0.9 < float(median)
    assert pathlib.Path("rules_and_attacks.png").stat().st_size > 10000
