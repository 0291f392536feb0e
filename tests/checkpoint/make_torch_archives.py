#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes archives/torch_*.pt by PyTorch itself, for test_pytorch.c; needs torch (2.x).

    python3 make_torch_archives.py

Each parameter holds 1, 1.25, 1.5, ... in the order of its storage.
"""

import os

import torch

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "archives")


def numbers(*shape):
    count = 1
    for size in shape:
        count *= size
    return (torch.arange(count, dtype=torch.float32) / 4 + 1).reshape(shape)


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(3, 2)
        self.linear.weight = torch.nn.Parameter(numbers(2, 3).half(), requires_grad=False)
        self.linear.bias = torch.nn.Parameter(numbers(2).half(), requires_grad=False)

    def forward(self, x):
        return torch.nn.functional.linear(x.half(), self.linear.weight, self.linear.bias).float()


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = torch.nn.Sequential(Block(), torch.nn.Identity())
        self.norm = torch.nn.BatchNorm1d(2)
        self.turned = torch.nn.Parameter(numbers(3, 2).t(), requires_grad=False)
        self.scale = torch.nn.Parameter(torch.tensor(4.5), requires_grad=False)
        self.register_buffer("resolution", torch.tensor(224))

    def forward(self, x):
        return self.norm(self.blocks(x)) @ self.turned * self.scale.exp()


def main():
    model = Model().eval()
    for protocol in (2, 4):
        torch.save(model.state_dict(), os.path.join(HERE, f"torch_state_dict_{protocol}.pt"), pickle_protocol=protocol)
    optimizer = torch.optim.Adam([torch.nn.Parameter(numbers(2))])
    torch.save({"epoch": 1, "state_dict": torch.nn.DataParallel(model).state_dict(),
                "optimizer": optimizer.state_dict(), "device": torch.device("cpu"), "size": torch.Size([2])},
               os.path.join(HERE, "torch_training.pt"))
    torch.save({"bytes": numbers(2).to(torch.float8_e4m3fn), "brain": numbers(4).bfloat16(),
                "negative": numbers(3)[1:2].expand(3)}, os.path.join(HERE, "torch_types.pt"))
    torch.jit.trace(model, torch.ones(1, 3)).save(os.path.join(HERE, "torch_traced.pt"))
    torch.jit.script(model).save(os.path.join(HERE, "torch_scripted.pt"))


if __name__ == "__main__":
    main()
