"""A pool of composed scenes on disk, kept fresh by a process of its own.

The trainer draws scenes from the pool and counts them; the composer replaces the oldest ones so that
every scene is drawn about REUSE times.  Composing then costs little beside training.
"""

import multiprocessing
import os
import time

import numpy as np

from backgrounds import load_wallpapers
from compose import Composer
from cutouts import CutOuts
from photographs import Collage, decode

REUSE = 8
COLLAGES = 8  # every so manieth scene is a collage of photographs
SIDE = 112
MASK_SIDE = 56
THINGS = 4


class Pool:
    """The shared arrays: pictures, the numbers of their things (-1 for none), boxes, and two counters.

    A box (left, top, right, bottom, as shares of the picture) is around all things of a picture; a mask
    holds 0 for background and i for the i-th thing of the picture's row.
    """

    def __init__(self, folder, size):
        os.makedirs(folder, exist_ok=True)
        self.size = size
        self.pictures = self._map(folder, "pictures.u8", np.uint8, (size, SIDE, SIDE, 3))
        self.things = self._map(folder, "things.i16", np.int16, (size, THINGS))
        self.boxes = self._map(folder, "boxes.f32", np.float32, (size, 4))
        self.masks = self._map(folder, "masks.u8", np.uint8, (size, MASK_SIDE, MASK_SIDE))
        self.counters = self._map(folder, "counters.i64", np.int64, (2,))  # composed, drawn

    @staticmethod
    def _map(folder, name, kind, shape):
        path = os.path.join(folder, name)
        wanted = int(np.prod(shape)) * np.dtype(kind).itemsize
        fresh = not os.path.exists(path) or os.path.getsize(path) != wanted
        return np.memmap(path, kind, "w+" if fresh else "r+", shape=shape)

    def filled(self):
        """How many scenes can be drawn."""
        return int(min(self.counters[0], self.size))

    def draw(self, rng, count, single=False):
        """Pictures, things, boxes and masks of some random scenes; with `single` of those that hold one thing."""
        if single:
            chosen = np.sort(rng.choice(np.flatnonzero(self.things[:self.filled(), 1] < 0), count))
        else:
            chosen = np.sort(rng.integers(self.filled(), size=count))
        self.counters[1] += count
        return self.pictures[chosen], self.things[chosen], self.boxes[chosen], self.masks[chosen]


def box_around(mask):
    """The box around everything in a mask, as shares of its size; all of it if the mask is empty."""
    if not mask.any():
        return np.array([0.0, 0.0, 1.0, 1.0])
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) / len(mask)


def compose_forever(folder, size, options, names, parent):
    """Fill the pool from where it was left, and go on as scenes are drawn, while the parent lives."""
    os.nice(5)
    pool = Pool(folder, size)
    cutouts = CutOuts(os.path.join(options.work, "cutouts.npz"))
    scenes = Composer(cutouts, load_wallpapers(), SIDE, "train", options.seed)
    collages = Collage(*decode(options.photographs, "train", options.work), SIDE, options.seed) if options.photographs else None
    while os.getppid() == parent:
        number = int(pool.counters[0])
        if number >= size and number > size + pool.counters[1] / REUSE:
            time.sleep(0.2)
            continue
        if collages and number % COLLAGES == 0:
            scene, table = collages.scene(number), names.of_class
        else:
            scene, table = scenes.scene(number), names.of_thing
        place = number % size
        pool.pictures[place] = scene.picture
        pool.things[place] = -1
        pool.things[place, :len(scene.things)] = table[scene.things]
        pool.boxes[place] = box_around(scene.mask)
        small = scene.mask[::SIDE // MASK_SIDE, ::SIDE // MASK_SIDE]
        pool.masks[place] = sum((small == thing + 1) * (i + 1) for i, thing in enumerate(scene.things))
        pool.counters[0] = number + 1


def start(folder, size, options, names):
    """Start the composer and wait for the first scenes."""
    pool = Pool(folder, size)
    process = multiprocessing.get_context("fork").Process(
        target=compose_forever, args=(folder, size, options, names, os.getpid()), daemon=True)
    process.start()
    while pool.filled() < min(size, 4000):
        time.sleep(0.5)
    return pool
