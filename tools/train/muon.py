"""Muon: momentum whose matrix is made orthogonal before it is applied.

For the matrices inside the blocks; everything else is AdamW's.  Matrices of one shape are handled
together, and the packed query, key and value matrices as three.
"""

from collections import defaultdict

import torch


def orthogonal(g, steps=5):
    """The nearest (semi-)orthogonal matrices of a stack, by a quintic Newton-Schulz iteration."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        s = x @ x.mT
        x = a * x + (b * s + c * (s @ s)) @ x
    return (x.mT if tall else x).to(g.dtype)


class Muon(torch.optim.Optimizer):
    """Stochastic gradient descent with orthogonalised Nesterov momentum and decoupled weight decay."""

    def __init__(self, parameters, lr=0.02, momentum=0.95, weight_decay=0.01):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        """Apply one update."""
        for group in self.param_groups:
            by_shape = defaultdict(list)
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(p)
                buffer = state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                update = p.grad.lerp(buffer, group["momentum"])
                parts = 3 if p.shape[0] == 3 * p.shape[1] else 1
                for part, piece in zip(update.chunk(parts), p.data.chunk(parts)):
                    by_shape[part.shape].append((part, piece))
            for (rows, columns), pairs in by_shape.items():
                directions = orthogonal(torch.stack([part for part, _ in pairs]))
                scale = max(1.0, rows / columns) ** 0.5
                for direction, (_, piece) in zip(directions, pairs):
                    piece.mul_(1 - group["lr"] * group["weight_decay"])
                    piece.add_(direction, alpha=-group["lr"] * scale)
