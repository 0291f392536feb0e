"""Byte-pair tokens in CLIP's form: learning the merges, writing and reading the files, encoding."""

import heapq
import json
import os
from collections import Counter

import numpy as np
import regex

START, END = "<|startoftext|>", "<|endoftext|>"
_PIECES = regex.compile(r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
                        regex.IGNORECASE)


def byte_alphabet():
    """The 256 byte symbols in CLIP's order, as {byte: character}."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in set(printable)]
    return {**{b: chr(b) for b in printable}, **{b: chr(256 + i) for i, b in enumerate(others)}}


def pieces(text):
    """Split a text as CLIP does, before merging."""
    return _PIECES.findall(" ".join(text.split()).lower())


def learn(texts, size):
    """Learn merges from {text: weight} until the vocabulary has `size` entries."""
    alphabet = byte_alphabet()
    weights = Counter()
    for text, weight in texts.items():
        for piece in pieces(text):
            symbols = [alphabet[b] for b in piece.encode()]
            weights[(*symbols[:-1], symbols[-1] + "</w>")] += weight
    words = [(list(word), weight) for word, weight in sorted(weights.items())]
    pairs, where = Counter(), {}
    for index, (word, weight) in enumerate(words):
        for pair in zip(word, word[1:]):
            pairs[pair] += weight
            where.setdefault(pair, set()).add(index)
    # the heap may hold old counts of a pair; they are put right when they come up
    heap = [(-count, pair) for pair, count in pairs.items()]
    heapq.heapify(heap)
    merges = []
    while len(merges) < size - 512 - 2 and heap:
        count, best = heapq.heappop(heap)
        if -count != pairs[best]:
            if pairs[best] > 0:
                heapq.heappush(heap, (-pairs[best], best))
            continue
        merges.append(best)
        changed = set()
        for index in where.pop(best):
            word, weight = words[index]
            for pair in zip(word, word[1:]):
                pairs[pair] -= weight
            word[:] = merge(word, best)
            for pair in zip(word, word[1:]):
                pairs[pair] += weight
                where.setdefault(pair, set()).add(index)
                changed.add(pair)
        for pair in changed:
            heapq.heappush(heap, (-pairs[pair], pair))
        pairs[best] = 0
    return merges


def merge(word, pair):
    """Join every occurrence of a pair, left to right."""
    joined, at = [], 0
    while at < len(word):
        if at + 1 < len(word) and (word[at], word[at + 1]) == pair:
            joined.append(word[at] + word[at + 1])
            at += 2
        else:
            joined.append(word[at])
            at += 1
    return joined


class Tokenizer:
    """Encodes texts with a list of merges."""

    def __init__(self, merges, context):
        symbols = list(byte_alphabet().values())
        entries = symbols + [s + "</w>" for s in symbols] + ["".join(pair) for pair in merges] + [START, END]
        self.merges, self.context = merges, context
        self.ids = {entry: number for number, entry in enumerate(entries)}
        if len(self.ids) != len(entries):
            raise ValueError("two merges give the same token")
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        self._alphabet = byte_alphabet()
        self._known = {}

    @classmethod
    def load(cls, folder, context):
        """Read `merges.txt` of a folder."""
        with open(os.path.join(folder, "merges.txt"), encoding="utf-8") as lines:
            return cls([tuple(line.split()) for line in lines if not line.startswith("#version")], context)

    def save(self, folder):
        """Write `vocab.json` and `merges.txt`."""
        with open(os.path.join(folder, "merges.txt"), "w", encoding="utf-8") as file:
            file.write("#version: 0.2\n" + "".join(" ".join(pair) + "\n" for pair in self.merges))
        with open(os.path.join(folder, "vocab.json"), "w", encoding="utf-8") as file:
            json.dump(self.ids, file, ensure_ascii=False)

    def _piece(self, piece):
        if piece not in self._known:
            symbols = [self._alphabet[b] for b in piece.encode()]
            word = [*symbols[:-1], symbols[-1] + "</w>"]
            while len(word) > 1:
                best = min(zip(word, word[1:]), key=lambda pair: self._ranks.get(pair, 1 << 30))
                if best not in self._ranks:
                    break
                word = merge(word, best)
            self._known[piece] = [self.ids[symbol] for symbol in word]
        return self._known[piece]

    def __call__(self, texts):
        """Token ids of some texts, padded with 0, cut to the context."""
        rows = np.zeros((len(texts), self.context), np.int64)
        for row, text in zip(rows, texts):
            ids = [number for piece in pieces(text) for number in self._piece(piece)][:self.context - 2]
            row[:len(ids) + 2] = [self.ids[START], *ids, self.ids[END]]
        return rows
