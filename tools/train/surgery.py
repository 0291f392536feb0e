"""Raw and architecture-surgery token features of the image tower, and the maps' scores, as a sanity check."""

import torch
from torch.nn import functional as F


@torch.no_grad()
def token_features(visual, pictures, start=7):
    """Raw and surgery features [batch, tokens, embed] of all tokens; surgery from block `start` on (1-based)."""
    x = visual.tokens(pictures)
    new = None
    for number, block in enumerate(visual.transformer.resblocks, 1):
        q, k, v = block.attn.qkv(block.ln_1(x))
        if number >= start:
            new = (x if new is None else new) + block.attn.mix(v, v, v)
        x = x + block.attn.mix(q, k, v)
        x = x + block.mlp(block.ln_2(x))
    new = torch.cat([x[:, :1], new[:, 1:]], dim=1)
    return tuple(F.normalize(visual.ln_post(y) @ visual.proj, dim=-1) for y in (x, new))


@torch.no_grad()
def maps(features, text, side):
    """Similarity maps [texts, side, side] of one picture's features, each scaled to [0, 1] over its tokens."""
    s = features[1:] @ text.t()
    low, high = s.min(dim=0).values, s.max(dim=0).values
    s = ((s - low) / (high - low).clamp_min(1e-9)).t()
    grid = round(s.shape[1] ** 0.5)
    return F.interpolate(s.view(1, -1, grid, grid), (side, side), mode="bilinear", align_corners=False)[0]


class Scores:
    """Gathers mSC and, over thresholds, mIoU; means over classes of means over samples."""

    def __init__(self, thresholds=100):
        self.thresholds = torch.arange(thresholds) / thresholds
        self.contrast, self.overlap = {}, {}

    def add(self, name, heat, truth):
        """Score one map against the mask of its thing."""
        if not truth.any() or truth.all():
            return
        self.contrast.setdefault(name, []).append(float(heat[truth].mean() - heat[~truth].mean()))
        above = heat.reshape(1, -1) > self.thresholds[:, None]
        truth = truth.reshape(1, -1)
        overlap = (above & truth).sum(dim=1) / (above | truth).sum(dim=1)
        self.overlap.setdefault(name, []).append(overlap)

    def result(self):
        """mSC and mIoU in per cent, and the best threshold."""
        contrast = 100 * sum(sum(v) / len(v) for v in self.contrast.values()) / len(self.contrast)
        overlap = 100 * torch.stack([torch.stack(v).mean(dim=0) for v in self.overlap.values()]).mean(dim=0)
        return contrast, float(overlap.max()), float(self.thresholds[overlap.argmax()])
