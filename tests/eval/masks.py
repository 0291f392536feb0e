"""COCO's run lengths and polygons once more, with numpy: what test_masks.c compares with.

masks.py FOLDER reads FOLDER/masks.raw, compares, and fails where something differs.

Polygons: every edge is laid over a grid five times as fine, one point for each step of its longer axis, counted from
the end that is lower on that axis; other coordinates and corners are rounded by adding a half and cutting off. Where
two neighbouring points lie on both sides of the fine column in the middle of a pixel's five, the boundary crosses that
column of pixels above the first row whose middle is not above the point. A pixel is inside if an odd number of
crossings lies above or at it. Text: see `rle`.
"""

import struct
import sys

import numpy as np


def trunc(values):
    """Adds a half and cuts off, also for negative numbers."""
    return np.trunc(np.asarray(values, np.float64) + 0.5).astype(np.int64)


def boundary(corners):
    """All points of the fine grid along a closed polygon, in order."""
    points = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0)):
        longer = 0 if abs(end[0] - start[0]) >= abs(end[1] - start[1]) else 1
        low, high = (start, end) if start[longer] <= end[longer] else (end, start)
        steps = np.arange(high[longer] - low[longer] + 1)
        slope = (high[1 - longer] - low[1 - longer]) / max(1, high[longer] - low[longer])
        edge = np.empty((len(steps), 2), np.int64)
        edge[:, longer] = low[longer] + steps
        edge[:, 1 - longer] = trunc(low[1 - longer] + slope * steps)
        points.append(edge if low is start else edge[::-1])
    return np.concatenate(points)


def polygon(corners, width, height):
    """Mask [height, width] of one polygon."""
    points = boundary(trunc(5 * corners))
    before, after = points[:-1], points[1:]
    left = np.minimum(before[:, 0], after[:, 0])
    top = np.minimum(before[:, 1], after[:, 1])
    crossing = (before[:, 0] != after[:, 0]) & (left % 5 == 2) & (left >= 0) & (left // 5 < width)
    columns, rows = left[crossing] // 5, np.clip(-((2 - top[crossing]) // 5), 0, height)
    # one more crossing from that row on: a column that is left open stays so into those after it
    flips = np.zeros(width * height + 1, np.int64)
    np.add.at(flips, columns * height + rows, 1)
    return (np.cumsum(flips[:-1]) % 2).reshape(width, height).T.astype(np.uint8)


def rle(mask):
    """COCO's compressed text: runs down the columns, off first; the fourth and later ones less the one before last;
    then groups of five bits, the lowest first, as long as the rest is not the sign alone."""
    flat = mask.T.reshape(-1)
    ends = np.flatnonzero(np.diff(flat)) + 1
    lengths = np.diff(np.concatenate([[0], ends, [flat.size]])).tolist()
    if flat[0]:
        lengths = [0] + lengths
    text = ""
    for i, length in enumerate(lengths):
        number = length - (lengths[i - 2] if i > 2 else 0)
        while True:
            group, number = number & 31, number >> 5
            last = number == (-1 if group & 16 else 0)
            text += chr(48 + group + (0 if last else 32))
            if last:
                break
    return text


def main():
    with open(f"{sys.argv[1]}/masks.raw", "rb") as file:
        data = file.read()
    at = count = 0
    while at < len(data):
        width, height, corners, length = struct.unpack_from("<4Q", data, at)
        at += 32
        points = np.frombuffer(data, np.float64, 2 * corners, at).reshape(-1, 2)
        at += 16 * corners
        mask = np.frombuffer(data, np.uint8, width * height, at).reshape(height, width)
        at += width * height
        text = data[at : at + length].decode("ascii")
        at += length
        if corners:
            wanted = polygon(points, width, height)
            if (wanted != mask).any():
                sys.exit(f"case {count}: {width} x {height}, {points.tolist()}: {(wanted != mask).sum()} pixels differ")
        if rle(mask) != text:
            sys.exit(f"case {count}: expected the text {rle(mask)!r}, found {text!r}")
        count += 1
    print(f"{count} cases agree")


if __name__ == "__main__":
    main()
