"""Writes scenes as a data set in the ordinary VOC layout: pictures, palette masks, lists, names, captions.

    JPEGImages/ID.jpg  SegmentationClass/ID.png  ImageSets/Segmentation/SPLIT.txt  classes.txt  captions.tsv

Mask value 0 is background and value i the thing of line i of classes.txt (lines count from 1); 255 is
never used.  Scene ID of a seed and split is always the same picture.
"""

import argparse
import os

import numpy as np
from PIL import Image

from backgrounds import load_wallpapers
from compose import Composer
from cutouts import CutOuts
from photographs import Collage, decode, read_classes
from templates import caption


def voc_palette():
    """VOC's colours for 256 values, as the flat list that a palette picture holds."""
    palette = []
    for value in range(256):
        colour = [0, 0, 0]
        for bit in range(8):
            for channel in range(3):
                colour[channel] |= (value >> channel & 1) << (7 - bit)
            value >>= 3
        palette += colour
    return palette


class VocWriter:
    """Writes one split of a data set."""

    def __init__(self, folder, split, classes):
        self.folder, self.classes = folder, classes
        self.palette = voc_palette()
        for part in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
            os.makedirs(os.path.join(folder, part), exist_ok=True)
        with open(os.path.join(folder, "classes.txt"), "w", encoding="utf-8") as file:
            file.write("".join(name + "\n" for name in classes))
        self.list = open(os.path.join(folder, "ImageSets/Segmentation", split + ".txt"), "w", encoding="utf-8")
        self.captions = open(os.path.join(folder, f"captions-{split}.tsv"), "w", encoding="utf-8")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.list.close()
        self.captions.close()

    def write(self, name, scene, text):
        """Write one scene."""
        picture = Image.fromarray(scene.picture)
        picture.save(os.path.join(self.folder, "JPEGImages", name + ".jpg"), quality=95, subsampling=0)
        mask = Image.frombytes("P", scene.mask.shape[::-1], scene.mask.tobytes())
        mask.putpalette(self.palette)
        mask.save(os.path.join(self.folder, "SegmentationClass", name + ".png"))
        self.list.write(name + "\n")
        self.captions.write(f"{name}\t{text}\n")


def main():
    """Generate from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="folder of the data set")
    parser.add_argument("--split", choices=("train", "heldout"), default="heldout",
                        help="which cut-outs are used; the held-out ones are never seen in training")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--size", type=int, default=224, help="side of the pictures in pixels")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", help="these names alone, with commas")
    parser.add_argument("--things", type=int, choices=(1, 2, 3, 4), help="things in every scene; without it, 1 to 4")
    parser.add_argument("--drawn", action="store_true", help="drawn backgrounds alone, no wallpapers")
    parser.add_argument("--cache", help="file that keeps the drawn cut-outs (OUT/cutouts.npz)")
    parser.add_argument("--photographs", help="folder of the Tiny-ImageNet pictures: paste those, with boxes as masks")
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    if options.photographs:
        part = {"train": "train", "heldout": "val"}[options.split]
        source = Collage(*decode(options.photographs, part, options.out), options.size, options.seed)
        classes = [synonyms[0] for synonyms in read_classes(options.photographs)]
    else:
        only = [name.strip() for name in options.only.split(",")] if options.only else None
        cutouts = CutOuts(options.cache or os.path.join(options.out, "cutouts.npz"), only=only)
        wallpapers = [] if options.drawn else load_wallpapers()
        source = Composer(cutouts, wallpapers, options.size, options.split, options.seed, options.things)
        classes = cutouts.names
    rng = np.random.default_rng((options.seed, 3))
    with VocWriter(options.out, options.split, classes) as writer:
        for number in range(options.count):
            scene = source.scene(number)
            writer.write(f"{options.split}_{number:06d}", scene, caption(rng, [classes[i] for i in scene.things]))


if __name__ == "__main__":
    main()
