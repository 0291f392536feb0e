# SPDX-License-Identifier: Apache-2.0
"""CLIP's towers with CLIP Surgery's second path in PyTorch, written from the equations in docs/method.md.

What a user of PyTorch would write who cares for speed: one product for queries, keys and values, the library's own
attention, batch norms folded into the convolutions before them. No short cut that belongs to Lancet: the last block is
computed for all tokens and every text at its full length.
"""

import torch
from torch import nn
from torch.nn import functional as F

SURGERY_BLOCKS = 6
HEAD_WIDTH = 64


def linear(weight, bias=None):
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    layer.weight = nn.Parameter(weight)
    if bias is not None:
        layer.bias = nn.Parameter(bias)
    return layer


def norm(tensors, name):
    layer = nn.LayerNorm(tensors[name + ".weight"].shape[0], eps=1e-5)
    layer.weight = nn.Parameter(tensors[name + ".weight"])
    layer.bias = nn.Parameter(tensors[name + ".bias"])
    return layer


def split_heads(x):
    return x.unflatten(2, (-1, HEAD_WIDTH)).transpose(1, 2)


def attend(q, k, v, causal=False):
    """softmax(q k^T / sqrt(64)) v in each head, the heads side by side again."""
    return F.scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(1, 2).flatten(2)


def resize_positions(embedding, side):
    """The patches' embeddings for a grid of side x side (bilinear); the class token keeps its own."""
    old = round((len(embedding) - 1) ** 0.5)
    if old == side:
        return embedding
    grid = embedding[1:].reshape(1, old, old, -1).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size=(side, side), mode="bilinear", align_corners=False)
    return torch.cat([embedding[:1], grid.permute(0, 2, 3, 1).reshape(side * side, -1)])


class Block(nn.Module):
    def __init__(self, tensors, name):
        super().__init__()
        self.ln_1 = norm(tensors, name + "ln_1")
        self.ln_2 = norm(tensors, name + "ln_2")
        self.qkv = linear(tensors[name + "attn.in_proj_weight"], tensors[name + "attn.in_proj_bias"])
        self.out = linear(tensors[name + "attn.out_proj.weight"], tensors[name + "attn.out_proj.bias"])
        self.widen = linear(tensors[name + "mlp.c_fc.weight"], tensors[name + "mlp.c_fc.bias"])
        self.narrow = linear(tensors[name + "mlp.c_proj.weight"], tensors[name + "mlp.c_proj.bias"])

    def feed_forward(self, x):
        x = self.widen(self.ln_2(x))
        return self.narrow(x * torch.sigmoid(1.702 * x))

    def forward(self, x, second=None, causal=False):
        """The original path and, where `second` is given, the second one: plus v-v attention, and nothing else."""
        q, k, v = (split_heads(part) for part in self.qkv(self.ln_1(x)).chunk(3, dim=2))
        if second is not None:
            second = second + self.out(attend(v, v, v))
        x = x + self.out(attend(q, k, v, causal))
        return x + self.feed_forward(x), second


class VisionTransformer(nn.Module):
    """Pixels [batch, 3, side, side] to tokens [batch, 1 + patches, channels]."""

    def __init__(self, tensors, side):
        super().__init__()
        kernel = tensors["visual.conv1.weight"]
        patch = kernel.shape[2]
        self.patches = nn.Conv2d(3, len(kernel), patch, stride=patch, bias=False)
        self.patches.weight = nn.Parameter(kernel)
        self.class_token = nn.Parameter(tensors["visual.class_embedding"])
        positions = resize_positions(tensors["visual.positional_embedding"], side // patch)
        self.positions = nn.Parameter(positions)
        self.ln_pre = norm(tensors, "visual.ln_pre")
        self.ln_post = norm(tensors, "visual.ln_post")
        self.project = linear(tensors["visual.proj"].T.contiguous())
        count = sum(name.endswith("attn.in_proj_weight") for name in tensors)
        self.blocks = nn.ModuleList(Block(tensors, f"visual.transformer.resblocks.{i}.") for i in range(count))

    def forward(self, pixels):
        x = self.patches(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(len(x), 1, -1), x], dim=1)
        x = self.ln_pre(x + self.positions)
        second = None
        for i, block in enumerate(self.blocks):
            if i == len(self.blocks) - SURGERY_BLOCKS:
                second = x
            x, second = block(x, second)
        return self.project(self.ln_post(torch.cat([x[:, :1], second[:, 1:]], dim=1)))


def convolution(tensors, prefix, name, batch_norm, stride=1):
    """A convolution with the batch norm after it folded in."""
    kernel = tensors[f"{prefix}{name}.weight"]
    weight, bias, mean, variance = (
        tensors[f"{prefix}{batch_norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = weight / torch.sqrt(variance + 1e-5)
    out, inside, size, _ = kernel.shape
    layer = nn.Conv2d(inside, out, size, stride=stride, padding=size // 2)
    layer.weight = nn.Parameter(kernel * scale[:, None, None, None])
    layer.bias = nn.Parameter(bias - mean * scale)
    return layer


class Bottleneck(nn.Module):
    def __init__(self, tensors, prefix, stride):
        super().__init__()
        self.stride = stride
        self.conv1 = convolution(tensors, prefix, "conv1", "bn1")
        self.conv2 = convolution(tensors, prefix, "conv2", "bn2")
        self.conv3 = convolution(tensors, prefix, "conv3", "bn3")
        self.short = None
        if prefix + "downsample.0.weight" in tensors:
            self.short = convolution(tensors, prefix, "downsample.0", "downsample.1")

    def forward(self, x):
        y = F.relu(self.conv2(F.relu(self.conv1(x))))
        if self.stride > 1:
            x, y = F.avg_pool2d(x, self.stride), F.avg_pool2d(y, self.stride)
        return F.relu(self.conv3(y) + (self.short(x) if self.short else x))


class ResNet(nn.Module):
    """Pixels to tokens: the attention pool's patches by v-v attention, its class token as CLIP's own."""

    def __init__(self, tensors, side):
        super().__init__()
        self.stem = nn.ModuleList(
            convolution(tensors, "visual.", f"conv{i}", f"bn{i}", stride=2 if i == 1 else 1) for i in (1, 2, 3)
        )
        blocks = []
        for stage in range(1, 5):
            count = sum(name.startswith(f"visual.layer{stage}.") and name.endswith("conv1.weight") for name in tensors)
            blocks += [
                Bottleneck(tensors, f"visual.layer{stage}.{i}.", 2 if stage > 1 and i == 0 else 1) for i in range(count)
            ]
        self.blocks = nn.Sequential(*blocks)
        pool = "visual.attnpool."
        self.positions = nn.Parameter(resize_positions(tensors[pool + "positional_embedding"], side // 32))
        self.q, self.k, self.v, self.c = (
            linear(tensors[f"{pool}{letter}_proj.weight"], tensors[f"{pool}{letter}_proj.bias"]) for letter in "qkvc"
        )

    def forward(self, pixels):
        x = pixels
        for layer in self.stem:
            x = F.relu(layer(x))
        x = self.blocks(F.avg_pool2d(x, 2)).flatten(2).transpose(1, 2)
        x = torch.cat([x.mean(dim=1, keepdim=True), x], dim=1) + self.positions
        v = split_heads(self.v(x))
        first = attend(split_heads(self.q(x[:, :1])), split_heads(self.k(x)), v)
        return self.c(torch.cat([first, attend(v, v, v)[:, 1:]], dim=1))


class TextTransformer(nn.Module):
    """Token ids [texts, 77] to features [texts, channels], not of unit length."""

    def __init__(self, tensors):
        super().__init__()
        self.words = nn.Parameter(tensors["token_embedding.weight"])
        self.positions = nn.Parameter(tensors["positional_embedding"])
        self.norm = norm(tensors, "ln_final")
        self.project = linear(tensors["text_projection"].T.contiguous())
        count = sum(name.endswith("attn.in_proj_weight") for name in tensors)
        self.blocks = nn.ModuleList(Block(tensors, f"transformer.resblocks.{i}.") for i in range(count))

    def forward(self, ids):
        x = F.embedding(ids, self.words) + self.positions
        for block in self.blocks:
            x, _ = block(x, causal=True)
        ends = ids.argmax(dim=1)
        x = x.gather(1, ends[:, None, None].expand(-1, 1, x.shape[2])).squeeze(1)
        return self.project(self.norm(x))


def build(tensors, kind, side):
    """The tower of that kind (vit, resnet, text) from a model file's arrays."""
    tensors = {name: torch.from_numpy(values) for name, values in tensors.items()}
    with torch.no_grad():
        if kind == "text":
            return TextTransformer(tensors).eval()
        return (ResNet if kind == "resnet" else VisionTransformer)(tensors, side).eval()
