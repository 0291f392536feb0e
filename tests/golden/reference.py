"""CLIP Surgery in numpy, float64, written from the paper and the published code's behaviour, one plain function a
step and no short cuts. It is the yardstick of the tests: slow, small, and independent of the library.

Equation numbers: Li et al., "A closer look at the explainability of Contrastive language-image pre-training".
Shapes: N tokens (class token first), D tower width, C embedding width, T texts. Linear layers are x W^T + b.
"""

import math

import numpy as np
from PIL import Image

MEAN = np.array([0.48145466, 0.4578275, 0.40821073])
DEVIATION = np.array([0.26862954, 0.26130258, 0.27577711])

erf = np.vectorize(math.erf, otypes=[np.float64])


def quick_gelu(x):
    return x / (1 + np.exp(-1.702 * x))


def gelu(x):
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def bilinear_weights(size_in, size_out):
    """[size_out, size_in]: half-pixel centres, no antialias, edges repeated (PyTorch's align_corners=False)."""
    weights = np.zeros((size_out, size_in))
    for i in range(size_out):
        source = max(0.0, (i + 0.5) * size_in / size_out - 0.5)
        low = int(source)
        high = min(low + 1, size_in - 1)
        weights[i, low] += 1 - (source - low)
        weights[i, high] += source - low
    return weights


def bilinear(x, height, width):
    """[H, W, ...] -> [height, width, ...]"""
    x = np.tensordot(bilinear_weights(x.shape[0], height), x, (1, 0))
    return np.moveaxis(np.tensordot(bilinear_weights(x.shape[1], width), x, (1, 1)), 0, 1)


def pixels(path, width, height, mean=MEAN, deviation=DEVIATION):
    """[1, 3, height, width]: the picture squashed to that size by Pillow's bicubic filter, then normalised."""
    picture = Image.open(path).convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    values = (np.asarray(picture, np.float64) / 255 - mean) / deviation
    return values.transpose(2, 0, 1)[None]


class Clip:
    """A model under OpenAI's tensor names (a dictionary of float64 arrays), where "text_projection.bias", which its
    models do not have, is added if it is there."""

    def __init__(self, tensors, vision_heads=None, text_heads=None, activation=quick_gelu, epsilon=1e-5, mean=MEAN,
                 deviation=DEVIATION):
        self.tensors = tensors
        self.width, _, self.patch, _ = tensors["visual.conv1.weight"].shape
        text_width = tensors["token_embedding.weight"].shape[1]
        self.context = tensors["positional_embedding"].shape[0]
        self.vision_blocks = self.count("visual.transformer")
        self.text_blocks = self.count("transformer")
        self.vision_heads = vision_heads or self.width // 64
        self.text_heads = text_heads or text_width // 64
        self.activation, self.epsilon = activation, epsilon
        self.mean, self.deviation = np.array(mean), np.array(deviation)

    def count(self, tower):
        n = 0
        while f"{tower}.resblocks.{n}.ln_1.weight" in self.tensors:
            n += 1
        return n

    def norm(self, x, name):
        mean = x.mean(-1, keepdims=True)
        variance = ((x - mean) ** 2).mean(-1, keepdims=True)
        return (x - mean) / np.sqrt(variance + self.epsilon) * self.tensors[name + ".weight"] + self.tensors[name + ".bias"]

    def linear(self, x, weight, bias):
        return x @ self.tensors[weight].T + self.tensors[bias]

    def heads(self, x, count):
        """[..., N, D] -> [..., heads, N, D / heads]"""
        return np.swapaxes(x.reshape(*x.shape[:-1], count, -1), -3, -2)

    def attention_rows(self, q, k, count, mask=0.0):
        """[..., heads, N, N]: how much each token (a row) attends to each, in every head."""
        q, k = (self.heads(x, count) for x in (q, k))
        return softmax(q @ np.swapaxes(k, -1, -2) / math.sqrt(q.shape[-1]) + mask)

    def attention(self, q, k, v, count, block, mask=0.0):
        """Softmax attention of `count` heads, then the block's output projection."""
        out = np.swapaxes(self.attention_rows(q, k, count, mask) @ self.heads(v, count), -3, -2)
        out = out.reshape(*out.shape[:-2], -1)
        return self.linear(out, block + "attn.out_proj.weight", block + "attn.out_proj.bias")

    def qkv(self, x, block):
        z = self.norm(x, block + "ln_1")
        return np.split(self.linear(z, block + "attn.in_proj_weight", block + "attn.in_proj_bias"), 3, -1)

    def feed_forward(self, x, block):
        z = self.norm(x, block + "ln_2")
        z = self.activation(self.linear(z, block + "mlp.c_fc.weight", block + "mlp.c_fc.bias"))
        return self.linear(z, block + "mlp.c_proj.weight", block + "mlp.c_proj.bias")

    # ---- Words

    def encode_places(self, tokens):
        """tokens [n, context], zero padded -> [n, context, C] of every place, not normalised."""
        x = self.tensors["token_embedding.weight"][tokens] + self.tensors["positional_embedding"]
        mask = np.triu(np.full((self.context, self.context), -np.inf), 1)
        for i in range(self.text_blocks):
            block = f"transformer.resblocks.{i}."
            x = x + self.attention(*self.qkv(x, block), self.text_heads, block, mask)
            x = x + self.feed_forward(x, block)
        x = self.norm(x, "ln_final")
        return x @ self.tensors["text_projection"] + self.tensors.get("text_projection.bias", 0)

    def encode_text(self, tokens):
        """tokens [n, context], zero padded -> [n, C], not normalised."""
        return self.encode_places(tokens)[np.arange(len(tokens)), tokens.argmax(-1)]

    def ensemble(self, tokenizer, text, templates):
        """[C]: normalise every sentence's feature, average, normalise again."""
        tokens = np.array([tokenizer.context(template.replace("{}", text), self.context) for template in templates])
        return unit(unit(self.encode_text(tokens)).mean(0))

    # ---- Pictures

    def grid(self, pixels):
        """How many tokens there are along so many pixels."""
        return pixels // self.patch

    def position_embedding(self, rows, columns, name="visual.positional_embedding"):
        """[1 + rows * columns, D]: interpolated from the stored square when the grid differs."""
        stored = self.tensors[name]
        side = math.isqrt(len(stored) - 1)
        if side == rows == columns:
            return stored
        patches = bilinear(stored[1:].reshape(side, side, -1), rows, columns)
        return np.concatenate([stored[:1], patches.reshape(rows * columns, -1)])

    def stem(self, image):
        """[3, height, width] -> [N, D]"""
        p, rows, columns = self.patch, image.shape[1] // self.patch, image.shape[2] // self.patch
        image = image[:, : rows * p, : columns * p]  # what fills no patch is dropped
        patches = image.reshape(3, rows, p, columns, p).transpose(1, 3, 0, 2, 4).reshape(rows * columns, -1)
        x = patches @ self.tensors["visual.conv1.weight"].reshape(self.width, -1).T
        x = np.concatenate([self.tensors["visual.class_embedding"][None], x]) + self.position_embedding(rows, columns)
        return self.norm(x, "visual.ln_pre")

    def walk(self, image, surgery_last):
        """After each block: both streams [N, D] (the second None before it starts), and the block's attention rows
        [heads, N, N] of queries to keys and of values to values."""
        x = self.stem(image)
        second = None
        for i in range(self.vision_blocks):
            block = f"visual.transformer.resblocks.{i}."
            q, k, v = self.qkv(x, block)
            if i >= self.vision_blocks - surgery_last:
                second = (x if second is None else second) + self.attention(v, v, v, self.vision_heads, block)
            x = x + self.attention(q, k, v, self.vision_heads, block)
            x = x + self.feed_forward(x, block)
            yield x, second, self.attention_rows(q, k, self.vision_heads), self.attention_rows(v, v, self.vision_heads)

    def encode_picture(self, image, surgery_last=0):
        """[3, height, width] -> [N, C], not normalised; the last `surgery_last` blocks get the second path (Eq. 6
        and 7)."""
        for x, second, _, _ in self.walk(image, surgery_last):
            pass
        if second is not None:
            x = np.concatenate([x[:1], second[1:]])  # the class token is the original path's
        return self.norm(x, "visual.ln_post") @ self.tensors["visual.proj"]


# ---- Feature surgery: from features to scores, maps and points


def feature_surgery(tokens, labels, form, tau=2.0):
    """[N, C] and [T, C] of unit length -> [N, T] (Eq. 8 to 11), the tensor F_m spelled out as the paper has it."""
    weights = softmax(tau * tokens[0] @ labels.T)
    weights = weights / weights.mean()
    products = tokens[:, None, :] * labels[None, :, :]  # F_m [N, T, C]
    weighted = products * weights[None, :, None]
    redundant = weighted.mean(1, keepdims=True)  # F_r [N, 1, C]
    return ((weighted if form == "code" else products) - redundant).sum(-1)


def feature_surgery_empty(tokens, labels, empty):
    """[N, T]: the empty string's feature [C] in the redundant feature's place."""
    return tokens @ (labels - empty).T


def similarity_map(scores, height, width):
    """Scores of the patches [H, W, T] -> [height, width, T]: min-max, then bilinear (the published code's order)."""
    low, high = scores.min((0, 1)), scores.max((0, 1))
    return bilinear((scores - low) / (high - low), height, width)


def points(scores, height, width, threshold=0.8):
    """Scores of the patches [H, W] of one text -> ([[x, y], ...], [1, ..., 0, ...]), and how clear the choice was."""
    rows, columns = (max(side // 2, 1) for side in scores.shape)
    values = bilinear(scores, rows, columns).reshape(-1)
    values = (values - values.min()) / (values.max() - values.min())
    count = min(int((values >= threshold).sum()), len(values) // 2)
    order = values.argsort(kind="stable")
    chosen = np.concatenate([order[len(order) - count :], order[:count]])
    x = np.minimum((chosen % columns + 0.5) * width / columns, width - 1).astype(int)
    y = np.minimum((chosen // columns + 0.5) * height / rows, height - 1).astype(int)
    margin = min(np.abs(values - threshold).min(), np.diff(values[order]).min())
    return [[int(a), int(b)] for a, b in zip(x, y)], [1] * count + [0] * count, margin


# ---- Pictures in windows


def window_places(length, window, stride):
    """Where windows begin along a side: every `stride` pixels, the last flush with the end."""
    return sorted({min(k, length - window) for k in range(0, length - window + stride, stride)})


def average_windows(of_window, height, width, window, stride, patch):
    """of_window(y, x) gives the scores [1 + h w, T] of the window whose corner is there, class token first. The result
    is [1 + H W, T]: row 0 the mean over windows, then for each cell the mean over the windows that cover it. A cell's side
    is what divides the patch and every place of a window, so that it lies in one patch of each.

    Written pixel by pixel, then every cell is checked to be of one value."""
    total, covered, first = 0.0, np.zeros((height, width, 1)), []
    for y in window_places(height, window, stride):
        for x in window_places(width, window, stride):
            scores = of_window(y, x)
            side = window // patch
            of_pixels = np.kron(scores[1:].reshape(side, side, -1), np.ones((patch, patch, 1)))
            spread = np.zeros((height, width, scores.shape[1]))
            spread[y : y + window, x : x + window] = of_pixels
            covered[y : y + window, x : x + window] += 1
            total = total + spread
            first.append(scores[0])
    mean = total / covered
    cell = math.gcd(patch, *window_places(height, window, stride), *window_places(width, window, stride))
    cells = mean[::cell, ::cell]
    assert np.array_equal(mean, np.kron(cells, np.ones((cell, cell, 1))))
    return np.concatenate([np.mean(first, 0)[None], cells.reshape(-1, cells.shape[-1])]), cells.shape[:2]
