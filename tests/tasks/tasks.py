"""The tasks once more, from their definitions, with numpy in double precision: what the tests compare with.

tasks.py segment WIDTH HEIGHT SCALE   scores.npy [T, h, w] -> enlarged.npy [T, HEIGHT, WIDTH],
                                      probability.npy [HEIGHT, WIDTH] of the best class
Arrays are read and written in the current folder.
"""

import sys

import numpy as np


def read(name):
    return np.load(name).astype(np.float64)


def write(name, values):
    np.save(name, np.ascontiguousarray(values, np.float32))


def softmax(values, axis):
    powers = np.exp(values - values.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def bilinear(out, size):
    """[out, size]: what each of `out` values takes of `size`; half-pixel centres, clamped at the borders."""
    matrix = np.zeros((out, size))
    for i in range(out):
        at = max((i + 0.5) * size / out - 0.5, 0)
        low = min(int(at), size - 1)
        matrix[i, low] += 1 - (at - low)
        matrix[i, min(low + 1, size - 1)] += at - low
    return matrix


def segment(width, height, scale):
    scores = read("scores.npy")
    across, down = bilinear(int(width), scores.shape[2]), bilinear(int(height), scores.shape[1])
    enlarged = np.einsum("yh,xw,thw->tyx", down, across, scores)
    write("enlarged.npy", enlarged)
    write("probability.npy", softmax(float(scale) * enlarged, 0).max(0))


{"segment": segment}[sys.argv[1]](*sys.argv[2:])
