"""The tasks once more, from their definitions, with numpy in double precision: what the tests compare with.

tasks.py segment WIDTH HEIGHT SCALE   scores.npy [T, h, w] -> enlarged.npy [T, HEIGHT, WIDTH],
                                      probability.npy [HEIGHT, WIDTH] of the best class
tasks.py recognise SCALE TAU          token.npy [C], labels.npy [T, C], empty.npy [C] -> scores.npy [5, T]:
                                      cosine, softmax, surgery (code, paper), share against the empty string
tasks.py points THRESHOLD WIDTH HEIGHT  scores.npy [T, h, w] -> points.npy [N, 3] of all T texts combined: x, y, positive
tasks.py caption MODEL                ids.npy [context] -> features.npy [context, C] of every place, of unit length
Arrays are read and written in the current folder.
"""

import os
import sys

import numpy as np

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))

from containers import read_safetensors
from reference import Clip, unit


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


def recognise(scale, tau):
    scale, tau = float(scale), float(tau)
    token, labels, empty = read("token.npy"), read("labels.npy"), read("empty.npy")
    token /= np.linalg.norm(token)
    cosines = labels @ token
    weights = len(labels) * softmax(tau * cosines, 0)
    redundant = (weights[:, None] * labels).mean(0)
    if len(labels) == 1:
        code = paper = (labels - empty) @ token
    else:
        code = (weights[:, None] * labels - redundant) @ token
        paper = (labels - redundant) @ token
    pairs = softmax(scale * np.stack([cosines, np.full_like(cosines, empty @ token)]), 0)
    write("scores.npy", np.stack([cosines, softmax(scale * cosines, 0), code, paper, pairs[0]]))


def scaled(values):
    return (values - values.min()) / (values.max() - values.min())


def ranked(scores, threshold, width, height):
    """Cells at half the size as (x, y), the lowest first, and how many of each kind count."""
    rows, columns = max(scores.shape[0] // 2, 1), max(scores.shape[1] // 2, 1)
    halved = scaled(bilinear(rows, scores.shape[0]) @ scores @ bilinear(columns, scores.shape[1]).T).ravel()
    number = min((halved >= threshold).sum(), halved.size // 2)
    order = np.argsort(halved, kind="stable")
    xs = np.minimum((order % columns + 0.5) * width / columns, width - 1).astype(int)
    ys = np.minimum((order // columns + 0.5) * height / rows, height - 1).astype(int)
    return list(zip(xs, ys)), number


def points(threshold, width, height):
    scores = read("scores.npy")
    threshold, width, height = float(threshold), int(width), int(height)
    mean = np.mean([scaled(one) for one in scores], 0)
    places, number = ranked(mean, threshold, width, height)
    found = [(x, y, 0) for x, y in places[:number]]
    for one in scores:
        places, number = ranked(one, threshold, width, height)
        found += [(x, y, 1) for x, y in places[len(places) - number:]]
    write("points.npy", np.array(found, np.float64).reshape(-1, 3))


def caption(model):
    write("features.npy", unit(Clip(read_safetensors(model)).encode_places(read("ids.npy").astype(int)[None])[0]))


{"caption": caption, "points": points, "segment": segment, "recognise": recognise}[sys.argv[1]](*sys.argv[2:])
