#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes what the contenders of a row are given: model file, picture, token ids, ONNX file, OpenVINO's own file.

    prepare.py ROW WORK            (bench/peers/run calls it)

Everything is kept in WORK and made once. The seeded model comes from tools/seeded-model, and all contenders have their
weights from that one file.
"""

import importlib.util
import logging
import os
import struct
import subprocess
import sys
import tempfile
import zlib

import numpy as np

import weights
from rows import ROWS

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
DEVIATION = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)


def model_path(row, work):
    return os.path.join(work, row.model.replace("/", "-") + ".safetensors")


def onnx_path(row, work, precision="fp32"):
    return os.path.join(work, row.export + (".int8" if precision == "int8" else "") + ".onnx")


def openvino_path(row, work, precision="fp32"):
    if precision == "int8":
        return os.path.join(work, row.export + ".int8.xml")
    return os.path.join(work, row.export + ".xml") if row.openvino == "torch" else onnx_path(row, work)


def picture_path(row, work):
    return os.path.join(work, f"picture-{row.side}.png")


def ids_path(row, work):
    return os.path.join(work, row.name + ".ids.npy")


def picture(side):
    """Noise, coarse and fine, so that patches differ: RGB of the input's own size, which nobody has to resize."""
    random = np.random.RandomState(side)
    coarse = random.randint(0, 160, (side // 16 + 1, side // 16 + 1, 3)).repeat(16, 0).repeat(16, 1)[:side, :side]
    return (coarse + random.randint(0, 96, (side, side, 3))).astype(np.uint8)


def write_png(path, rgb):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    height, width, _ = rgb.shape
    lines = b"".join(b"\0" + line.tobytes() for line in rgb)
    head = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))


def make_input(row, work):
    """What the tower takes: pixels [batch, 3, side, side], or token ids [85, 77]."""
    if row.kind == "text":
        return np.load(ids_path(row, work))
    pixels = (picture(row.side).astype(np.float32) / 255 - MEAN) / DEVIATION
    return np.ascontiguousarray(np.repeat(pixels.transpose(2, 0, 1)[None], row.batch, 0))


def templates():
    with open(os.path.join(ROOT, "tests", "golden", "templates.txt"), encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file if "{}" in line]


def tokenize(row, lancet, vocabulary):
    """The label's prompts as Lancet reads them, padded with zeros."""
    sentences = [line.replace("{}", row.label) for line in templates()]
    command = [lancet, "tokenize", *vocabulary, "--", *sentences]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    ids = np.zeros((len(lines), 77), np.int64)
    for out, line in zip(ids, lines):
        tokens = [int(word) for word in line.split()]
        out[: len(tokens)] = tokens
    return ids


def build_tower(row, work):
    import method

    text = row.kind == "text"
    tensors = weights.read(model_path(row, work), lambda name: name.startswith("visual.") != text)
    return method.build(tensors, row.kind, row.side)


def quantise_onnx(source, out):
    """int8 weights with a scale for each channel; scales of activations as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    kinds = ["MatMul", "Gemm"]
    quantize_dynamic(source, out, op_types_to_quantize=kinds, per_channel=True, weight_type=QuantType.QInt8)


def quantise_openvino(source, out, given, transformer):
    """int8 weights and activations, their scales from the very input that is timed: nobody could choose better."""
    import nncf
    import openvino

    model = openvino.Core().read_model(source)
    kind = nncf.ModelType.TRANSFORMER if transformer else None
    openvino.save_model(nncf.quantize(model, nncf.Dataset([given]), model_type=kind, subset_size=1), out)


def export(row, work):
    """The files of ONNX Runtime and OpenVINO, for those of the two that are installed."""
    import torch

    there = {name for name in ("onnxruntime", "openvino", "nncf") if importlib.util.find_spec(name)}
    given = make_input(row, work)

    def onnx(out):
        torch.onnx.export(build_tower(row, work), (torch.from_numpy(given),), out, dynamo=True, opset_version=18, verbose=False)

    def convert(out):
        import openvino

        program = torch.export.export(build_tower(row, work), (torch.from_numpy(given),))
        openvino.save_model(openvino.convert_model(program), out, compress_to_fp16=False)

    steps = []  # what to make, by what; in this order
    if there & {"onnxruntime", "openvino"}:
        steps.append((onnx_path, "fp32", onnx))
    if "openvino" in there and row.openvino == "torch":
        steps.append((openvino_path, "fp32", convert))
    if "onnxruntime" in there and row.kind != "resnet":
        steps.append((onnx_path, "int8", lambda out: quantise_onnx(onnx_path(row, work), out)))
    if {"openvino", "nncf"} <= there:
        source, transformer = openvino_path(row, work), row.kind != "resnet"
        steps.append((openvino_path, "int8", lambda out: quantise_openvino(source, out, given, transformer)))
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    for path, precision, make in steps:
        if os.path.exists(path(row, work, precision)):
            continue
        # In a folder of its own first, so that what was broken off is not taken for whole.
        with tempfile.TemporaryDirectory(dir=work) as part:
            make(path(row, part, precision))
            for name in sorted(os.listdir(part)):
                os.replace(os.path.join(part, name), os.path.join(work, name))



def prepare(row, work, lancet, vocabulary):
    """What can be made without PyTorch; then the rest, if it is there."""
    os.makedirs(work, exist_ok=True)
    if not os.path.exists(model_path(row, work)):
        part = model_path(row, work) + ".part"
        subprocess.run([sys.executable, os.path.join(ROOT, "tools", "seeded-model"), row.model, part], check=True)
        os.replace(part, model_path(row, work))
    if row.kind == "text":
        np.save(ids_path(row, work), tokenize(row, lancet, vocabulary))
        with open(os.path.join(work, row.name + ".txt"), "w", encoding="utf-8") as file:
            file.write(row.label + "\n")
    else:
        write_png(picture_path(row, work), picture(row.side))


if __name__ == "__main__":
    export(next(row for row in ROWS if row.name == sys.argv[1]), sys.argv[2])
