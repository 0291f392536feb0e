"""What `lancet eval` reports, once more from its definitions, with numpy: what test_eval.c compares with.

protocols.py LANCET MODEL FOLDER: FOLDER holds the data set (set/images, set/classes.txt), its masks as raw bytes
(truth/NAME.HEIGHTxWIDTH) and a report of each protocol (out/PROTOCOL/report.json). Tokens, attention and the texts'
features are those that `lancet features` and `lancet text` write; maps, scores, points, label maps and every figure
are computed here, the slow and plain way.
"""

import json
import pathlib
import struct
import subprocess
import sys

import numpy as np

LANCET, MODEL, FOLDER = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
CLASSES = [line.split(",")[0].strip() for line in (FOLDER / "set/classes.txt").read_text().splitlines()]
NONE, IGNORE = 0, 255


def lancet(*arguments):
    subprocess.run([LANCET, *map(str, arguments), "-m", MODEL, "-q"], check=True)


def tensor(path, name):
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    entry = json.loads(raw[8 : 8 + size])[name]
    begin, end = entry["data_offsets"]
    return np.frombuffer(raw[8 + size + begin : 8 + size + end], np.float32).reshape(entry["shape"]).astype(np.float64)


def bank():
    """Features of the classes, and of the empty string through the templates, which a bank of one text holds."""
    path = FOLDER / "bank.safetensors"
    lancet("text", CLASSES[0], "-o", path)
    empty = tensor(path, "empty")[0]
    lancet("text", *CLASSES, "-o", path)
    return tensor(path, "features"), empty


def features(picture, *options):
    lancet("features", picture, "-o", FOLDER / "x.npy", "--ignore-orientation", *options)
    return np.load(FOLDER / "x.npy").astype(np.float64)


def tokens(picture, path):
    found = features(picture, "--path", path)[0]
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def surgery(all_tokens, texts, tau=2.0):
    """Feature surgery over a label set in the published code's form."""
    s = np.exp(tau * (all_tokens[0] @ texts.T))
    w = len(texts) * s / s.sum()
    redundant = (w[:, None] * texts).mean(axis=0)
    return all_tokens @ (w[:, None] * texts - redundant).T


def enlarge(grid, height, width):
    """Bilinear with half-pixel centres."""

    def places(count, into):
        at = np.maximum((np.arange(into) + 0.5) * count / into - 0.5, 0)
        low = np.minimum(np.floor(at).astype(int), count - 1)
        return low, np.minimum(low + 1, count - 1), at - low

    y0, y1, dy = places(grid.shape[0], height)
    x0, x1, dx = places(grid.shape[1], width)
    rows = grid[y0] * (1 - dy)[:, None] + grid[y1] * dy[:, None]
    return rows[:, x0] * (1 - dx) + rows[:, x1] * dx


def scale(values):
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def class_mean(samples):
    """100 times the mean over classes of the mean over samples; samples: (class, value), NaN left out."""
    by_class = {}
    for label, value in samples:
        if not np.isnan(value):
            by_class.setdefault(label, []).append(value)
    return 100 * np.mean([np.mean(values) for values in by_class.values()])


def average_precision(scores, positive):
    hits = positive[np.argsort(-scores, kind="stable")]
    return (np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean()


class Picture:
    def __init__(self, mask_path, texts, empty):
        name, _, size = mask_path.name.partition(".")
        self.height, self.width = map(int, size.split("x"))
        self.mask = np.frombuffer(mask_path.read_bytes(), np.uint8).reshape(self.height, self.width)
        self.present = [c for c in range(len(CLASSES)) if (self.mask == c + 1).any()]
        self.path = FOLDER / "set/images" / (name + ".png")
        plain, operated = tokens(self.path, "plain"), tokens(self.path, "surgery")
        self.scores = {"clip": plain @ texts.T, "architecture": operated @ texts.T, "surgery": surgery(operated, texts)}
        self.empty = {"clip": plain @ empty, "surgery": operated @ empty}
        self.pointed = {"clip": plain @ texts.T, "surgery": operated @ (texts - empty).T}
        self.attention = {
            "clip": features(self.path, "--attention", "raw", "--mean-heads")[0],
            "surgery": features(self.path, "--attention", "values", "--mean-heads")[0],
        }
        self.side = int(round((len(plain) - 1) ** 0.5))

    def grid(self, scores):
        return scores[1:].reshape(self.side, self.side)

    def truth(self, label):
        """Foreground, background."""
        known = self.mask != IGNORE
        return known & (self.mask == label + 1), known & (self.mask != label + 1)


def explainability(pictures, method):
    ious = [[] for _ in range(100)]
    contrasts, everything = [], []
    for p in pictures:
        for label in p.present:
            on, off = p.truth(label)
            m = np.float32(enlarge(scale(p.grid(p.scores[method][:, label])), p.height, p.width))
            for k in range(100):
                found = m > k / 100
                ious[k].append((label, (found & on).sum() / ((found & off) | on).sum()))
            everything.append((label, on.sum() / (on | off).sum()))
            contrasts.append((label, m[on].mean(dtype=np.float64) - m[off].mean(dtype=np.float64) if off.any() else np.nan))
    curve = [class_mean(at) for at in ious]
    return {
        "mIoU": max(curve),
        "mSC": class_mean(contrasts),
        "mIoU of everything": class_mean(everything),
        "samples": len(everything),
    }


def segmentation(pictures, method):
    confusion = np.zeros((len(CLASSES), len(CLASSES)))
    for p in pictures:
        maps = np.stack([enlarge(p.grid(p.scores[method][:, c]), p.height, p.width) for c in range(len(CLASSES))])
        found = maps.argmax(axis=0)
        for t in p.present:
            for c in range(len(CLASSES)):
                confusion[t, c] += ((p.mask == t + 1) & (found == c)).sum()
    hit = np.diag(confusion)
    return {"mIoU": 100 * np.mean(hit / (confusion.sum(0) + confusion.sum(1) - hit)), "pixels right": 100 * hit.sum() / confusion.sum()}


def multi_label(pictures, method, score):
    rows = np.stack([p.scores[method][0] for p in pictures])
    if score.startswith("softmax"):
        rows = np.exp(100 * (rows - rows.max(axis=1, keepdims=True)))
        rows /= rows.sum(axis=1, keepdims=True)
    positive = np.array([[c in p.present for c in range(len(CLASSES))] for p in pictures])
    return {"mAP": 100 * np.mean([average_precision(rows[:, c], positive[:, c]) for c in range(len(CLASSES))])}


def points(pictures, method):
    right = {"positive points right": [], "negative points right": []}
    for p in pictures:
        for label in p.present:
            half = scale(enlarge(p.grid(p.pointed[method][:, label]), p.side // 2, p.side // 2))
            order = np.argsort(half.ravel(), kind="stable")
            count = min(int((half >= 0.8).sum()), half.size // 2)
            on, off = p.truth(label)
            for name, cells, good in (("positive points right", order[len(order) - count :], on),
                                      ("negative points right", order[:count], off)):
                y, x = np.divmod(cells, half.shape[1])
                x = np.minimum((x + 0.5) * p.width / half.shape[1], p.width - 1).astype(int)
                y = np.minimum((y + 0.5) * p.height / half.shape[0], p.height - 1).astype(int)
                known = p.mask[y, x] != IGNORE
                right[name].append((label, good[y, x][known].mean() if known.any() else np.nan))
    return {name: class_mean(samples) for name, samples in right.items()}


def fsr(pictures, method):
    samples = []
    for p in pictures:
        for label in p.present:
            token = 1 + p.scores[method][1:, label].argmax()
            row = p.attention[method][token, 1:].reshape(p.side, p.side)
            m = enlarge(row, p.height, p.width)
            on, off = p.truth(label)
            samples.append((label, m[on].sum() / m[on | off].sum()))
    return {"mFSR": class_mean(samples)}


def label_l1(pictures, method):
    names = ("cosines: to the empty string's", "cosines: to 0", "maps: to the empty string's", "maps: to 0")
    samples = {name: [] for name in names}
    for p in pictures:
        scores = p.scores["clip" if method == "clip" else "architecture"]
        empty = p.empty[method][1:]
        for label in p.present:
            cosines = scores[1:, label]
            values = (np.abs(cosines - empty).mean(), np.abs(cosines).mean(),
                      np.abs(scale(cosines) - scale(empty)).mean(), scale(cosines).mean())
            for name, value in zip(names, values):
                samples[name].append((label, value / 100))
    return {name: class_mean(found) for name, found in samples.items()}


def report(protocol):
    return json.loads((FOLDER / "out" / protocol / "report.json").read_text())["tables"]["summary"]


def main():
    texts, empty = bank()
    pictures = [Picture(path, texts, empty) for path in sorted((FOLDER / "truth").iterdir())]
    checks = {
        "explainability": lambda row: explainability(pictures, row["method"]),
        "segmentation": lambda row: segmentation(pictures, row["method"]),
        "multi-label": lambda row: multi_label(pictures, row["method"], row["score"]),
        "points": lambda row: points(pictures, row["method"]),
        "fsr": lambda row: fsr(pictures, row["method"]),
        "label-l1": lambda row: label_l1(pictures, row["method"]),
    }
    # Per cent. The library's scores are floats of 1e-7, which may carry a pixel over a threshold or from one class to
    # the next; a pixel of the smallest thing here is 0.1 % of one sample of dozens.
    limit, wrong, compared, largest = 0.02, 0, 0, 0.0
    for protocol, compute in checks.items():
        for row in report(protocol):
            for name, expected in compute(row).items():
                found = row[name]["value"] if isinstance(row[name], dict) else row[name]
                compared += 1
                largest = max(largest, abs(found - expected))
                if not abs(found - expected) <= limit:
                    wrong += 1
                    print(f"{protocol}, {row['method']}, {name}: expected {expected:.6f}, found {found:.6f}")
    print(f"{compared} figures compared, largest difference {largest:.2g} %")
    return 1 if wrong or compared < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
