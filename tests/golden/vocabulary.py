"""CLIP's byte-pair tokenizer for ASCII text, and the learning of a small vocabulary of its kind."""

import gzip
import html
import json
import os
import re
from collections import Counter

START, END = "<|startoftext|>", "<|endoftext|>"
CLIP_MERGES = 48894
PATTERN = re.compile(r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[a-z]+|[0-9]|[^\sa-z0-9]+")


def byte_symbols():
    """The 256 symbols that stand for bytes, in the order of CLIP's ids, and {byte: symbol}."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    table = {byte: chr(byte) for byte in printable}
    table.update({byte: chr(256 + i) for i, byte in enumerate(others)})
    return list(table.values()), table


def words_of(text):
    """Lower-case words as CLIP's pattern cuts them."""
    text = re.sub(r"\s+", " ", html.unescape(html.unescape(text))).strip().lower()
    return PATTERN.findall(text)


def merge(symbols, pair):
    """Every non-overlapping occurrence of `pair`, from the left, becomes one symbol."""
    out, i = [], 0
    while i < len(symbols):
        if tuple(symbols[i : i + 2]) == pair:
            out.append(symbols[i] + symbols[i + 1])
            i += 2
        else:
            out.append(symbols[i])
            i += 1
    return out


class Tokenizer:
    def __init__(self, merges):
        symbols, self.bytes = byte_symbols()
        self.merges = [tuple(pair) for pair in merges]
        self.ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        tokens = symbols + [symbol + "</w>" for symbol in symbols] + ["".join(pair) for pair in self.merges]
        self.ids = {token: i for i, token in enumerate([*tokens, START, END])}
        self.known = {}

    @classmethod
    def open(cls, path):
        """A folder or file: merges.txt of Hugging Face, or CLIP's bpe_simple_vocab_16e6.txt.gz."""
        if os.path.isdir(path):
            names = ("merges.txt", "bpe_simple_vocab_16e6.txt.gz")
            path = next(os.path.join(path, name) for name in names if os.path.exists(os.path.join(path, name)))
        with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as file:
            lines = file.read().split("\n")
        return cls([line.split() for line in lines[1 : 1 + CLIP_MERGES] if line])

    def save(self, folder):
        with open(os.path.join(folder, "merges.txt"), "w", encoding="utf-8") as file:
            file.write("#version: 0.2\n" + "".join(f"{left} {right}\n" for left, right in self.merges))
        with open(os.path.join(folder, "vocab.json"), "w", encoding="utf-8") as file:
            json.dump(self.ids, file, separators=(",", ":"), ensure_ascii=False)
            file.write("\n")

    def word(self, word):
        if word in (START, END):
            return [self.ids[word]]
        if word not in self.known:
            symbols = [self.bytes[byte] for byte in word.encode()]
            symbols[-1] += "</w>"
            while len(symbols) > 1:
                pair = min(zip(symbols, symbols[1:]), key=lambda pair: self.ranks.get(pair, len(self.ranks)))
                if pair not in self.ranks:
                    break
                symbols = merge(symbols, pair)
            self.known[word] = [self.ids[symbol] for symbol in symbols]
        return self.known[word]

    def encode(self, text):
        return [i for word in words_of(text) for i in self.word(word)]

    def context(self, text, length):
        """Start, ids, end, zeros; a text that is too long is cut and still ends with the end token."""
        ids = [self.ids[START], *self.encode(text), self.ids[END]]
        if len(ids) > length:
            ids = [*ids[: length - 1], self.ids[END]]
        return ids + [0] * (length - len(ids))


def learn_merges(sentences, count):
    """The usual byte-pair learning: join the most frequent pair, again and again; ties go to the first in order."""
    _, table = byte_symbols()
    words = Counter(word for sentence in sentences for word in words_of(sentence))
    pieces = {word: [table[byte] for byte in word.encode()] for word in words}
    for symbols in pieces.values():
        symbols[-1] += "</w>"
    merges, tokens = [], set()
    while len(merges) < count:
        pairs = Counter()
        for word, symbols in pieces.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += words[word]
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        if best[0] + best[1] not in tokens:  # a second way to the same token would give it two ids
            merges.append(best)
            tokens.add(best[0] + best[1])
        pieces = {word: merge(symbols, best) for word, symbols in pieces.items()}
    return merges
