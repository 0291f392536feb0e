#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a CLIP model of a published size with seeded weights, in float32 under OpenAI's names, for measurements.

    seeded_model.py OUT.safetensors [--shape ViT-B/16]

The weights are noise, as in the golden folders of the tests: the model has learned nothing. Needs numpy and Pillow.
"""

import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden"))
from containers import write_safetensors  # noqa: E402
from make_golden import seeded_tensors  # noqa: E402

SHAPES = {
    "ViT-B/32": dict(width=768, blocks=12, patch=32, resolution=224, embedding=512, text_width=512, text_blocks=12),
    "ViT-B/16": dict(width=768, blocks=12, patch=16, resolution=224, embedding=512, text_width=512, text_blocks=12),
    "ViT-L/14": dict(width=1024, blocks=24, patch=14, resolution=224, embedding=768, text_width=768, text_blocks=12),
}


def main():
    """Write the model that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out")
    parser.add_argument("--shape", choices=SHAPES, default="ViT-B/16")
    options = parser.parse_args()
    tensors = seeded_tensors(seed=16, vocabulary=49408, coarse=False, **SHAPES[options.shape])
    write_safetensors(options.out, {name: ("F32", values) for name, (_, values) in tensors.items()})


if __name__ == "__main__":
    main()
