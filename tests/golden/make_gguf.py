#!/usr/bin/env python3
"""Makes the golden folder tiny_gguf, or checks the reference against another folder of that form.

    make_gguf.py                                 write the folder anew
    make_gguf.py --check DIR [--vocabulary PATH] compare the reference with the arrays in DIR, print a table

A model of seeded noise as clip.cpp writes and quantises it: matrices in the file's type, the patch layer always F16, all
else F32. Each file's arrays are computed from its own, dequantised numbers. Needs numpy and Pillow.
"""

import argparse
import json
import os
import shutil
import sys

import numpy as np
from PIL import Image

from containers import from_hugging_face, to_hugging_face
from gguf import from_clip_cpp, read_gguf, to_clip_cpp, write_gguf
from make_golden import draw_picture, picture_path, seeded_tensors, write_json
from reference import Clip, gelu, quick_gelu
from vocabulary import Tokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER, VOCABULARY = os.path.join(HERE, "tiny_gguf"), os.path.join(HERE, "tiny")
SIZES = dict(seed=11, width=32, blocks=3, patch=8, resolution=48, embedding=32, text_width=32, text_blocks=2)
TEXTS, PICTURE, SIDE = ["airplane", "a person on the grass", "tv monitor"], "scene.png", 64
# Whatever a file may do differently, one of them does.
FILES = {"f32": {}, "f16": {"version": 2}, "q8_0": {"alignment": 64}, "q4_1": {}, "q5_0": {}}
REVERSED = {"q5_0": ("v.blk.1.", "t.blk.0.")}  # blocks with llama.cpp's use of ffn_up and ffn_down


def keys_of(vocabulary, kind):
    """As clip.cpp's converter writes them."""
    common = {"embedding_length": 32, "feed_forward_length": 128, "projection_dim": 32,
              "attention.layer_norm_epsilon": 1e-3}
    keys = {"general.architecture": "clip", "clip.has_text_encoder": True, "clip.has_vision_encoder": True,
            "general.file_type": {"f32": 0, "f16": 1, "q8_0": 7, "q4_1": 3, "q5_0": 8}[kind],
            "general.name": "tiny", "clip.text.context_length": 77, "clip.text.block_count": SIZES["text_blocks"],
            "clip.text.attention.head_count": 2, "clip.vision.block_count": SIZES["blocks"],
            "clip.vision.attention.head_count": 4, "tokenizer.ggml.tokens": vocabulary,
            "clip.vision.image_size": SIZES["resolution"], "clip.vision.patch_size": SIZES["patch"],
            "clip.vision.image_mean": [0.5, 0.4, 0.3], "clip.vision.image_std": [0.25, 0.5, 0.3125], "clip.use_gelu": True}
    for tower in ("text", "vision"):
        keys.update({f"clip.{tower}.{name}": value for name, value in common.items()})
    if kind.startswith("q"):
        keys["general.quantization_version"] = 2
    return keys


def tensors_of(kind, vocabulary):
    """{name: (type, array)}"""
    tensors = to_clip_cpp(to_hugging_face(seeded_tensors(**SIZES, vocabulary=vocabulary, coarse=False)))
    out = {}
    for name, (_, values) in tensors.items():
        for block in REVERSED.get(kind, ()):
            if name.startswith(block):
                name = {"down": name.replace("ffn_down", "ffn_up"),
                        "up": name.replace("ffn_up", "ffn_down")}.get(name.partition("ffn_")[2].split(".")[0], name)
        matrix = name.endswith(".weight") and np.ndim(values) == 2
        out[name] = ("F16" if np.ndim(values) == 4 else kind.upper() if matrix else "F32", values)
    return out


def pixels(path, side, mean, deviation):
    picture = Image.open(path).convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
    return ((np.asarray(picture, np.float64) / 255 - mean) / deviation).transpose(2, 0, 1)


def compute(path, picture, side, texts, tokenizer):
    """Surgery's features [1, N, C] of the picture and the bare texts' [T, C]."""
    keys, tensors = read_gguf(path)
    model = Clip(from_hugging_face(from_clip_cpp(tensors)), keys["clip.vision.attention.head_count"],
                 keys["clip.text.attention.head_count"], gelu if keys["clip.use_gelu"] else quick_gelu,
                 keys["clip.vision.attention.layer_norm_epsilon"])
    image = pixels(picture, side, np.array(keys["clip.vision.image_mean"]), np.array(keys["clip.vision.image_std"]))
    surgery = model.encode_picture(image, min(6, model.vision_blocks))[None]
    return surgery, model.encode_text(np.array([tokenizer.context(text, model.context) for text in texts]))


def write():
    shutil.rmtree(FOLDER, ignore_errors=True)
    os.makedirs(os.path.join(FOLDER, "images"))
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(os.path.join(VOCABULARY, name), FOLDER)
    with open(os.path.join(FOLDER, "vocab.json"), encoding="utf-8") as file:
        vocabulary = list(json.load(file))
    tokenizer, files = Tokenizer.open(FOLDER), {}
    draw_picture(os.path.join(FOLDER, "images", PICTURE), 50, 70)
    for kind, layout in FILES.items():
        path = os.path.join(FOLDER, f"{kind}.gguf")
        write_gguf(path, keys_of(vocabulary, kind), tensors_of(kind, len(vocabulary)), **layout)
        surgery, text = compute(path, picture_path(FOLDER, PICTURE), SIDE, TEXTS, tokenizer)
        np.save(os.path.join(FOLDER, f"{kind}.surgery.npy"), surgery.astype(np.float32))
        np.save(os.path.join(FOLDER, f"{kind}.text.npy"), text.astype(np.float32))
        files[kind] = {"file": f"{kind}.gguf", "surgery": f"{kind}.surgery.npy", "text": f"{kind}.text.npy",
                       "image": PICTURE, "side": SIDE}
    write_json(os.path.join(FOLDER, "gguf.json"), {"texts": TEXTS, "files": files})
    size = sum(os.path.getsize(os.path.join(at, file)) for at, _, names in os.walk(FOLDER) for file in names)
    print(f"tiny_gguf: {len(files)} files, {size / 1e6:.2f} MB")


def check(folder, vocabulary):
    with open(os.path.join(folder, "gguf.json"), encoding="utf-8") as file:
        listed = json.load(file)
    tokenizer, good = Tokenizer.open(vocabulary), True
    for kind, entry in listed["files"].items():
        arrays = compute(os.path.join(folder, entry["file"]), picture_path(folder, entry["image"]), entry["side"],
                         listed["texts"], tokenizer)
        for name, ours in zip(("surgery", "text"), arrays):
            theirs = np.load(os.path.join(folder, entry[name])).astype(np.float64)
            relative = np.abs(ours.reshape(theirs.shape) - theirs).max() / np.abs(theirs).max()
            good = good and relative <= 1e-5
            print(f"{kind + '/' + name:16} {relative:.2e} {'' if relative <= 1e-5 else 'FAIL'}")
    print("all within 1e-5 of each array's maximum" if good else "NOT all within 1e-5 of each array's maximum")
    return 0 if good else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", metavar="DIR")
    parser.add_argument("--vocabulary", metavar="PATH", help="file or folder; default: $LANCET_VOCABULARY, else DIR")
    options = parser.parse_args()
    if options.check:
        return check(options.check, options.vocabulary or os.environ.get("LANCET_VOCABULARY") or options.check)
    write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
