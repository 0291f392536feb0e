"""A CLIP with OpenAI's parameter names and shapes: ViT image tower, causal text tower.

Heads are 64 wide in both towers, the activation is QuickGELU, blocks normalise first.
"""

import torch
from torch import nn
from torch.nn import functional as F

HEAD = 64
QUICK = 1.702
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


class Attention(nn.Module):
    """Multi-head self-attention with OpenAI's packed projection."""

    def __init__(self, width):
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.randn(3 * width, width) * width ** -0.5)
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)

    def qkv(self, x):
        """Queries, keys and values, each [batch, heads, tokens, HEAD]."""
        batch, tokens, width = x.shape
        packed = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        return packed.view(batch, tokens, 3, width // HEAD, HEAD).permute(2, 0, 3, 1, 4)

    def mix(self, q, k, v, causal=False):
        """Attend with q on k, mix v and project.  (Torch's fused attention is slow backwards on a CPU.)"""
        scores = (q * HEAD ** -0.5) @ k.transpose(-2, -1)
        if causal:
            later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
            scores = scores.masked_fill(later, float("-inf"))
        mixed = torch.softmax(scores, dim=-1).to(v.dtype) @ v
        return self.out_proj(mixed.transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    """The feed-forward part of a block, four times as wide inside."""

    def __init__(self, width):
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)

    def forward(self, x):
        # QuickGELU, x sigmoid(1.702 x), is silu(1.702 x) / 1.702; scaling the weights is cheaper than x
        x = F.silu(F.linear(x, self.c_fc.weight * QUICK, self.c_fc.bias * QUICK))
        return F.linear(x, self.c_proj.weight / QUICK, self.c_proj.bias)


class Block(nn.Module):
    """One residual attention block."""

    def __init__(self, width, causal):
        super().__init__()
        self.causal = causal
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = Mlp(width)

    def forward(self, x):
        x = x + self.attn.mix(*self.attn.qkv(self.ln_1(x)), causal=self.causal)
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    """A stack of blocks."""

    def __init__(self, width, layers, causal):
        super().__init__()
        self.resblocks = nn.ModuleList(Block(width, causal) for _ in range(layers))
        for block in self.resblocks:
            nn.init.normal_(block.attn.out_proj.weight, std=(width * 2 * layers) ** -0.5)
            nn.init.zeros_(block.attn.out_proj.bias)
            nn.init.normal_(block.mlp.c_fc.weight, std=(2 * width) ** -0.5)
            nn.init.normal_(block.mlp.c_proj.weight, std=(4 * width * 2 * layers) ** -0.5)
            nn.init.zeros_(block.mlp.c_proj.bias)

    def forward(self, x):
        for block in self.resblocks:
            x = block(x)
        return x


class Vision(nn.Module):
    """The image tower."""

    def __init__(self, size, patch, width, layers, embed):
        super().__init__()
        self.grid = size // patch
        self.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(torch.randn(width) * width ** -0.5)
        self.positional_embedding = nn.Parameter(torch.randn(self.grid ** 2 + 1, width) * width ** -0.5)
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = Transformer(width, layers, causal=False)
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(torch.randn(width, embed) * width ** -0.5)

    def positions(self, grid):
        """The positional embedding for a grid of another size, bilinear as CLIP Surgery does it."""
        if grid == self.grid:
            return self.positional_embedding
        table = self.positional_embedding[1:].view(1, self.grid, self.grid, -1).permute(0, 3, 1, 2)
        table = F.interpolate(table, (grid, grid), mode="bilinear", align_corners=False)
        return torch.cat([self.positional_embedding[:1], table.flatten(2)[0].t()])

    def tokens(self, pictures, keep=1.0):
        """The tower's input tokens; with keep < 1 that share of the patches, chosen at random."""
        x = self.conv1(pictures)
        grid = x.shape[-1]
        x = x.flatten(2).transpose(1, 2)
        positions = self.positions(grid)
        x = x + positions[1:]
        if keep < 1.0:
            kept = max(1, round(keep * grid * grid))
            chosen = torch.rand(x.shape[:2], device=x.device).argsort(dim=1)[:, :kept]
            x = x.gather(1, chosen.unsqueeze(-1).expand(-1, -1, x.shape[2]))
        first = (self.class_embedding + positions[0]).expand(len(x), 1, -1)
        return self.ln_pre(torch.cat([first.to(x.dtype), x], dim=1))

    def forward(self, pictures, keep=1.0, tap=0):
        """The image embedding, not normalised; with `tap` also the patches' tokens after that many blocks."""
        x, tapped = self.tokens(pictures, keep), None
        for number, block in enumerate(self.transformer.resblocks, 1):
            x = block(x)
            if number == tap:
                tapped = x[:, 1:]
        x = self.ln_post(x[:, 0]) @ self.proj
        return (x, tapped) if tap else x


class Clip(nn.Module):
    """Both towers; the text tower's parts have no prefix, as in OpenAI's files."""

    def __init__(self, vocabulary, context, size=112, patch=8, width=128, layers=12,
                 text_width=192, text_layers=4, embed=256):
        super().__init__()
        self.visual = Vision(size, patch, width, layers, embed)
        self.token_embedding = nn.Embedding(vocabulary, text_width)
        self.positional_embedding = nn.Parameter(torch.randn(context, text_width) * 0.01)
        self.transformer = Transformer(text_width, text_layers, causal=True)
        self.ln_final = nn.LayerNorm(text_width)
        self.text_projection = nn.Parameter(torch.randn(text_width, embed) * text_width ** -0.5)
        self.logit_scale = nn.Parameter(torch.tensor(2.66))
        nn.init.normal_(self.token_embedding.weight, std=0.02)

    def encode_image(self, pictures, keep=1.0):
        """Normalised image embeddings of pictures that `normalise` has prepared."""
        return F.normalize(self.visual(pictures, keep).float(), dim=-1)

    def encode_text(self, ids):
        """Normalised text embeddings of [batch, tokens] ids padded with 0."""
        ends = ids.argmax(dim=-1)
        ids = ids[:, :int(ends.max()) + 1]
        x = self.token_embedding(ids) + self.positional_embedding[:ids.shape[1]]
        x = self.ln_final(self.transformer(x))
        x = x[torch.arange(len(x), device=x.device), ends]
        return F.normalize((x @ self.text_projection).float(), dim=-1)


def from_weights(weights):
    """A model of the shapes that a state dict holds, with its values."""
    width, _, patch, _ = weights["visual.conv1.weight"].shape
    grid = round((len(weights["visual.positional_embedding"]) - 1) ** 0.5)
    layers = sum(key.endswith("attn.in_proj_weight") and key.startswith("visual.") for key in weights)
    text_layers = sum(key.endswith("attn.in_proj_weight") for key in weights) - layers
    vocabulary, text_width = weights["token_embedding.weight"].shape
    model = Clip(vocabulary, len(weights["positional_embedding"]), grid * patch, patch, width, layers,
                 text_width, text_layers, weights["text_projection"].shape[1])
    model.load_state_dict({key: value.float() for key, value in weights.items()})
    return model


def normalise(pictures):
    """uint8 [batch, height, width, 3] to CLIP's normalised [batch, 3, height, width]."""
    x = pictures.permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(v, device=x.device).view(1, 3, 1, 1) for v in (MEAN, STD))
    return (x - mean) / std
