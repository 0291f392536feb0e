"""What scenes stand on: wallpapers that hold none of the named things, and drawn textures."""

import glob
import os

import numpy as np
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
SHORT_SIDE = 320  # wallpapers are kept at this size; crops of them are what is used


def load_wallpapers(listing=os.path.join(HERE, "backgrounds.txt"), root="/usr/share"):
    """Read the listed wallpapers that are installed, scaled down, as RGB arrays."""
    wallpapers = []
    with open(listing, encoding="utf-8") as lines:
        patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    for pattern in patterns:
        for path in sorted(glob.glob(os.path.join(root, pattern))):
            picture = Image.open(path).convert("RGB")
            scale = SHORT_SIDE / min(picture.size)
            size = tuple(max(SHORT_SIDE, round(side * scale)) for side in picture.size)
            wallpapers.append(np.asarray(picture.resize(size, Image.BILINEAR, reducing_gap=2.0)))
    if not wallpapers:
        raise FileNotFoundError("none of the wallpapers is installed; see backgrounds.txt")
    return wallpapers


def _crop(rng, wallpapers, side):
    """A random square of a random wallpaper."""
    source = wallpapers[rng.integers(len(wallpapers))]
    height, width = source.shape[:2]
    edge = int(rng.integers(side, min(height, width) + 1)) if min(height, width) > side else min(height, width)
    top, left = rng.integers(height - edge + 1), rng.integers(width - edge + 1)
    crop = Image.fromarray(source[top:top + edge, left:left + edge])
    if rng.random() < 0.5:
        crop = crop.transpose(Image.FLIP_LEFT_RIGHT)
    return np.asarray(crop.resize((side, side), Image.BILINEAR, reducing_gap=2.0)).astype(np.float32)


def _colours(rng, count):
    """Random colours, sometimes pale or grey."""
    colours = rng.uniform(0, 255, (count, 3))
    if rng.random() < 0.3:
        colours = 255 - (255 - colours) * rng.uniform(0.1, 0.6)
    if rng.random() < 0.2:
        colours = np.repeat(colours.mean(axis=1, keepdims=True), 3, axis=1)
    return colours.astype(np.float32)


def _plane(rng, side):
    """A linear ramp in a random direction, scaled to [0, 1]."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    ramp = x * np.cos(angle) + y * np.sin(angle)
    return (ramp - ramp.min()) / np.ptp(ramp)


def _noise(rng, side):
    """Smooth noise of several octaves, scaled to [0, 1]."""
    field = np.zeros((side, side), np.float32)
    first = int(rng.integers(0, 4))
    for octave in range(first, first + 4):
        cells = 2 ** (octave + 1)
        small = Image.fromarray(rng.uniform(0, 1, (cells, cells)).astype(np.float32))
        field += np.asarray(small.resize((side, side), Image.BICUBIC)) / 2 ** (octave - first)
    return (field - field.min()) / (np.ptp(field) + 1e-6)


def _texture(rng, side):
    """Stripes, checks, noise, gradients or plain colour between two colours."""
    first, second = _colours(rng, 2)
    kind = rng.integers(5)
    if kind == 0:
        field = _plane(rng, side)
    elif kind == 1:
        field = _noise(rng, side)
    elif kind == 2:
        field = 0.5 + 0.5 * np.sin(_plane(rng, side) * rng.uniform(10, 120))
    elif kind == 3:
        bands = rng.uniform(4, 24)
        field = (np.floor(_plane(rng, side) * bands) + np.floor(_plane(rng, side) * bands)) % 2
    else:
        field = np.full((side, side), 0.5, np.float32)
    if rng.random() < 0.5:
        field = np.clip(field + rng.uniform(0.1, 0.6) * (_noise(rng, side) - 0.5), 0, 1)
    return first + (second - first) * field[..., None].astype(np.float32)


def background(rng, wallpapers, side):
    """One background as a float array [side, side, 3] of 0..255; without wallpapers always a drawn one."""
    if rng.random() < 0.5 and wallpapers:
        return _crop(rng, wallpapers, side)
    return _texture(rng, side)
