#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes archives/: small files as PyTorch writes them, by Python's own pickler and zipfile, for test_pickle.c and
test_pytorch.c.

    python3 make_archives.py

Standard library only: the modules that the pickles name are stood in for here. Numbers are (index in the storage) / 4
+ 1 in storages of floats, and the index + 1 in those of whole numbers. The files torch_*.pt are made by PyTorch itself:
make_torch_archives.py.
"""

import argparse
import collections
import datetime
import io
import os
import pathlib
import pickle
import struct
import sys
import types
import zipfile

import pytorch_archive as by_hand

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "archives")
FORMATS = {"Float": "f", "Half": "e", "BFloat16": None, "Double": "d", "Long": "q", "Int": "i", "Short": "h",
           "Char": "b", "Byte": "B", "Bool": "?"}


def stand_in(module, attribute, value):
    """Puts `value` where a pickle says that it is from; the module and those around it are made."""
    parts = module.split(".")
    for i in range(len(parts)):
        made = sys.modules.setdefault(".".join(parts[: i + 1]), types.ModuleType(".".join(parts[: i + 1])))
    value.__module__, value.__qualname__, value.__name__ = module, attribute, attribute
    setattr(made, attribute, value)
    return value


CLASSES = {kind: stand_in("torch", kind + "Storage", type(kind, (), {})) for kind in FORMATS}
REBUILD = stand_in("torch._utils", "_rebuild_tensor_v2", lambda *arguments: None)
REBUILD_PARAMETER = stand_in("torch._utils", "_rebuild_parameter", lambda *arguments: None)
SCALAR = stand_in("numpy.core.multiarray", "scalar", lambda *arguments: None)


class Storage:
    def __init__(self, kind, count):
        self.kind, self.count, self.key = kind, count, None

    def raw(self):
        if self.kind == "BFloat16":
            return b"".join(struct.pack("<f", i / 4 + 1)[2:] for i in range(self.count))
        values = [i / 4 + 1 if FORMATS[self.kind] in "fed" else i % 2 if self.kind == "Bool" else i + 1
                  for i in range(self.count)]
        return struct.pack(f"<{self.count}{FORMATS[self.kind]}", *values)


class Tensor:
    def __init__(self, storage, shape, strides=None, offset=0):
        if strides is None:
            strides = [1] * len(shape)
            for i in range(len(shape) - 2, -1, -1):
                strides[i] = strides[i + 1] * shape[i + 1]
        self.arguments = (storage, offset, tuple(shape), tuple(strides), False, collections.OrderedDict())

    def __reduce_ex__(self, protocol):
        return REBUILD, self.arguments


class Parameter:
    def __init__(self, tensor):
        self.tensor = tensor

    def __reduce_ex__(self, protocol):
        return REBUILD_PARAMETER, (self.tensor, True, collections.OrderedDict())


class Scalar:
    """A number of numpy's."""

    def __reduce_ex__(self, protocol):
        return SCALAR, ("f8", b"\0\0\0\0\0\0\xe0\x3f")


class Pickler(pickle.Pickler):
    def __init__(self, out, protocol):
        super().__init__(out, protocol)
        self.storages = []

    def persistent_id(self, obj):
        if not isinstance(obj, Storage):
            return None
        if obj.key is None or obj not in self.storages:
            obj.key = str(len(self.storages))
            self.storages.append(obj)
        return "storage", CLASSES[obj.kind], obj.key, "cuda:0", obj.count


def write(name, value, protocol=2, beside=()):
    out = io.BytesIO()
    pickler = Pickler(out, protocol)
    pickler.dump(value)
    with zipfile.ZipFile(os.path.join(HERE, name), "w") as archive:
        def add(path, data):
            archive.writestr(zipfile.ZipInfo(f"{name.partition('.')[0]}/{path}"), data)

        add("data.pkl", out.getvalue())
        for path, data in beside:
            add(path, data)
        for storage in pickler.storages:
            add("data/" + storage.key, storage.raw())
        add("version", "3\n")


def all_types():
    """Each type once, a number alone and nothing at all."""
    tensors = collections.OrderedDict((kind.lower(), Tensor(Storage(kind, 6), (2, 3))) for kind in FORMATS)
    tensors["scalar"] = Tensor(Storage("Float", 1), ())
    tensors["empty"] = Tensor(Storage("Float", 0), (0, 3))
    tensors["parameter"] = Parameter(Tensor(Storage("Half", 4), (4,)))
    tensors._metadata = collections.OrderedDict([("", {"version": 1})])
    return tensors


def views():
    """Of one storage of 24 floats: 1, 1.25, 1.5, ..."""
    one = Storage("Float", 24)
    return {"whole": Tensor(one, (24,)), "again": Tensor(one, (2, 3, 4)), "part": Tensor(one, (2, 3), (3, 1), 5),
            "last": Tensor(one, (1,), (1,), 23), "none": Tensor(one, (0,), (1,), 24),
            "transposed": Tensor(one, (4, 3), (1, 4)), "permuted": Tensor(one, (4, 2, 3), (1, 12, 4)),
            "stepped": Tensor(one, (4,), (7,)), "column": Tensor(one, (4, 2), (6, 1), 2),
            "repeated": Tensor(one, (3, 2), (0, 1), 4), "any_stride": Tensor(one, (1, 3, 1), (99, 1, 77), 3),
            "halves": Tensor(Storage("Half", 6), (3, 2), (1, 3)),
            "long": Tensor(Storage("Long", 4), (2, 2), (1, 2)), "double": Tensor(Storage("Double", 4), (2, 2), (1, 2))}


def training():
    """What a training loop saves: the weights, and what is none of them."""
    weights = {"module.a": Tensor(Storage("Float", 2), (2,)), "module.b": Tensor(Storage("Half", 2), (2,)),
               "module._extra_state": None}
    moment = Tensor(Storage("Float", 2), (2,))
    return {"epoch": 3, "name": "run", "state_dict": weights, "big": 1 << 80, "loss": Scalar(), "rate": 1e-3,
            "optimizer": {"state": {0: {"step": Tensor(Storage("Float", 1), ()), "exp_avg": moment}},
                          "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.98), "params": [0]}]},
            "args": argparse.Namespace(lr=1e-3, out=pathlib.PurePosixPath("/tmp"), names=["a"]),
            "counts": collections.Counter("abca"), "when": datetime.datetime(2020, 1, 2), "bytes": b"\0\xff", "no": b"",
            "sets": [{1, 2}, frozenset([3])], "defaults": collections.defaultdict(list, a=[1]), "range": range(3),
            "imaginary": 2j, "array": bytearray(b"abc")}


def script():
    """A compiled module, by hand, with what TorchScript puts between its tensors."""
    h = by_hand
    jit = "torch.jit._pickle"
    norm = h.name("__torch__.torch.nn.modules.normalization", "LayerNorm") + b")" + h.NEWOBJ + h.dictionary({
        "weight": h.tensor(h.storage("1", "Half", 3), (3,)), "training": h.FALSE, "eps": b"G" + bytes(8),
        "normalized_shape": h.call(h.name(jit, "build_intlist"), b"]" + h.MARK + h.integer(3) + b"e"),
    }) + h.BUILD
    value = h.module("__torch__.clip.model.CLIP", {
        "training": h.TRUE, "_is_full_backward_hook": h.NONE,
        "logit_scale": h.tensor(h.storage("0", "Float", 1), ()),
        "input_resolution": h.tensor(h.storage("2", "Long", 1), ()),
        "visual": h.module("__torch__.clip.model.VisionTransformer", {
            "ln_pre": norm + b"q\x07",
            "0": h.module("__torch__.M", {"bias": h.parameter(h.tensor(h.storage("1", "Half", 3), (2,), offset=1))})}),
        "same": b"h\x07",
        "tagged": h.call(h.name(jit, "restore_type_tag"), h.dictionary({"a": h.integer(1)}), h.text("Dict[str, int]")),
        "empty": h.module("__torch__.torch.nn.modules.linear.Identity", {}),
        "stateless": h.name("__torch__", "Stateless") + b")" + h.NEWOBJ,
        "packed": h.name("__torch__.torch.classes.quantized", "LinearPackedParamsBase") + b")" + h.NEWOBJ +
        h.sequence(h.integer(1)) + h.BUILD,
    })
    members = [h.Member("clip/data/0", struct.pack("<f", 4.5)), h.Member("clip/data/1", struct.pack("<3e", 1, 1.25, 1.5)),
               h.Member("clip/data/2", struct.pack("<q", 224)), h.Member("clip/data.pkl", h.pickle(value)),
               h.Member("clip/code/__torch__.py", b"\3\0", method=8), h.Member("clip/constants.pkl", b"\x80\x02)."),
               h.Member("clip/version", b"2\n")]
    with open(os.path.join(HERE, "script.pt"), "wb") as out:
        out.write(h.archive(members))


def values():
    """Everything that is no tensor, as plain pickles."""
    shared = ["x"]
    itself = []
    itself.append(itself)
    value = [None, True, False, 0, 255, 256, 65535, 65536, -1, -2**31, 2**31, -2**40, 2**62, -2**63, 2**63, -2**80, 1.5, "",
             "a", "é" * 200, b"ab", (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], [1], {}, {"k": "v"}, {"a": 1, 2: "b"},
             shared, shared, (shared,), collections.OrderedDict(a=1, b=2), {1}, frozenset([2]), itself]
    for protocol in range(2, 6):
        with open(os.path.join(HERE, f"values_{protocol}.pkl"), "wb") as out:
            out.write(pickle.dumps(value, protocol))


def main():
    os.makedirs(HERE, exist_ok=True)
    for protocol in range(2, 6):
        write(f"types_{protocol}.pt", all_types(), protocol)
        write(f"training_{protocol}.pt", training(), protocol)
    write("views.pt", views(), beside=[("byteorder", "little")])
    write("nested.pt", {"model": {"state_dict": {"a": Tensor(Storage("Float", 2), (2,))}}, "a": Tensor(
        Storage("Half", 1), (1,))})
    script()
    values()


if __name__ == "__main__":
    main()
