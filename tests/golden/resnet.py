"""CLIP's ModifiedResNet in numpy, float64, beside the transformer of reference.py and as plainly: convolutions as sums over
their kernels, batch norms as they are written, every token of the attention pool with every other.

Shapes: pictures [channels, height, width]; N tokens (class token first), D = 32 times the stem's width, C embedding width.
"""

import math

import numpy as np

from reference import Clip, softmax

EPSILON = 1e-5  # of batch norms


def convolve(x, weight, stride=1):
    """[in, height, width] * [out, in, k, k] -> [out, ...]: padded with k // 2 zeros on every side."""
    k = weight.shape[2]
    x = np.pad(x, ((0, 0), (k // 2, k // 2), (k // 2, k // 2)))
    height, width = ((side - k) // stride + 1 for side in x.shape[1:])
    out = np.zeros((len(weight), height, width), x.dtype)
    for v in range(k):
        for u in range(k):
            part = x[:, v : v + stride * (height - 1) + 1 : stride, u : u + stride * (width - 1) + 1 : stride]
            out += np.tensordot(weight[:, :, v, u], part, 1)
    return out


def average(x):
    """The means of 2 x 2 pixels; a last odd row or column is left out."""
    height, width = x.shape[1] // 2, x.shape[2] // 2
    return x[:, : 2 * height, : 2 * width].reshape(len(x), height, 2, width, 2).mean((2, 4))


class ResNetClip(Clip):
    """A model whose picture tower is a ModifiedResNet, under OpenAI's tensor names."""

    def __init__(self, tensors, **choices):
        super().__init__(tensors, **choices)
        self.width = tensors["visual.attnpool.q_proj.weight"].shape[0]
        self.vision_heads = self.width // 64
        self.patch = 32
        self.stages = [len({name.split(".")[2] for name in tensors if name.startswith(f"visual.layer{stage}.")})
                       for stage in range(1, 5)]
        self.vision_blocks = sum(self.stages)

    def batch_norm(self, x, name):
        weight, bias, mean, variance = (self.tensors[f"{name}.{part}"][:, None, None]
                                        for part in ("weight", "bias", "running_mean", "running_var"))
        return (x - mean) / np.sqrt(variance + EPSILON) * weight + bias

    def layer(self, x, convolution, norm, stride=1):
        return self.batch_norm(convolve(x, self.tensors[convolution + ".weight"], stride), norm)

    def bottleneck(self, x, block, stride):
        out = np.maximum(self.layer(x, block + "conv1", block + "bn1"), 0)
        out = np.maximum(self.layer(out, block + "conv2", block + "bn2"), 0)
        out = self.layer(average(out) if stride == 2 else out, block + "conv3", block + "bn3")
        if block + "downsample.0.weight" in self.tensors:
            x = self.layer(average(x) if stride == 2 else x, block + "downsample.0", block + "downsample.1")
        return np.maximum(out + x, 0)

    def trunk(self, image):
        """[3, height, width] -> what each bottleneck hands on, [channels, H, W]."""
        x = np.maximum(self.layer(image, "visual.conv1", "visual.bn1", 2), 0)
        x = np.maximum(self.layer(x, "visual.conv2", "visual.bn2"), 0)
        x = average(np.maximum(self.layer(x, "visual.conv3", "visual.bn3"), 0))
        for stage, count in enumerate(self.stages, 1):
            for i in range(count):
                x = self.bottleneck(x, f"visual.layer{stage}.{i}.", 2 if stage > 1 and i == 0 else 1)
                yield x

    def grid(self, pixels):
        return (pixels + 1) // 2 // 16

    def pool_tokens(self, x):
        """[D, H, W] -> [1 + H * W, D]: the mean in front, the position embedding added."""
        tokens = x.reshape(len(x), -1).T
        tokens = np.concatenate([tokens.mean(0, keepdims=True), tokens])
        return tokens + self.position_embedding(*x.shape[1:], "visual.attnpool.positional_embedding")

    def pool_heads(self, z):
        """q, k and v, parted into heads [heads, N, 64]."""
        return [self.heads(self.linear(z, f"visual.attnpool.{letter}_proj.weight", f"visual.attnpool.{letter}_proj.bias"),
                           self.vision_heads) for letter in "qkv"]

    def pool_rows(self, q, k, factor=1.0):
        """[heads, N, N]: how much each token (a row) attends to each."""
        return softmax(factor * q @ np.swapaxes(k, -1, -2) / math.sqrt(q.shape[-1]))

    def pool_attention(self, q, k, v, factor=1.0):
        """softmax(factor s q k^T) v of all heads -> [N, D]"""
        return np.swapaxes(self.pool_rows(q, k, factor) @ v, 0, 1).reshape(q.shape[1], -1)

    def walk(self, image, surgery_last):
        """After each bottleneck its pixels [H * W, channels]; there is no second stream. Attention rows come last."""
        for i, x in enumerate(self.trunk(image), 1):
            rows = None, None
            if i == self.vision_blocks:
                q, k, v = self.pool_heads(self.pool_tokens(x))
                rows = self.pool_rows(q, k), self.pool_rows(v, v)
            yield x.reshape(len(x), -1).T, None, *rows

    def encode_picture(self, image, surgery_last=0, attention="vv", class_token="vv"):
        """[3, height, width] -> [N, C], not normalised; surgery_last 0: the plain path. The defaults are the published
        code's, whose original path has values for queries and keys as well."""
        for x in self.trunk(image):
            pass
        q, k, v = self.pool_heads(self.pool_tokens(x))
        if not surgery_last:
            tokens = self.pool_attention(q, k, v)
        else:
            original = self.pool_attention(q, k, v) if class_token == "qk" else self.pool_attention(v, v, v)
            if attention == "vv-norm8":
                unit = v / (np.linalg.norm(v, axis=-1, keepdims=True) + 1e-6)
                tokens = self.pool_attention(unit, unit, v, 8.0)
            else:
                tokens = self.pool_attention(v, v, v)
            tokens = np.concatenate([original[:1], tokens[1:]])
        return self.linear(tokens, "visual.attnpool.c_proj.weight", "visual.attnpool.c_proj.bias")

    def maskclip(self, image):
        """MaskCLIP's tokens of the positions alone [H * W, C]: each one's value, without a position embedding."""
        for x in self.trunk(image):
            pass
        values = self.linear(x.reshape(len(x), -1).T, "visual.attnpool.v_proj.weight", "visual.attnpool.v_proj.bias")
        return self.linear(values, "visual.attnpool.c_proj.weight", "visual.attnpool.c_proj.bias")
