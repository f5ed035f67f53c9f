"""Merged results of a sweep that the program ran, against plain SQL."""

import io
import os
import pathlib
import sqlite3
import subprocess
import tempfile
import unittest

import pandas
import souk

PROGRAM = os.environ["SOUK_PROGRAM"]

BASE = """
name: "tiny" rounds: 2
task { data { glyphs { train_samples: 200 test_samples: 50 } } model { logreg {} } training { batch_size: 16 } }
participants { clients: 5 }
attacks { count: 1 sign_flip {} }
market { unit_price {} }
"""
GRID = """
name: "made" base: "base.textproto" repeat: 2
axis { name: "aggregator" choice { label: "mean" } choice { label: "median" set: "aggregator.median={}" } }
axis { name: "attack" choice { label: "sign_flip" } choice { label: "none" set: "attacks=" } }
axis { name: "share" path: "attacks[0].count" values: ["1", "2"] }
change { where: "attack = none" set: "attacks=" }
"""


class SoukPy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.folder.name)
        (cls.path / "base.textproto").write_text(BASE)
        (cls.path / "grid.textproto").write_text(GRID)
        for words in (["sweep", "run", "grid.textproto", "--out", "s", "-q"], ["export", "s", "--sqlite", "m.db"]):
            subprocess.run([PROGRAM, *words], cwd=cls.path, check=True, capture_output=True)
        cls.db = souk.open(cls.path / "m.db")
        cls.plain = sqlite3.connect(cls.path / "m.db")

    @classmethod
    def tearDownClass(cls):
        cls.db.close()
        cls.plain.close()
        cls.folder.cleanup()

    def ask(self, sql, *parameters):
        return self.plain.execute(sql, parameters).fetchall()

    def test_cells_lie_on_their_axes_and_share_runs(self):
        cells = souk.cells(self.db)
        self.assertEqual(len(cells), 16)
        self.assertEqual(cells["run"].nunique(), 12)  # nobody attacks: the shares make no difference
        first = cells.iloc[0]
        self.assertEqual((first["aggregator"], first["attack"], first["share"], first["seed"]), ("mean", "sign_flip", 1, 1))
        self.assertEqual(set(cells["status"]), {"done"})
        self.assertEqual(len(cells[cells["share"] > 1]), 8)
        self.assertTrue(pandas.api.types.is_numeric_dtype(cells["seed"]))
        self.assertFalse(pandas.api.types.is_numeric_dtype(cells["attack"]))

    def test_runs_and_their_scenarios(self):
        runs = souk.runs(self.db)
        self.assertEqual(list(runs.index), [run for (run,) in self.ask("SELECT run FROM run ORDER BY run")])
        self.assertNotIn("scenario", runs.columns)
        self.assertIn("logreg", souk.scenario(self.db, 1))
        with self.assertRaises(KeyError):
            souk.scenario(self.db, 99)

    def test_metrics_in_long_and_wide_form_are_those_of_the_database(self):
        (count,) = self.ask("SELECT count(*) FROM metric WHERE agent = -1")[0]
        self.assertEqual(len(souk.metrics(self.db)), count)
        (count,) = self.ask("SELECT count(*) FROM metric WHERE name = 'update_norm'")[0]
        self.assertEqual(len(souk.metrics(self.db, "update_norm", agents=True)), count)
        self.assertGreater(count, 0)
        wide = souk.rounds(self.db, "accuracy", "loss")
        for run, number, value in self.ask("SELECT run, round, value FROM metric WHERE name = 'loss'"):
            self.assertEqual(wide.loc[(run, number), "loss"], value)
        last = souk.last(self.db, "accuracy")
        for run, value in self.ask("SELECT run, value FROM metric WHERE name = 'accuracy' AND round = 2"):
            self.assertEqual(last.loc[run, "accuracy"], value)

    def test_a_metric_that_nobody_recorded_is_named_with_its_neighbour(self):
        with self.assertRaisesRegex(ValueError, "no run has recorded 'acc'.*Did you mean 'accuracy'"):
            souk.last(self.db, "acc")
        with self.assertRaisesRegex(ValueError, "no run has recorded 'losss'.*'loss'"):
            souk.metrics(self.db, "losss")
        with self.assertRaisesRegex(ValueError, "'class_accuracy' is a metric of classes"):
            souk.rounds(self.db, "class_accuracy")

    def test_a_table_is_that_of_the_program(self):
        table = souk.table(self.db, "aggregator", "attack", "accuracy")
        text = subprocess.run([PROGRAM, "table", "s", "--stat", "mean", "--format", "csv"], cwd=self.path, check=True,
                              capture_output=True, text=True).stdout
        places = pandas.read_csv(io.StringIO(text))
        self.assertEqual(list(places["aggregator"].unique()), list(table.index))
        self.assertEqual(list(places["attack"].unique()), list(table.columns))
        self.assertEqual(len(places), table.size)
        for place in places.itertuples():
            self.assertAlmostEqual(table.loc[place.aggregator, place.attack], place.mean, places=12)
        counts = souk.table(self.db, "aggregator", "attack", "accuracy", "count")
        self.assertEqual(counts.loc["mean", "none"], 2)
        self.assertEqual(counts.loc["mean", "sign_flip"], 4)

    def test_sweeps_are_kept_apart_and_axes_may_be_empty(self):
        (self.path / "other.textproto").write_text("""
            name: "other" base: "base.textproto" axis { name: "attack" choice { label: "sign_flip" } }
            block { axis { name: "aggregator" choice { label: "mean" } } }
            block { axis { path: "rounds" numbers: 2 } where: "seed > 99" }""")
        for words in (["sweep", "run", "other.textproto", "--out", "o", "-q"], ["export", "s", "o", "--sqlite", "two.db"]):
            subprocess.run([PROGRAM, *words], cwd=self.path, check=True, capture_output=True)
        with souk.open(self.path / "two.db") as db:
            self.assertTrue(souk.cells(db)["rounds"].isna().all())
            table = souk.table(db, "aggregator", "attack", "accuracy")
        self.assertEqual(list(table.index), [("made", "mean"), ("made", "median"), ("other", "mean")])

    def test_the_price_of_robustness_is_what_it_costs_where_nobody_attacks(self):
        price = souk.price_of_robustness(self.db)
        self.assertEqual(list(price.index), ["mean", "median"])
        means = dict(self.ask("""SELECT value, avg(accuracy) FROM (SELECT DISTINCT c.value, m.run, m.value AS accuracy
            FROM cell JOIN coordinate c ON c.cell = cell.cell AND c.axis = 'aggregator'
            JOIN coordinate a ON a.cell = cell.cell AND a.axis = 'attack' AND a.value = 'none'
            JOIN metric m ON m.run = cell.run AND m.name = 'accuracy' AND m.round = 2) GROUP BY value"""))
        self.assertAlmostEqual(price.loc["median", "accuracy"], means["mean"] - means["median"], places=12)
        self.assertEqual(price.loc["mean", "income"], 0)  # each update bought, at one credit
        self.assertAlmostEqual(price.loc["median", "income"], 0)
        self.assertTrue(price["cost"].isna().all())  # two rounds are too few for 80 %

    def test_agents_and_traffic(self):
        agents = souk.agents(self.db)
        self.assertEqual(len(agents), 12 * 5)
        self.assertTrue((agents["asked"] == 2).all())
        traffic = souk.traffic(self.db)
        for run, number, value in self.ask("SELECT run, round, bytes FROM traffic WHERE kind = 'update'"):
            self.assertEqual(traffic.loc[(run, number), "update"], value)

    def test_what_is_no_export_is_refused(self):
        with self.assertRaises(FileNotFoundError):
            souk.open(self.path / "none.db")
        with self.assertRaisesRegex(ValueError, "no export"):
            souk.open(next((self.path / "s" / "cells").iterdir()) / "results.sqlite")
        with self.assertRaisesRegex(ValueError, "is a folder.*souk export"):
            souk.open(self.path / "s")
        (self.path / "text.db").write_text("text " * 100)
        with self.assertRaisesRegex(ValueError, "not a database"):
            souk.open(self.path / "text.db")

    def test_runs_and_sweeps_are_merged_at_once(self):
        with souk.merge(self.path / "s") as db:
            pandas.testing.assert_frame_equal(souk.metrics(db), souk.metrics(self.db))
        db.close()
        with souk.merge(self.path / "s", path=self.path / "again.db") as db:
            self.assertEqual(len(souk.cells(db)), 16)
        db.close()
        with self.assertRaisesRegex(souk.InputError, "again.db: exists already"):
            souk.merge(self.path / "s", path=self.path / "again.db")

    def test_everything_says_what_it_does(self):
        for name in souk.__all__:
            thing = getattr(souk, name)
            self.assertTrue(thing.__doc__, name)
            for member, method in vars(thing).items() if isinstance(thing, type) else ():
                if not member.startswith("_") and callable(method):
                    self.assertTrue(method.__doc__, f"{name}.{member}")
