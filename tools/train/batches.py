"""Batches: pictures from the pool and photographs, captions, prompted names, words with targets."""

import numpy as np
import torch
from torch.nn import functional as F

from model import normalise
from templates import caption, prompt

PATCH = 8
UNKNOWN = -100


class Batches:
    """Draws training batches; everything random comes from one generator."""

    def __init__(self, pool, photographs, names, words, tokenizer, seed):
        """`photographs` is (pictures, labels) or None."""
        self.pool, self.photographs, self.names = pool, photographs, names
        self.words, self.tokenizer = words, tokenizer
        self.rng = np.random.default_rng(seed)

    def pictures(self, count, share, size, single):
        """`count` pictures, `share` of them photographs, as normalised [count, 3, size, size].

        Also returns the things of each, and for the patches of each the number of the name that they show:
        -1 for background, UNKNOWN in photographs.  With `single` every picture holds one thing, and scenes
        are cropped around it.
        """
        photos = round(count * share) if self.photographs else 0
        pictures, things, boxes, masks = self.pool.draw(self.rng, count - photos, single)
        theta = self._transforms(*(self._around(boxes) if single else self._crops(len(boxes), 0.85)))
        prepared = [self._resample(pictures, size, theta)]
        grid = size // PATCH
        shown = np.full((count, grid * grid), UNKNOWN)
        shown[:len(boxes)] = self._shown(masks, things, theta, grid)
        things = [[int(t) for t in row if t >= 0] for row in things]
        if photos:
            chosen = np.sort(self.rng.integers(len(self.photographs[0]), size=photos))
            theta = self._transforms(*self._crops(photos, 0.6))
            prepared.append(self._resample(self.photographs[0][chosen], size, theta))
            things += [[int(self.names.of_class[label])] for label in self.photographs[1][chosen]]
        return torch.cat(prepared), things, torch.from_numpy(shown)

    def _crops(self, count, smallest):
        """Random crops: the scale and the centre of each, in a picture that goes from -1 to 1."""
        scale = self.rng.uniform(smallest, 1.0, count)
        return scale, self.rng.uniform(-1, 1, (count, 2)) * (1 - scale)[:, None]

    def _around(self, boxes):
        """Crops that show what is in the boxes, with a margin, not quite in the middle."""
        sides = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
        scale = np.clip(sides * self.rng.uniform(1.0, 1.6, len(boxes)), 0.2, 1.2)
        centre = boxes[:, :2] + boxes[:, 2:] - 1
        return scale, centre + self.rng.uniform(-1, 1, centre.shape) * np.abs(scale - sides)[:, None]

    def _transforms(self, scale, centre):
        """The affine transforms of some crops, half of them mirrored."""
        theta = np.zeros((len(scale), 2, 3), np.float32)
        theta[:, 0, 0], theta[:, 1, 1] = scale * self.rng.choice((-1.0, 1.0), len(scale)), scale
        theta[:, :, 2] = centre
        return torch.from_numpy(theta)

    @staticmethod
    def _resample(pictures, size, theta):
        """Crop pictures and scale them to the size at which the tower is trained."""
        x = normalise(torch.from_numpy(pictures))
        reduced = round(size / min(1.0, float(theta[:, 1, 1].median())))
        if x.shape[-1] > 1.2 * reduced:
            x = F.interpolate(x, (reduced, reduced), mode="bilinear", antialias=True)
        grid = F.affine_grid(theta, (len(x), 3, size, size), align_corners=False)
        return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)

    @staticmethod
    def _shown(masks, things, theta, grid):
        """The name shown in the middle of each patch, -1 for background."""
        places = F.affine_grid(theta, (len(masks), 1, grid, grid), align_corners=False)
        sampled = F.grid_sample(torch.from_numpy(masks).unsqueeze(1).float(), places, mode="nearest",
                                padding_mode="zeros", align_corners=False)
        with_background = np.concatenate([np.full((len(things), 1), -1), things], axis=1)
        return np.take_along_axis(with_background, sampled.flatten(1).long().numpy(), axis=1)

    def captions(self, things):
        """A caption for each picture: token ids, and which names [pictures, names] it says."""
        texts, said = [], np.zeros((len(things), len(self.names.names)), bool)
        for row, own in zip(said, things):
            named = [own[i] for i in self.rng.permutation(len(own))]
            if len(named) > 1 and self.rng.random() < 0.3:
                named = named[:int(self.rng.integers(1, len(named)))]
            spoken = [self.names.word(self.rng, number) for number in named]
            row[[number for _, number in spoken]] = True
            texts.append(caption(self.rng, [word for word, _ in spoken]))
        return torch.from_numpy(self.tokenizer(texts)), said

    def prompted(self, things, count):
        """Prompts of the names in the batch and of others, `count` in all: token ids and the names' numbers."""
        present = {number for own in things for number in own}
        others = [i for i in self.rng.permutation(len(self.names.names)) if int(i) not in present]
        chosen = [*sorted(present), *(int(i) for i in others)][:max(count, len(present))]
        texts = []
        for number in chosen:
            words = self.names.synonyms[number]
            word = words[0] if self.rng.random() < 0.7 else words[self.rng.integers(len(words))]
            texts.append(prompt(self.rng, word))
        return torch.from_numpy(self.tokenizer(texts)), np.array(chosen)

    def nouns(self, count):
        """Some words, half of them prompted: token ids and the targets of the bare words."""
        chosen = self.words.draw(self.rng, count)
        texts = [self.words.words[i] for i in chosen]
        texts = [prompt(self.rng, text) if self.rng.random() < 0.5 else text for text in texts]
        return torch.from_numpy(self.tokenizer(texts)), torch.from_numpy(self.words.vectors[chosen])
