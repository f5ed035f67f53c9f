"""Writes adapters.pt, the network of adapters.textproto: one that has been trained, frozen, and adapters that train (LoRA).

    souk run scenarios/quickstart.textproto --set 'task.model={ mlp { hidden: 32 } }' --set seed=7 \\
        --set task.data.glyphs.difficulty=0.5 --out BACKBONE
    souk export BACKBONE --parameters backbone.pt
    python3 scenarios/own/adapters.py backbone.pt [FILE]
"""
import sys

import torch
from torch import nn


class Adapted(nn.Module):
    """W x + b + (alpha / rank) up down x, of which up and down alone train. Up begins with zeros."""

    def __init__(self, weight, bias, rank: int, alpha: float):
        super().__init__()
        outputs, inputs = weight.shape
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.bias = nn.Parameter(bias, requires_grad=False)
        self.down = nn.Parameter(torch.randn(rank, inputs) / inputs ** 0.5)
        self.up = nn.Parameter(torch.zeros(outputs, rank))
        self.scale = alpha / rank

    def forward(self, x):
        low = nn.functional.linear(nn.functional.linear(x, self.down), self.up)
        return nn.functional.linear(x, self.weight, self.bias) + self.scale * low


class Net(nn.Module):
    """A perceptron with a hidden layer."""

    def __init__(self, trained, rank=2, alpha=4.0):
        super().__init__()
        first, second = sorted({name.rsplit(".", 1)[0] for name in trained})
        self.body = Adapted(trained[f"{first}.weight"], trained[f"{first}.bias"], rank, alpha)
        self.head = Adapted(trained[f"{second}.weight"], trained[f"{second}.bias"], rank, alpha)

    def forward(self, x):
        return self.head(torch.relu(self.body(torch.flatten(x, 1))))


torch.manual_seed(1)
trained = torch.load(sys.argv[1])
torch.jit.script(Net(trained)).save(sys.argv[2] if len(sys.argv) > 2 else "scenarios/own/adapters.pt")
