"""PyTorch's half of tests/bench/compare_pytorch, and its inputs.

    compare_pytorch.py prepare FOLDER MODEL CLIENTS SAMPLES CHANNELS HEIGHT WIDTH   write data, initial parameters, TorchScript
    compare_pytorch.py train   FOLDER MODEL CLIENTS SAMPLES CHANNELS HEIGHT WIDTH BATCH RATE   print seconds
    compare_pytorch.py compare FOLDER CLIENTS   print the largest relative distance between the two halves' parameters
    compare_pytorch.py updates FOLDER ROWS COLUMNS   write a matrix of updates
    compare_pytorch.py aggregate FOLDER RULE ROWS COLUMNS F   print seconds and the relative distance of the two results
    compare_pytorch.py quickstart THREADS   federated averaging of the size of scenarios/quickstart.textproto

Training is what a careful user writes: one model that is loaded with the global parameters for every client, tensors
sliced without copies, torch.optim.SGD, fused cross-entropy, no data loader.
"""
import sys
import time

import numpy
import torch
from torch import nn


def build(model, channels, height, width):
    features = channels * height * width
    if model == "logreg":
        return nn.Sequential(nn.Flatten(), nn.Linear(features, 10))
    if model == "mlp":
        return nn.Sequential(nn.Flatten(), nn.Linear(features, 200), nn.ReLU(), nn.Linear(200, 200), nn.ReLU(),
                             nn.Linear(200, 10))
    if model == "lenet5":
        flat = 16 * ((height // 2 - 4) // 2) * ((width // 2 - 4) // 2)
        return nn.Sequential(nn.Conv2d(channels, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5),
                             nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(flat, 120), nn.ReLU(),
                             nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))
    if model == "cnn":
        flat = 64 * (height // 4) * (width // 4)
        return nn.Sequential(nn.Conv2d(channels, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
                             nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                             nn.Linear(flat, 512), nn.ReLU(), nn.Linear(512, 10))
    if model == "cnn_small":
        flat = 50 * (((height - 2) // 2 - 2) // 2) * (((width - 2) // 2 - 2) // 2)
        return nn.Sequential(nn.Conv2d(channels, 30, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(30, 50, 3), nn.ReLU(),
                             nn.MaxPool2d(2), nn.Flatten(), nn.Linear(flat, 100), nn.ReLU(), nn.Linear(100, 10))
    if model == "cnn_cifar":
        layers, previous = [], channels
        for outputs in (32, 64, 128):
            layers += [nn.Conv2d(previous, outputs, 3, padding=1), nn.ReLU(),
                       nn.Conv2d(outputs, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
            previous = outputs
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * (height // 8) * (width // 8), 128), nn.ReLU(),
                             nn.Linear(128, 10))
    raise SystemExit(f"no such model here: {model}")


def flat_parameters(network):
    return torch.cat([parameter.detach().reshape(-1) for parameter in network.parameters()])


def prepare(folder, model, clients, samples, shape):
    random = numpy.random.default_rng(1)
    labels = random.integers(0, 10, clients * samples, dtype=numpy.int32)
    centres = random.standard_normal((10, *shape)).astype(numpy.float32)
    noise = random.standard_normal((clients * samples, *shape)).astype(numpy.float32)
    (centres[labels] + noise).tofile(f"{folder}/features.f32")
    labels.tofile(f"{folder}/labels.i32")
    torch.manual_seed(1)
    network = build(model, *shape)
    flat_parameters(network).numpy().tofile(f"{folder}/initial.f32")
    torch.jit.script(network).save(f"{folder}/network.pt")


def train(folder, model, clients, samples, shape, batch, rate):
    torch.set_num_threads(1)
    network = build(model, *shape)
    loss_of = nn.CrossEntropyLoss()
    features = torch.from_numpy(numpy.fromfile(f"{folder}/features.f32", numpy.float32)).view(clients, samples, *shape)
    labels = torch.from_numpy(numpy.fromfile(f"{folder}/labels.i32", numpy.int32)).long().view(clients, samples)
    initial = torch.from_numpy(numpy.fromfile(f"{folder}/initial.f32", numpy.float32))
    trained = []

    def train_all():
        trained.clear()
        for client in range(clients):
            nn.utils.vector_to_parameters(initial.clone(), network.parameters())
            optimizer = torch.optim.SGD(network.parameters(), lr=rate)
            for first in range(0, samples, batch):
                optimizer.zero_grad(set_to_none=True)
                loss = loss_of(network(features[client, first:first + batch]), labels[client, first:first + batch])
                loss.backward()
                optimizer.step()
            trained.append(flat_parameters(network))

    train_all()
    start = time.process_time()
    train_all()
    print(f"{time.process_time() - start:.6f}")
    torch.stack(trained).numpy().tofile(f"{folder}/theirs.f32")


def compare(folder, clients):
    initial = numpy.fromfile(f"{folder}/initial.f32", numpy.float32)
    ours = numpy.fromfile(f"{folder}/ours.f32", numpy.float32).reshape(clients, -1)
    theirs = numpy.fromfile(f"{folder}/theirs.f32", numpy.float32).reshape(clients, -1)
    moved = numpy.linalg.norm(theirs - initial, axis=1)
    print(f"{(numpy.linalg.norm(ours - theirs, axis=1) / moved).max():.1e}")


def quickstart(threads):
    """30 rounds, 10 of 100 clients with 100 images each, cnn_small, batch 32, a test on 2,000 images every round."""
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    labels = torch.randint(0, 10, (12000,))
    features = torch.randn(10, 1, 28, 28)[labels] + torch.randn(12000, 1, 28, 28)
    network, loss_of = build("cnn_small", 1, 28, 28), nn.CrossEntropyLoss()
    total = flat_parameters(network)
    for _ in range(30):
        updates = torch.zeros_like(total)
        for client in torch.randperm(100)[:10].tolist():
            mine = client * 100 + torch.randperm(100)
            nn.utils.vector_to_parameters(total.clone(), network.parameters())
            optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
            for which in mine.split(32):
                optimizer.zero_grad(set_to_none=True)
                loss_of(network(features[which]), labels[which]).backward()
                optimizer.step()
            updates += (flat_parameters(network) - total) / 10
        total += updates
        nn.utils.vector_to_parameters(total.clone(), network.parameters())
        with torch.no_grad():
            hits = sum((network(features[at:at + 250]).argmax(1) == labels[at:at + 250]).sum().item()
                       for at in range(10000, 12000, 250))
    print(f"accuracy {hits / 2000}")


def updates(folder, rows, columns):
    random = numpy.random.default_rng(1)
    with open(f"{folder}/updates.f32", "wb") as file:
        for _ in range(rows):
            random.standard_normal(columns, dtype=numpy.float32).tofile(file)


def krum(matrix, f):
    distances = torch.cdist(matrix, matrix).square()
    scores = distances.sort(dim=1).values[:, 1:len(matrix) - f - 1].sum(dim=1)
    return matrix[scores.argmin()]


def geometric_median(matrix, _):
    centre = matrix.mean(dim=0)
    for _ in range(100):
        weights = 1 / (matrix - centre).norm(dim=1).clamp(min=1e-6)
        centre = (weights / weights.sum()) @ matrix
    return centre


RULES = {
    "median": lambda matrix, f: matrix.median(dim=0).values,
    "trimmed_mean": lambda matrix, f: matrix.sort(dim=0).values[f:len(matrix) - f].mean(dim=0),
    "krum": krum,
    "geometric_median": geometric_median,
}


def aggregate(folder, rule, rows, columns, f):
    torch.set_num_threads(1)
    matrix = torch.from_numpy(numpy.fromfile(f"{folder}/updates.f32", numpy.float32)).view(rows, columns)
    RULES[rule](matrix[:, :10000], f)
    start = time.perf_counter()
    theirs = RULES[rule](matrix, f).numpy()
    seconds = time.perf_counter() - start
    ours = numpy.fromfile(f"{folder}/ours.f32", numpy.float32)
    print(f"{seconds:.6f} {numpy.linalg.norm(ours - theirs) / numpy.linalg.norm(theirs):.1e}")


def main():
    action, folder = sys.argv[1:3]
    if action == "quickstart":
        return quickstart(int(folder))
    if action == "updates":
        return updates(folder, int(sys.argv[3]), int(sys.argv[4]))
    if action == "aggregate":
        return aggregate(folder, sys.argv[3], *[int(size) for size in sys.argv[4:7]])
    if action == "compare":
        return compare(folder, int(sys.argv[3]))
    model, sizes = sys.argv[3].split(":")[-1], [int(size) for size in sys.argv[4:9]]
    if action == "prepare":
        return prepare(folder, model, sizes[0], sizes[1], sizes[2:])
    return train(folder, model, sizes[0], sizes[1], sizes[2:], int(sys.argv[9]), float(sys.argv[10]))


main()
