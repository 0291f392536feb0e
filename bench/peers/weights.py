# SPDX-License-Identifier: Apache-2.0
"""Reads a model file as float32 arrays: the same file that Lancet opens."""

import json
import struct

import numpy as np

TYPES = {"F16": "<f2", "F32": "<f4"}


def read(path, wanted):
    """The tensors of a safetensors file whose names `wanted` accepts, by name."""
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        table = json.loads(file.read(length))
        tensors = {}
        for name, about in table.items():
            if name == "__metadata__" or not wanted(name):
                continue
            begin, end = about["data_offsets"]
            file.seek(8 + length + begin)
            values = np.frombuffer(file.read(end - begin), TYPES[about["dtype"]])
            tensors[name] = values.astype(np.float32).reshape(about["shape"])
    return tensors
