"""The cut-outs: pictures of named things with alpha, read from installed packages.

`names.txt` says which pictures show which thing.  They are scaled to at most SIDE pixels, cropped to
what is visible, and kept in one cache file, because drawing the vector pictures takes a while.
"""

import glob
import hashlib
import os
import subprocess
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Image.MAX_IMAGE_PIXELS = 400_000_000  # some clip art is drawn very large; the packages are trusted
SIDE = 160
STAMPS = "/usr/share/tuxpaint/stamps"
CLIPART = "/usr/share/openclipart/png"
EMOJI_FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
EMOJI_SIZE = 109  # the only size that the bitmap font holds
NAMES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "names.txt")


def read_names(path=NAMES):
    """Return [(name, [source, ...]), ...] in the file's order."""
    things = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            line = line.strip()
            if line and not line.startswith("#"):
                name, sources = line.split(" = ")
                things.append((name, sources.split()))
    return things


def held_out(name, count):
    """Which of a thing's cut-outs are never seen in training: a quarter, at least one if it has two.

    The choice depends on the name alone, so that adding a thing changes no other.
    """
    if count < 2:
        return frozenset()
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    order = np.random.default_rng(seed).permutation(count)
    return frozenset(int(i) for i in order[: max(1, count // 4)])


def _draw_vector(path):
    """Draw an SVG file with librsvg's command."""
    size = str(2 * SIDE)
    drawn = subprocess.run(["rsvg-convert", "-w", size, "-h", size, "-a", path],
                           check=True, capture_output=True)
    return Image.open(BytesIO(drawn.stdout))


def _draw_emoji(code):
    """Draw one character of the colour emoji font."""
    font = ImageFont.truetype(EMOJI_FONT, EMOJI_SIZE)
    picture = Image.new("RGBA", (160, 160), (0, 0, 0, 0))
    ImageDraw.Draw(picture).text((10, 10), chr(int(code, 16)), font=font, embedded_color=True)
    return picture


def _open_source(source):
    """Open the one picture that a source of `names.txt` stands for."""
    kind, where = source.split(":", 1)
    if kind == "e":
        return _draw_emoji(where)
    if kind == "c":
        found = glob.glob(os.path.join(CLIPART, where + ".png"))
    elif kind == "s":
        found = [p for p in sorted(glob.glob(os.path.join(STAMPS, where + ".*")))
                 if p.endswith((".png", ".svg"))]
    else:
        raise ValueError(f"unknown kind of source: {source}")
    if not found:
        raise FileNotFoundError(f"no picture for {source}; are the packages installed?")
    return _draw_vector(found[0]) if found[0].endswith(".svg") else Image.open(found[0])


def load_source(source):
    """Return a source as an RGBA array, cropped to what is visible, at most SIDE pixels wide and high."""
    picture = _open_source(source).convert("RGBA")
    box = picture.getchannel("A").point(lambda a: 255 if a > 16 else 0).getbbox()
    if box is None:
        raise ValueError(f"{source} is empty")
    picture = picture.crop(box)
    picture.thumbnail((SIDE, SIDE), Image.LANCZOS)
    return np.asarray(picture)


class CutOuts:
    """All cut-outs by name, with the split into seen and held-out ones."""

    def __init__(self, cache, names=NAMES, only=None):
        """Read the cut-outs; `cache` is a file that is written on the first use; `only`: of these names alone."""
        things = read_names(names)
        if only:
            missing = set(only) - {name for name, _ in things}
            if missing:
                raise ValueError(f"no such name: {', '.join(sorted(missing))}; {names} lists them")
            things = [thing for thing in things if thing[0] in only]
        self.names = [name for name, _ in things]
        wanted = [source for _, sources in things for source in sources]
        pictures = self._from_cache(cache, wanted) or self._draw(cache, wanted)
        self.pictures, self.train, self.heldout = [], [], []
        first = 0
        for name, sources in things:
            own = pictures[first:first + len(sources)]
            first += len(sources)
            held = held_out(name, len(own))
            self.pictures.append(own)
            self.train.append([i for i in range(len(own)) if i not in held])
            # a thing with a single cut-out has no other to show
            self.heldout.append(sorted(held) if held else [0])

    @staticmethod
    def _from_cache(cache, wanted):
        if not os.path.exists(cache):
            return None
        with np.load(cache) as file:
            if file["sources"].tolist() != wanted:
                return None
            pixels, shapes = file["pixels"], file["shapes"]
        pictures, at = [], 0
        for height, width in shapes:
            size = int(height) * int(width) * 4
            pictures.append(pixels[at:at + size].reshape(height, width, 4))
            at += size
        return pictures

    @staticmethod
    def _draw(cache, wanted):
        pictures = [load_source(source) for source in wanted]
        os.makedirs(os.path.dirname(os.path.abspath(cache)), exist_ok=True)
        np.savez(cache, sources=np.array(wanted), shapes=np.array([p.shape[:2] for p in pictures]),
                 pixels=np.concatenate([p.reshape(-1) for p in pictures]))
        return pictures
