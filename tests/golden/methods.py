"""Other methods than the paper's, and the rows of its Table 4, on the reference's tower: written from their papers.

Every one of them leaves CLIP's own path as it is, which gives the class token, and runs a second one beside it.
"""

import numpy as np

from reference import softmax

NAMES = ("ablation_last", "ablation_multi", "ablation_multi_dual_a", "ablation_multi_dual_b",
         "ablation_multi_dual_ffn_a", "ablation_multi_dual_ffn_b", "ablation_multi_dual_attn", "sclip", "clearclip",
         "naclip")


def out(model, rows, v, block):
    """Attention rows [heads, N, N] times the values, through the block's output projection."""
    mixed = np.swapaxes(rows @ model.heads(v, model.vision_heads), -3, -2)
    return model.linear(mixed.reshape(*mixed.shape[:-2], -1), block + "attn.out_proj.weight",
                        block + "attn.out_proj.bias")


def neighbourhood(rows, columns, deviation=5.0):
    """NACLIP's addition to the scores [N, N]: a bell over the distance of two patches; nothing for the class token."""
    y, x = (side.reshape(-1) for side in np.mgrid[:rows, :columns].astype(float))
    square = (y[:, None] - y) ** 2 + (x[:, None] - x) ** 2
    return np.pad(np.exp(-square / (2 * deviation**2)), ((1, 0), (1, 0)))


def last_block(model, name, x, block, grid):
    """What the methods of the last block make of its input [N, D]."""
    q, k, v = model.qkv(x, block)
    heads = model.vision_heads
    if name == "sclip":
        second = x + out(model, model.attention_rows(q, q, heads) + model.attention_rows(k, k, heads), v, block)
    elif name == "clearclip":
        return out(model, model.attention_rows(q, q, heads), v, block)
    elif name == "naclip":
        keys = model.heads(k, heads)
        scores = keys @ np.swapaxes(keys, -1, -2) / np.sqrt(keys.shape[-1]) + neighbourhood(*grid)
        return out(model, softmax(scores), v, block)
    elif name.startswith("maskclip"):
        second = x + model.linear(v, block + "attn.out_proj.weight", block + "attn.out_proj.bias")
        if name == "maskclip_cs":
            return second
    else:
        second = x + model.attention(v, v, v, heads, block)
    return second + model.feed_forward(second, block)


def second_path(model, name, second, x, block):
    """One block of Table 4's rows with several blocks; x is the original path before it."""
    heads = model.vision_heads
    if name == "ablation_multi":
        _, _, v = model.qkv(second, block)
        second = second + model.attention(v, v, v, heads, block)
        return second + model.feed_forward(second, block)
    q, k, v = model.qkv(x, block)
    if "ffn" not in name:
        second = second + model.attention(v, v, v, heads, block)
    if name.endswith("_a"):
        return second + model.feed_forward(x + model.attention(q, k, v, heads, block), block)
    return second + model.feed_forward(second, block) if name.endswith("_b") else second


def method_tokens(model, image, name, surgery_last=6):
    """[3, height, width] -> [N, C], not normalised: the patches of the second path, CLIP's class token."""
    blocks = [f"visual.transformer.resblocks.{i}." for i in range(model.vision_blocks)]
    grid = [side // model.patch for side in image.shape[1:]]
    x, second = model.stem(image), None
    several = name.startswith("ablation_multi")
    for i, block in enumerate(blocks):
        if several and i >= len(blocks) - surgery_last:
            second = second_path(model, name, x if second is None else second, x, block)
        if not several and i == len(blocks) - 1:
            second = last_block(model, name, x, block, grid)
        q, k, v = model.qkv(x, block)
        x = x + model.attention(q, k, v, model.vision_heads, block)
        x = x + model.feed_forward(x, block)
    tokens = np.concatenate([x[:1], second[1:]])
    return model.norm(tokens, "visual.ln_post") @ model.tensors["visual.proj"]
