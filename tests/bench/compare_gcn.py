#!/usr/bin/python3
"""Two hundred full-batch epochs of the graph convolutional network of Kipf and Welling on Cora's public split: by souk, and by
a plain loop in PyTorch, in turns in one run. The features of the loop are sparse, which is its faster way, or dense.

  OMP_NUM_THREADS=1 tests/bench/compare_gcn.py build/souk $SOUK_DATA [repetitions]

Needs Debian's python3-torch and python3-numpy. Prints seconds of training alone, the median of the repetitions, and accuracies.
"""
import os
import pickle
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch

EPOCHS, HIDDEN = 200, 16


def read_cora(folder):
    """x, adjacency, labels and splits; scipy's matrices are read without scipy."""

    class Csr:
        def __setstate__(self, state):
            self.__dict__.update(state)

    class Reader(pickle.Unpickler):
        def find_class(self, module, name):
            if name == "csr_matrix":
                return Csr
            return super().find_class(module, name)

    def load(part):
        with open(f"{folder}/planetoid/ind.cora.{part}", "rb") as file:
            return Reader(file, encoding="latin1").load()

    def dense(matrix):
        shape = getattr(matrix, "_shape", None)
        out = np.zeros(shape, dtype=np.float32)
        for i in range(shape[0]):
            part = slice(matrix.indptr[i], matrix.indptr[i + 1])
            out[i, matrix.indices[part]] = matrix.data[part]
        return out

    test = np.array([int(line) for line in open(f"{folder}/planetoid/ind.cora.test.index")])
    x = np.concatenate([dense(load("allx")), dense(load("tx"))])
    y = np.concatenate([load("ally"), load("ty")])
    x[test], y[test] = x[np.sort(test)].copy(), y[np.sort(test)].copy()
    edges = {(a, b) for a, near in load("graph").items() for b in near if a != b}
    edges |= {(b, a) for a, b in edges}
    edges |= {(v, v) for v in range(len(x))}
    edges = np.array(sorted(edges)).T
    return x / np.maximum(x.sum(1, keepdims=True), 1), edges, y.argmax(1), np.arange(140), test


def train_torch(x, edges, labels, train, test, sparse):
    torch.manual_seed(1)
    n, classes = len(x), int(labels.max()) + 1
    degree = np.bincount(edges[0], minlength=n).astype(np.float32)
    weights = 1.0 / np.sqrt(degree[edges[0]] * degree[edges[1]])
    a = torch.sparse_coo_tensor(edges, torch.tensor(weights), (n, n)).coalesce()
    features = torch.tensor(x)
    if sparse:
        features = features.to_sparse().coalesce()
    y, rows = torch.tensor(labels), torch.tensor(train)
    w1 = torch.nn.init.xavier_uniform_(torch.empty(x.shape[1], HIDDEN)).requires_grad_()
    w2 = torch.nn.init.xavier_uniform_(torch.empty(HIDDEN, classes)).requires_grad_()
    b1, b2 = torch.zeros(HIDDEN, requires_grad=True), torch.zeros(classes, requires_grad=True)
    optimizer = torch.optim.Adam([w1, b1, w2, b2], lr=0.01, weight_decay=5e-4)

    def forward(dropout):
        f = features
        if sparse and dropout:
            f = torch.sparse_coo_tensor(f.indices(), torch.nn.functional.dropout(f.values(), 0.5), f.shape)
        elif dropout:
            f = torch.nn.functional.dropout(f, 0.5)
        first = torch.sparse.mm(f, w1) if sparse else f @ w1
        h = torch.relu(torch.sparse.mm(a, first) + b1)
        return torch.sparse.mm(a, torch.nn.functional.dropout(h, 0.5, training=dropout) @ w2) + b2

    begin = time.perf_counter()
    for _ in range(EPOCHS):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(forward(True)[rows], y[rows]).backward()
        optimizer.step()
    seconds = time.perf_counter() - begin
    with torch.no_grad():
        hits = (forward(False).argmax(1)[torch.tensor(test)] == y[torch.tensor(test)]).float().mean().item()
    return seconds, hits


def train_souk(souk, folder, seed):
    with tempfile.TemporaryDirectory() as runs:
        scenario = os.path.join(os.path.dirname(__file__), "../../scenarios/graphs/cora.textproto")
        subprocess.run([souk, "run", scenario, "--out", runs, "--set", f"seed={seed}"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       env={**os.environ, "SOUK_DATA": folder})
        found = [os.path.join(path, name) for path, _, names in os.walk(runs) for name in names
                 if name == "results.sqlite"]
        with sqlite3.connect(found[0]) as results:
            seconds = results.execute("select sum(seconds) from phase where phase = 'train'").fetchone()[0]
            accuracy = results.execute("select value from metric where name = 'accuracy' and agent = -1 and class = -1 order by round desc").fetchone()[0]
    return seconds, accuracy


def main():
    souk, folder = sys.argv[1], sys.argv[2]
    repetitions = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    torch.set_num_threads(1)
    cora = read_cora(folder)
    times = {"souk": [], "torch, sparse features": [], "torch, dense features": []}
    accuracy = {name: [] for name in times}
    for repetition in range(repetitions):
        for name in times:
            if name == "souk":
                seconds, hits = train_souk(souk, folder, repetition + 1)
            else:
                seconds, hits = train_torch(*cora, sparse="sparse" in name)
            times[name].append(seconds)
            accuracy[name].append(hits)
    for name, seconds in times.items():
        print(f"{name:24} {statistics.median(seconds):7.3f} s   accuracy {statistics.mean(accuracy[name]):.4f}")


if __name__ == "__main__":
    main()
