"""The words of the recipe: every name and noun, with the text tower's target and a weight."""

import os

import numpy as np

from nouns import read_nouns, targets

NAME_WEIGHT = 60.0


class Words:
    """Names (and their synonyms) first, then nouns; `draw` picks some by weight."""

    def __init__(self, names, index, width, cache, held_out):
        """`names` is a `Names`, `index` WordNet's noun index, `held_out` synonyms that captions lack."""
        nouns = read_nouns(index)
        known = [word for synonyms in names.synonyms for word in synonyms]
        weights = {word: NAME_WEIGHT for word in known}
        for word in held_out:  # captions never hold them; as nouns they are like any other
            nouns.setdefault(word, 1.0)
        for noun, weight in nouns.items():
            weights.setdefault(noun, weight)
        self.words = list(weights)
        chances = np.array([weights[word] for word in self.words])
        self.sums = np.cumsum(chances / chances.sum())
        self.weights = weights
        self.vectors = targets(self.words, width, os.path.join(cache, "words.npz"))

    def draw(self, rng, count):
        """Numbers of some words."""
        return np.minimum(np.searchsorted(self.sums, rng.random(count)), len(self.words) - 1)
