# SPDX-License-Identifier: Apache-2.0
"""What Pillow makes of the tests' pictures. Usage: pillow.py SUBJECT FOLDER; one function below for each subject."""
import struct
import sys
from pathlib import Path

from PIL import Image


def resize(folder):
    """cases.raw: records of channels, in width, in height, out width, out height (uint32 each) and the pixels.
    Writes results.raw: the resized pixels, one after another."""
    data = (folder / "cases.raw").read_bytes()
    at = 0
    with open(folder / "results.raw", "wb") as results:
        while at < len(data):
            channels, width, height, to_width, to_height = struct.unpack_from("<5I", data, at)
            at += 20
            length = width * height * channels
            mode = "RGB" if channels == 3 else "L"
            picture = Image.frombytes(mode, (width, height), data[at : at + length])
            at += length
            results.write(picture.resize((to_width, to_height), Image.BICUBIC).tobytes())


def main():
    subjects = {"resize": resize}
    subjects[sys.argv[1]](Path(sys.argv[2]))


main()
