# SPDX-License-Identifier: Apache-2.0
"""Whether the contenders computed the same thing: their tokens, and the maps that follow from them."""

import numpy as np

LABELS = 20


def same(path, other):
    """Whether two files hold the same numbers."""
    return np.array_equal(np.load(path), np.load(other))


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def maps(tokens):
    """Feature surgery's maps [labels, patches], 0 to 1, of one picture's tokens for labels that are noise."""
    features = unit(tokens.astype(np.float64))
    texts = unit(np.random.RandomState(3).standard_normal((LABELS, tokens.shape[1])))
    weight = np.exp(2 * features[0] @ texts.T)
    weight /= weight.mean()
    products = features[1:] @ texts.T * weight
    scores = (products - products.mean(axis=1, keepdims=True)).T
    low, high = scores.min(axis=1, keepdims=True), scores.max(axis=1, keepdims=True)
    return (scores - low) / (high - low)


def cosines(a, b):
    return np.sum(unit(a) * unit(b), axis=-1)


def bring_together(row, output):
    """One picture's tokens, or the label's feature: the mean of its prompts' unit vectors."""
    if row.kind == "text":
        return unit(unit(output).mean(axis=0)) if len(output) > 1 else output[0]
    return output[0]


def differences(row, outputs):
    """Of each contender to the first of PyTorch fp32 and Lancet fp32 that is there: the largest difference of two
    numbers, by the size of the numbers (root mean square), and the least cosine of two maps (of two features)."""
    outputs = {key: bring_together(row, np.load(path)) for key, path in outputs.items() if path}
    reference = next((key for key in ("PyTorch fp32", "Lancet fp32") if key in outputs), None)
    found = {}
    for key, output in outputs.items():
        if key == reference or not reference:
            continue
        exact = outputs[reference]
        if exact.shape != output.shape:
            raise ValueError(f"{key}: shape {output.shape}, of {reference} {exact.shape}")
        pairs = (output[None], exact[None]) if row.kind == "text" else (maps(output), maps(exact))
        found[key] = {
            "to": reference,
            "largest": float(np.abs(output - exact).max() / np.sqrt(np.mean(np.square(exact)))),
            "cosine": float(cosines(*pairs).min()),
        }
    return found
