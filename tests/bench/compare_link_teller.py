#!/usr/bin/python3
"""LinkTeller on 500 nodes of Twitch's Russian graph: by souk, and by the incremental form of the same in NumPy and SciPy, in turns in
one run. A network of two layers and 256 hidden values answers; SciPy's has weights drawn at random, which takes as long.

  OMP_NUM_THREADS=1 tests/bench/compare_link_teller.py build/souk $SOUK_DATA [repetitions]

Needs Debian's python3-scipy. Prints seconds of the attack alone (a pass over all nodes, and 500 changes of features), the median of the
repetitions, and souk's area under the ROC curve.
"""
import csv
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import scipy.sparse as sp

HIDDEN, NODES, DELTA = 256, 500, 1e-4


def read_twitch(folder, name):
    with open(f"{folder}/twitch/{name}_edges.csv") as file:
        edges = np.array([[int(a), int(b)] for a, b in list(csv.reader(file))[1:]])
    features = json.load(open(f"{folder}/twitch/{name}_features.json"))
    n = 1 + max(int(v) for v in features)
    rows = [int(v) for v, own in features.items() for _ in set(own)]
    columns = [f for own in features.values() for f in set(own)]
    x = sp.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(n, 3170))
    a = sp.csr_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(n, n))
    return x, ((a + a.T) > 0).astype(float).tocsr()


def attack_scipy(x, adjacency, draws):
    """I + D^-1/2 A D^-1/2, features standardised without filling them in; what changes is computed anew and no more."""
    n = x.shape[0]
    mean = np.asarray(x.mean(0)).ravel()
    scale = 1.0 / np.sqrt(np.maximum(mean - mean**2, 1e-12))
    first, second = draws.normal(size=(3170, HIDDEN)) * 0.05, draws.normal(size=(HIDDEN, 2))
    sample = np.sort(draws.choice(n, NODES, replace=False))
    begin = time.perf_counter()
    root = 1.0 / np.sqrt(np.maximum(np.asarray(adjacency.sum(1)).ravel(), 1))
    s = (sp.diags(root) @ adjacency @ sp.diags(root) + sp.eye(n)).tocsr()
    products = x @ (scale[:, None] * first) - (mean * scale) @ first
    before = s @ products
    hidden = np.maximum(before, 0)
    influence = np.zeros((NODES, NODES))
    of_sample = s[sample]
    for i, v in enumerate(sample):
        row = s[v]
        near, weights = row.indices, row.data
        after = np.maximum(before[near] + DELTA * weights[:, None] * products[v], 0)
        change = (after - hidden[near]) @ second
        influence[i] = np.linalg.norm(of_sample[:, near] @ change, axis=1) / DELTA
    return time.perf_counter() - begin, influence


def attack_souk(program, folder):
    scenario = f"""
name: "link_teller" rounds: 2 training_rounds: 1
task {{ data {{ musae {{ directory: "{folder}/twitch" name: "ES" test_name: "RU" }} }}
  model {{ gcn {{ hidden: {HIDDEN} normalization: PLUS_IDENTITY }} }}
  training {{ local_epochs: 30 batch_size: 0 learning_rate: 0.01 adam {{}} }} }}
participants {{ clients: 1 everyone: true }} aggregator {{ mean {{}} }}
service {{ answers {{ form: LOGITS }} principals {{ rights: [READ_ANY, WRITE_ANY] }}
  attacks {{ among: TEST_NODES nodes {{ count: {NODES} }} link_teller {{}} }} }}
"""
    with tempfile.TemporaryDirectory() as place:
        with open(f"{place}/scenario.textproto", "w") as file:
            file.write(scenario)
        subprocess.run([program, "run", f"{place}/scenario.textproto", "--set", f"output.directory={place}/run"],
                       check=True, capture_output=True)
        results = sqlite3.connect(f"{place}/run/results.sqlite")
        seconds = results.execute("SELECT sum(seconds) FROM phase WHERE phase IN ('serve', 'gather answers')").fetchone()[0]
        auc = results.execute("SELECT value FROM metric WHERE name = 'edges.link_teller.auc'").fetchone()[0]
    return seconds, auc


def main():
    program, folder = sys.argv[1:3]
    repetitions = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    x, adjacency = read_twitch(folder, "RU")
    theirs, ours, aucs = [], [], []
    for repetition in range(repetitions):
        seconds, _ = attack_scipy(x, adjacency, np.random.default_rng(repetition))
        theirs.append(seconds)
        seconds, auc = attack_souk(program, folder)
        ours.append(seconds)
        aucs.append(auc)
    print(f"souk            {statistics.median(ours):.3f} s   AUC {statistics.median(aucs):.4f}")
    print(f"NumPy and SciPy {statistics.median(theirs):.3f} s   {statistics.median(theirs) / statistics.median(ours):.1f} times as long")


if __name__ == "__main__":
    main()
