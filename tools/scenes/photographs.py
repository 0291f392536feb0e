"""Photographs: Tiny-ImageNet pictures by themselves, and 1-4 of them pasted on scraps of others.

The folder holds `{train-0,train-1,train-2,val}.webp.bin` (WebP files end to end), an int32 `.npy` of the
same name (offset, length, class, x0, y0, x1, y1) and `classes.tsv`.
"""

import os
from io import BytesIO

import numpy as np
from PIL import Image

from compose import Scene, finish

SIDE = 64
PARTS = {"train": ("train-0", "train-1", "train-2"), "val": ("val",)}


def read_classes(folder):
    """The synonyms of every class, lower-cased, in the order of the class numbers."""
    with open(os.path.join(folder, "classes.tsv"), encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines][1:]
    return [[name.strip().lower() for name in row[2].split(",")] for row in rows]


def decode(folder, split, cache):
    """Decode a split once; return (pictures [n, 64, 64, 3] mapped from disk, labels [n], boxes [n, 4])."""
    tables = [np.load(os.path.join(folder, part + ".npy")) for part in PARTS[split]]
    total = sum(len(table) for table in tables)
    path = os.path.join(cache, f"photographs-{split}.u8")
    shape = (total, SIDE, SIDE, 3)
    if not os.path.exists(path):
        pixels = np.memmap(path + ".part", np.uint8, "w+", shape=shape)
        at = 0
        for part, table in zip(PARTS[split], tables):
            with open(os.path.join(folder, part + ".webp.bin"), "rb") as file:
                data = file.read()
            for offset, length in table[:, :2]:
                picture = Image.open(BytesIO(data[offset:offset + length])).convert("RGB")
                pixels[at] = np.asarray(picture.resize((SIDE, SIDE)) if picture.size != (SIDE, SIDE) else picture)
                at += 1
        pixels.flush()
        os.rename(path + ".part", path)
    table = np.concatenate(tables)
    return np.memmap(path, np.uint8, "r", shape=shape), table[:, 2], table[:, 3:7]


class Collage:
    """Makes scenes of 1-4 photographs on a scrap of another one, with their boxes as the mask."""

    def __init__(self, pictures, labels, boxes, side, seed):
        self.pictures, self.labels, self.boxes = pictures, labels, boxes
        self.side, self.stream = side, (seed, 2)

    def scene(self, number):
        """Scene `number` of the stream; `things` are class numbers, the mask holds class number + 1."""
        rng = np.random.default_rng((*self.stream, number))
        side = self.side
        scrap = self.pictures[rng.integers(len(self.pictures))]
        edge = int(rng.integers(6, 17))  # too little of it to tell what it shows
        top, left = rng.integers(SIDE - edge + 1, size=2)
        scrap = Image.fromarray(scrap[top:top + edge, left:left + edge])
        canvas = np.asarray(scrap.resize((side, side), Image.BICUBIC)).astype(np.float32)
        mask = np.zeros((side, side), np.uint8)
        things = []
        for row, column, size in self._places(rng, 1 + int(rng.integers(4))):
            chosen = int(rng.integers(len(self.pictures)))
            picture = Image.fromarray(self.pictures[chosen])
            x0, y0, x1, y1 = (int(v) for v in self.boxes[chosen])
            if rng.random() < 0.5:
                picture, x0, x1 = picture.transpose(Image.FLIP_LEFT_RIGHT), SIDE - 1 - x1, SIDE - 1 - x0
            canvas[row:row + size, column:column + size] = np.asarray(picture.resize((size, size), Image.BICUBIC))
            scale = size / SIDE
            mask[row:row + size, column:column + size] = 0
            mask[row + int(y0 * scale):row + int((y1 + 1) * scale),
                 column + int(x0 * scale):column + int((x1 + 1) * scale)] = self.labels[chosen] + 1
            things.append(int(self.labels[chosen]))
        return Scene(finish(rng, canvas), mask, sorted(set(things)))

    def _places(self, rng, count):
        """Top, left and size of `count` squares that do not overlap."""
        side = self.side
        if count == 1:
            size = int(rng.uniform(0.5, 1.0) * side)
            return [(*(int(v) for v in rng.integers(side - size + 1, size=2)), size)]
        half = side // 2
        places = []
        for quarter in rng.permutation(4)[:count]:
            size = int(rng.uniform(0.6, 1.0) * half)
            row, column = (int(v) for v in rng.integers(half - size + 1, size=2))
            places.append((row + half * int(quarter // 2), column + half * int(quarter % 2), size))
        return places
