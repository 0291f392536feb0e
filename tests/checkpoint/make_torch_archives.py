#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes archives/torch_*.pt by PyTorch itself, for test_pytorch.c; needs torch (2.x).

    python3 make_torch_archives.py

Each parameter holds 1, 1.25, 1.5, ... in the order of its storage.
"""

import os
import struct
import zipfile

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


def without_debugging(path):
    """Takes the members out that say in which file on which machine each line of code stood; what stays stays as torch
    wrote it, byte for byte and aligned."""
    with open(path, "rb") as file:
        old = file.read()
    with zipfile.ZipFile(path) as archive:
        kept = [i for i, info in enumerate(archive.infolist()) if not info.filename.endswith(".debug_pkl")]
        starts = [info.header_offset for info in archive.infolist()] + [archive.start_dir]
        entry = archive.start_dir
    end = old.rindex(b"PK\x05\x06")
    new, directory = b"", b""
    for i in range(len(starts) - 1):
        name, extra, comment = struct.unpack_from("<3H", old, entry + 28)
        length = 46 + name + extra + comment
        if i in kept:
            place = len(new)
            assert place % 64 == starts[i] % 64 or b"/data/" not in old[entry + 46 : entry + 46 + name]
            directory += old[entry : entry + 42] + struct.pack("<I", place) + old[entry + 46 : entry + length]
            new += old[starts[i] : starts[i + 1]]
        entry += length
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, len(kept), len(kept), len(directory), len(new), 0)
    assert end + 22 == len(old)
    with open(path, "wb") as file:
        file.write(new + directory + tail)


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
    for name in ("torch_traced.pt", "torch_scripted.pt"):
        without_debugging(os.path.join(HERE, name))


if __name__ == "__main__":
    main()
