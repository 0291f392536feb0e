#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the test data of the tokenizer: tests/clip/text/data/{merges.txt,vocab.json,strings.jsonl}.

    pip install ftfy==6.3.1 regex
    python3 tools/generate/text_cases.py tests/clip/text/data

A small vocabulary of our own (CLIP's may not be passed on with this repository) is learned by byte-pair merging from
the words below, and the strings are tokenized with it by the published algorithm written down again here: ftfy,
html.unescape, str.lower and the regex module are the very ones the published tokenizer calls, the merging is its
literal form. Only ftfy's repair of wrongly decoded text (fix_encoding) is off, which Lancet leaves out.

Each line of strings.jsonl has `text`; `normalized`, the text that the word pattern sees; `ids` without start and end
token; `ends`, the UTF-8 offset in `normalized` past each token.
"""

import collections
import html
import html.entities
import json
import pathlib
import random
import sys
import unicodedata

import ftfy
import regex

MERGES = 900
STRINGS = 600
SPECIAL = ("<|startoftext|>", "<|endoftext|>")
PATTERN = regex.compile(
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+", regex.IGNORECASE)

WORDS = """a photo of the cat dog bird horse sheep cow elephant bear zebra giraffe person's people they're I'm we've she'd
you'll it's don't bicycle car motorcycle airplane bus train truck boat bench chair sofa table dining_table potted plant
television tv-monitor bottle cup fork knife spoon bowl banana apple sandwich orange broccoli carrot pizza donut cake
sitting standing running jumping on in under near beside with without and or not very large small red green blue yellow
black white bright dark close-up low resolution pixelated jpeg corrupted blurry rendering sculpture painting drawing
sketch tattoo graffiti origami embroidered plushie cartoon toy there is this one scene video game good bad clean dirty
naïve café schön Straße crème brûlée señor über façade piñata mañana Łódź İstanbul ΟΔΟΣ σκύλος γάτα кошка собака
фотография на траве 猫 犬 の 写真 고양이 사진 क त ด م ن חתול 3.14 50% #1 2023 x@example.org !!! ... ?! -- :) (c)""".split()

ODD = ["&amp;", "&amp;amp;", "&amp;#39;", "&AMP;amp;", "&#38;#38;#60;", "&lt;b&gt;", "&notit;", "&not", "&eacute;",
       "&EACUTE;", "&nTILDE;", "&SZLIG;", "&FFILIG;", "&#x201c;", "&#X1F600;", "&#0;", "&#13;\n", "\r&#10;", "&#128;",
       "&#xD800;", "&#x110000;", "&#99999999999;", "&#xfdd0;", "&#1;", "&#59;", "&#12a;", "&#;", "&;", "&&amp;;",
       "&hellip;", "&nbsp;", "&NotEqualTilde;", "&ampx", "&ltdot;", "&GTDOT;", "&CounterClockwiseContourIntegral;",
       "&#x0000000000000000000041;", "&#x00000000000000000000041;", "\x1b[31m", "\x1b[1;33m", "\x1b[\u0661m", "\x1b[",
       "\r\n", "\r", "\n", "\u2028", "\x85", "\x0b", "\x0c", "\x1c", "\x7f", "\x00", "\u200b", "\u200d", "\ufeff",
       "\ufffc", "\ufffd", "\u0345", "\u0130", "\u0149", "\ufb05", "\ufb03", "\u01c4", "\u017f", "'\u017f",
       "<|\u017ftartoftext|>", "<|startoftext|>", "<|EndOfText|>", "\u212a", "\u2126", "\u03a3", "\u03a3.",
       "\u03a3\u0301", "\u3000", "\uff1c", "\uff06amp;", "\uff21", "\uff76\uff9e", "\uffe3", "\u037e",
       "a\u0308\u0301", "e\u0327\u0301\u0323", "\u0f73", "\u1100\u1161\u11a8", "\u09c7\u09be", "\U0001d160", "<", ">",
       "&", "'", "\u2018S", "\u201cq\u201d", "\U0001f9d1\u200d\U0001f680", "\U0001f1e9\U0001f1ea", "\u0bb8\u0bcd",
       "\u2167", "\u00bd", "\u0664", "\u3360"]

BLOCKS = [(0x21, 0x7E), (0xA0, 0x24F), (0x250, 0x2FF), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x531, 0x58F),
          (0x591, 0x5F4), (0x600, 0x6FF), (0x700, 0x7BF), (0x900, 0xDFF), (0xE00, 0xFFF), (0x1000, 0x10FF),
          (0x1100, 0x11FF), (0x1200, 0x18AF), (0x1D00, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x218F), (0x2460, 0x27BF),
          (0x2C00, 0x2DFF), (0x3040, 0x33FF), (0x4E00, 0x9FFF), (0xA000, 0xA7FF), (0xAC00, 0xD7A3), (0xF900, 0xFDFF),
          (0xFE00, 0xFFFF), (0x10400, 0x104FF), (0x1D000, 0x1D7FF), (0x1F100, 0x1F6FF), (0x20000, 0x20100)]


def alphabet():
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in printable]
    return {**{b: chr(b) for b in printable}, **{b: chr(256 + i) for i, b in enumerate(rest)}}


BYTES = alphabet()


def spell(word):
    letters = [BYTES[byte] for byte in word.encode()]
    return (*letters[:-1], letters[-1] + "</w>")


def merge(symbols, pair):
    out, i = [], 0
    while i < len(symbols):
        if symbols[i:i + 2] == pair:
            out.append(pair[0] + pair[1])
            i += 2
        else:
            out.append(symbols[i])
            i += 1
    return tuple(out)


def learn(words):
    """Byte-pair learning; a pair whose joined symbol exists already is passed over, so that ids stay unique."""
    words = collections.Counter(spell(w) for w in words)
    known = {s for s in BYTES.values()} | {s + "</w>" for s in BYTES.values()}
    merges = []
    while len(merges) < MERGES:
        pairs = collections.Counter()
        for symbols, count in words.items():
            for pair in zip(symbols, symbols[1:]):
                if pair[0] + pair[1] not in known:
                    pairs[pair] += count
        if not pairs:
            break
        pair = max(pairs, key=lambda p: (pairs[p], p))
        merges.append(pair)
        known.add(pair[0] + pair[1])
        merged = collections.Counter()
        for symbols, count in words.items():
            merged[merge(symbols, pair)] += count
        words = merged
    return merges


class Tokenizer:
    def __init__(self, merges):
        symbols = [*BYTES.values(), *(s + "</w>" for s in BYTES.values()), *(a + b for a, b in merges), *SPECIAL]
        self.ids = {symbol: i for i, symbol in enumerate(symbols)}
        assert len(self.ids) == len(symbols)
        self.ranks = {pair: i for i, pair in enumerate(merges)}

    def merge_word(self, word):
        if word in SPECIAL:
            return (word,)
        symbols = spell(word)
        while len(symbols) > 1:
            pair = min(zip(symbols, symbols[1:]), key=lambda p: self.ranks.get(p, float("inf")))
            if pair not in self.ranks:
                break
            symbols = merge(symbols, pair)
        return symbols

    def __call__(self, text):
        text = ftfy.fix_text(text, ftfy.TextFixerConfig(fix_encoding=False, explain=False))
        text = html.unescape(html.unescape(text)).strip()
        text = regex.sub(r"\s+", " ", text).strip().lower()
        ids, ends = [], []
        for match in PATTERN.finditer(text):
            at = len(text[:match.start()].encode())
            for symbol in self.merge_word(match.group()):
                ids.append(self.ids[symbol])
                at += len(symbol if symbol in SPECIAL else symbol.removesuffix("</w>") or symbol)
                ends.append(at)
        return {"normalized": text, "ids": ids, "ends": ends}


def piece(r):
    kind = r.random()
    if kind < 0.35:
        return r.choice(WORDS)
    if kind < 0.65:
        return r.choice(ODD)
    if kind < 0.8:
        name = r.choice(NAMES)
        return "&" + (name.upper() if r.random() < 0.3 else name) + r.choice(("", ";", "x"))
    first, last = r.choice(BLOCKS)
    points = [chr(r.randint(first, last)) for _ in range(r.randint(1, 6))]
    return "".join(c for c in points if unicodedata.category(c) not in ("Cn", "Cs"))


NAMES = sorted(html.entities.html5)


def main():
    folder = pathlib.Path(sys.argv[1])
    r = random.Random(20240229)
    merges = learn([w.lower() for w in WORDS for _ in range(3)] + [r.choice(WORDS).lower() for _ in range(2000)])
    tokenizer = Tokenizer(merges)
    folder.joinpath("merges.txt").write_text(
        "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges), encoding="utf-8")
    folder.joinpath("vocab.json").write_text(json.dumps(tokenizer.ids, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    texts = ["", " ", "a photo of a cat.", "A  Photo\tof\na CAT.", "naïve café", "a_b", "it's 2023!!", *WORDS[-40:],
             *ODD]
    while len(texts) < STRINGS:
        gap = r.choice(("", " ", " ", "-", "\t", "\u00a0"))
        texts.append(gap.join(piece(r) for _ in range(r.randint(1, r.choice((3, 8, 14))))))
    with folder.joinpath("strings.jsonl").open("w", encoding="utf-8") as out:
        for text in texts:
            print(json.dumps({"text": text, **tokenizer(text)}, ensure_ascii=True), file=out)


main()
