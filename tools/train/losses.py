"""The losses: contrast with captions and with prompted names, words at their targets, patches' names."""

import torch
from torch.nn import functional as F


def caption_contrast(images, captions, scale, present, said):
    """Symmetric InfoNCE; a caption that is true of another picture of the batch is no negative for it.

    `present` and `said` are [batch, names]: what is in each picture, what each caption says.
    """
    logits = scale * images @ captions.t()
    true = (said.float() @ (~present).float().t() == 0).t()  # [picture, caption]
    true.fill_diagonal_(False)
    logits = logits.masked_fill(true, float("-inf"))
    labels = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.t(), labels)) / 2


def name_contrast(images, prompts, scale, present):
    """InfoNCE of pictures with prompted names; every present name is a positive, no other's negative.

    `present` is [batch, prompts].
    """
    logits = scale * images @ prompts.t()
    negatives = logits.masked_fill(present, float("-inf")).logsumexp(dim=1, keepdim=True)
    each = F.softplus(negatives - logits) * present
    return (each.sum(dim=1) / present.sum(dim=1).clamp_min(1)).mean()


def word_distance(texts, targets):
    """One minus the mean cosine with the targets."""
    return 1 - (texts * targets).sum(dim=1).mean()


def shown_names(scores, shown):
    """Cross-entropy of the patches' scores [batch, patches, names + 1] with what they show.

    `shown` holds a name's number, -1 for background (the last score), or -100 where it is not known.
    """
    names = scores.shape[-1] - 1
    shown = torch.where(shown == -1, names, shown)
    return F.cross_entropy(scores.flatten(0, 1).float(), shown.flatten(), ignore_index=-100)
