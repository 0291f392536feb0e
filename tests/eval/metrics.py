"""The metrics once more, from their definitions, with numpy: what test_metrics.c compares with.

metrics.py FOLDER reads FOLDER/cases.raw and writes FOLDER/results.raw (doubles).
Each figure is computed the slow and plain way: one comparison for each threshold, one mask for each class.
"""

import struct
import sys

import numpy as np

STEPS = np.arange(100) / 100


def iou(mask, truth):
    """Of a mask with the foreground; unknown pixels (2) are in neither."""
    known = truth != 2
    both = (mask & (truth == 1) & known).sum()
    either = ((mask | (truth == 1)) & known).sum()
    return both / either if either else 0.0


def otsu(values):
    """Otsu's threshold over 256 bins of 0..1: the first that makes the variance between the parts largest."""
    bins = np.minimum((values.astype(np.float64) * 256).astype(int), 255)
    best, threshold = 0.0, None
    for edge in range(1, 256):
        low, high = bins[bins < edge], bins[bins >= edge]
        if len(low) and len(high):
            between = float(len(low)) * float(len(high)) * (low.mean() - high.mean()) ** 2
            if between > best * (1 + 1e-12):
                best, threshold = between, edge
    return bins >= threshold if threshold else np.zeros(len(values), bool)


def macro(values, labels, classes, by_class):
    """Mean in per cent of the values that are numbers."""
    values, labels = np.asarray(values), np.asarray(labels)
    there = ~np.isnan(values)
    if not by_class:
        return 100 * values[there].mean()
    means = [values[there & (labels == c)].mean() for c in range(classes) if (there & (labels == c)).any()]
    return 100 * np.mean(means)


def average_precision(scores, positive):
    """Mean precision at the ranks of the positives; equal scores in the order given."""
    keep = positive != 2
    order = np.argsort(-scores[keep], kind="stable")
    hits = positive[keep][order] == 1
    if not hits.any():
        return np.nan
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return precision[hits].mean()


class Reader:
    """Numbers from a file, one after the other."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes, self.at = file.read(), 0

    def take(self, dtype, count):
        values = np.frombuffer(self.bytes, dtype, count, self.at)
        self.at += values.nbytes
        return values

    def number(self):
        return int(self.take("<u8", 1)[0])


def samples(read, out):
    """Totals of maps in every way of choosing thresholds and averaging."""
    count, classes = read.number(), read.number()
    labels, maps, truths = [], [], []
    for _ in range(count):
        label, pixels = read.number(), read.number()
        labels.append(label)
        maps.append(read.take("<f4", pixels).astype(np.float64))
        truths.append(read.take("u1", pixels))
    on = np.array([(t == 1).any() for t in truths])
    curve = np.array([[iou(m > t, g) for t in STEPS] if has else np.full(100, np.nan)
                      for m, g, has in zip(maps, truths, on)])
    contrast = [m[g == 1].mean() - m[g == 0].mean() if (g == 1).any() and (g == 0).any() else np.nan
                for m, g in zip(maps, truths)]
    everything = [(g == 1).sum() / (g != 2).sum() if has else np.nan for g, has in zip(truths, on)]
    for by_class in (True, False):
        totals = np.array([macro(curve[:, k], labels, classes, by_class) for k in range(100)])
        best = int(np.argmax(totals))
        per_class = np.array(curve[:, 0])
        for c in range(classes):
            rows = [i for i in range(count) if labels[i] == c and on[i]]
            if rows:
                per_class[rows] = curve[rows, int(np.argmax(curve[rows].sum(axis=0)))]
        ways = [curve[:, best], per_class, curve.max(axis=1),
                [iou(otsu(m), g) if has else np.nan for m, g, has in zip(maps, truths, on)],
                [iou(m > m.mean(), g) if has else np.nan for m, g, has in zip(maps, truths, on)],
                curve[:, 37]]
        out += [macro(way, labels, classes, by_class) for way in ways]
        out += [macro(contrast, labels, classes, by_class), macro(everything, labels, classes, by_class), best]


def confusion(read, out):
    """IoU of every class, their mean, the share of right pixels."""
    classes, pixels = read.number(), read.number()
    truth, predicted = read.take("<u2", pixels), read.take("<u2", pixels)
    known = truth < classes
    ious = []
    for c in range(classes):
        a, b = (truth == c) & known, (predicted == c) & known
        ious.append(100 * (a & b).sum() / (a | b).sum() if (a | b).any() else np.nan)
    out += [*ious, np.nanmean(ious), 100 * (truth == predicted)[known].mean()]


def ranking(read, out):
    """Average precision."""
    count = read.number()
    scores = read.take("<f4", count)
    out.append(average_precision(scores, read.take("u1", count)))


def share(read, out):
    """FSR and the distance of a map from zero."""
    count = read.number()
    values, truth = read.take("<f4", count).astype(np.float64), read.take("u1", count)
    out += [values[truth == 1].sum() / values[truth != 2].sum(), np.abs(values).mean()]


def main():
    """Every case of the file, in order."""
    read, out = Reader(sys.argv[1] + "/cases.raw"), []
    kinds = [samples, confusion, ranking, share]
    while read.at < len(read.bytes):
        kinds[read.number()](read, out)
    with open(sys.argv[1] + "/results.raw", "wb") as file:
        file.write(struct.pack(f"<{len(out)}d", *out))


main()
