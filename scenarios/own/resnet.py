"""Writes resnet.pt, the residual network of resnet.textproto: any nn.Module can be written so.

    python3 scenarios/own/resnet.py [FILE]
"""
import sys

import torch
from torch import nn
from torch.nn import functional


class Block(nn.Module):
    """Two convolutions and the way around them."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.around = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if stride > 1 else nn.Identity()

    def forward(self, x):
        y = functional.relu(self.norm1(self.conv1(x)))
        return functional.relu(self.norm2(self.conv2(y)) + self.around(x))


class ResNet(nn.Module):
    """For images of 32 x 32 in colour."""

    def __init__(self, width=8, classes=10):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.blocks = nn.Sequential(Block(width, width, 1), Block(width, 2 * width, 2), Block(2 * width, 4 * width, 2))
        self.dropout = nn.Dropout(0.1)
        self.fc = nn.Linear(4 * width, classes)

    def forward(self, x):
        x = self.blocks(functional.relu(self.stem(x)))
        return self.fc(self.dropout(x.mean(dim=[2, 3])))


torch.manual_seed(1)
torch.jit.script(ResNet()).save(sys.argv[1] if len(sys.argv) > 1 else "scenarios/own/resnet.pt")
