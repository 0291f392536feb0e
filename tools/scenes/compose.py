"""Composing scenes: 1-4 cut-outs pasted on a background, with the exact mask of every thing.

A scene is a pure function of the seed and its number, so that any scene can be made again.
"""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, ImageFilter

from backgrounds import background

COUNTS = (0.35, 0.35, 0.2, 0.1)  # how often a scene has 1, 2, 3, 4 things
MIN_VISIBLE = 0.35  # share of a thing that must stay uncovered


@dataclass
class Scene:
    """A picture [S, S, 3], its mask [S, S] of thing numbers + 1 (0 is background), the things' numbers."""

    picture: np.ndarray
    mask: np.ndarray
    things: list


def _transformed(rng, picture, side, limit):
    """A cut-out of about `side` pixels, at most `limit` long, turned, mirrored and lit, as RGBA."""
    cut = Image.fromarray(picture)
    if rng.random() < 0.5:
        cut = cut.transpose(Image.FLIP_LEFT_RIGHT)
    width, height = cut.size
    # sizes even out on the square root of the area; stretched a little to vary the shape
    scale = min(side / np.sqrt(width * height), 0.98 * limit / max(width, height))
    stretch = np.exp(rng.uniform(-0.18, 0.18))
    size = (max(4, round(width * scale * stretch)), max(4, round(height * scale / stretch)))
    cut = cut.resize(size, Image.BILINEAR, reducing_gap=2.0)
    angle = rng.uniform(-180, 180) if rng.random() < 0.05 else rng.normal(0, 12)
    cut = cut.rotate(angle, Image.BILINEAR, expand=True)
    pixels = np.asarray(cut).astype(np.float32)
    colour = pixels[..., :3]
    # light, not paint: a lime under warm light is no lemon yet
    colour = colour * rng.uniform(0.75, 1.2) + rng.uniform(-15, 15)
    if rng.random() < 0.5:
        colour = colour * rng.uniform(0.88, 1.12, 3).astype(np.float32)
    if rng.random() < 0.15:
        grey = colour.mean(axis=2, keepdims=True)
        colour = grey + (colour - grey) * rng.uniform(0.4, 1.3)
    pixels[..., :3] = np.clip(colour, 0, 255)
    return pixels


def _paste(canvas, owner, cut, top, left, number):
    """Blend a cut-out into the canvas and note which pixels it owns; False if nothing of it is inside."""
    side = canvas.shape[0]
    y0, x0 = max(top, 0), max(left, 0)
    y1, x1 = min(top + cut.shape[0], side), min(left + cut.shape[1], side)
    if y1 <= y0 or x1 <= x0:
        return 0
    part = cut[y0 - top:y1 - top, x0 - left:x1 - left]
    alpha = part[..., 3:] / 255.0
    canvas[y0:y1, x0:x1] += (part[..., :3] - canvas[y0:y1, x0:x1]) * alpha
    owner[y0:y1, x0:x1][alpha[..., 0] > 0.5] = number
    return int((alpha[..., 0] > 0.5).sum())


def finish(rng, canvas):
    """Overall light, blur, noise and JPEG loss."""
    canvas = canvas * rng.uniform(0.8, 1.12) + rng.uniform(-12, 12)
    picture = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))
    if rng.random() < 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.2)))
    if rng.random() < 0.3:
        noisy = np.asarray(picture) + rng.normal(0, rng.uniform(2, 8), canvas.shape)
        picture = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
    if rng.random() < 0.5:
        file = BytesIO()
        picture.save(file, "JPEG", quality=int(rng.integers(35, 96)))
        picture = Image.open(file)
    return np.asarray(picture)


class Composer:
    """Makes scenes of one split."""

    def __init__(self, cutouts, wallpapers, side, split, seed, count=None):
        """`split` is "train" or "heldout": which cut-outs are used, and a different stream of scenes.

        `count`: things in every scene; without it, 1 to 4.
        """
        self.cutouts, self.wallpapers, self.side, self.count = cutouts, wallpapers, side, count
        self.choice = {"train": cutouts.train, "heldout": cutouts.heldout}[split]
        self.stream = (seed, {"train": 0, "heldout": 1}[split])

    def scene(self, number):
        """Scene `number` of the stream."""
        rng = np.random.default_rng((*self.stream, number))
        side = self.side
        canvas = background(rng, self.wallpapers, side)
        owner = np.zeros((side, side), np.uint8)
        count = 1 + int(rng.choice(len(COUNTS), p=COUNTS))
        count = min(self.count or count, len(self.cutouts.names))
        things = [int(i) for i in rng.choice(len(self.cutouts.names), count, replace=False)]
        areas = []
        for place, thing in enumerate(things):
            own = self.choice[thing]
            picture = self.cutouts.pictures[thing][own[rng.integers(len(own))]]
            largest = (0.95, 0.62, 0.52, 0.45)[count - 1]
            cut = _transformed(rng, picture, side * rng.uniform(0.28, largest), side)
            top, left = self._where(rng, cut, owner)
            areas.append(_paste(canvas, owner, cut, top, left, place + 1))
        visible = [int((owner == place + 1).sum()) for place in range(count)]
        kept = [p for p in range(count) if visible[p] > max(12, MIN_VISIBLE * areas[p])]
        if len(kept) < count:
            # one thing hides another: the scene is made again from the next part of its stream
            return self._again(number)
        mask = np.zeros_like(owner)
        for place in kept:
            mask[owner == place + 1] = things[place] + 1
        return Scene(finish(rng, canvas), mask, things)

    def _again(self, number):
        return self.scene(number + 1_000_000_007)

    @staticmethod
    def _where(rng, cut, owner):
        """A place for a cut-out: mostly inside the scene; of three random ones the least covering."""
        side = owner.shape[0]
        best, least = (0, 0), None
        for _ in range(3):
            top, left = (int(np.floor(-0.12 * length + rng.random() * (side - 0.76 * length)))
                         for length in cut.shape[:2])
            under = owner[max(top, 0):top + cut.shape[0], max(left, 0):left + cut.shape[1]]
            covered = int((under > 0).sum())
            if least is None or covered < least:
                best, least = (top, left), covered
        return best
