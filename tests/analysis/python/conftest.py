"""What the tests of the package share."""

import os
import pathlib

import pandas
import pytest
import souk

REPOSITORY = pathlib.Path(os.environ["SOUK_REPOSITORY"])

SMALL = """
name: "small" rounds: 3
task {
  data { glyphs { train_samples: 200 test_samples: 50 } }
  model { mlp { hidden: [8] } }
  training { batch_size: 16 }
}
participants { clients: 5 everyone: true }
"""


def rounds_in(directory):
    """How many are measured so far."""
    try:
        return len(souk.Run(directory).rounds("accuracy"))
    except (FileNotFoundError, pandas.errors.DatabaseError):  # nothing is written yet
        return 0


@pytest.fixture
def small():
    return souk.Scenario(SMALL)


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
