"""Trains the model in the box; one command, resumable, on a GPU if there is one and else on two cores."""

import argparse
import json
import math
import os
import sys
import time
from collections import namedtuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "scenes"))

import pool as pools  # noqa: E402
from batches import Batches  # noqa: E402
from bpe import Tokenizer, learn  # noqa: E402
from cutouts import CutOuts  # noqa: E402
from evaluate import Evaluation, ensemble  # noqa: E402
from export import export  # noqa: E402
from losses import caption_contrast, name_contrast, shown_names, word_distance  # noqa: E402
from model import Clip, from_weights  # noqa: E402
from muon import Muon  # noqa: E402
from names import Names, held_out_synonyms  # noqa: E402
from photographs import decode, read_classes  # noqa: E402
from templates import TEMPLATES  # noqa: E402
from words import Words  # noqa: E402

Stage = namedtuple("Stage", "until size keep single")  # share of the time, picture size, share of patches kept
CONTEXT = 32
VOCABULARY = 8192
EMBED = 256
# small pictures of single things first
STAGES = (Stage(until=0.22, size=32, keep=1.0, single=True), Stage(until=0.5, size=48, keep=1.0, single=False),
          Stage(until=0.92, size=64, keep=1.0, single=False), Stage(until=1.0, size=112, keep=0.5, single=False))
WORD_STEPS = 4  # while text is locked, its words come every so manieth step, so many times as many
TEXT_STEPS = 3  # later the text tower, which costs more than the picture tower, learns every so manieth step
TABLE_STEPS = 100  # how long the names' embeddings are kept in the steps that do not train text
TAP = 6  # the block after which patches are asked what they show: the last before surgery begins
WEIGHTS = {"words": 2.0, "patches": 1.0, "captions": 1.0, "names": 1.0}


def options_from_command_line():
    """Parse the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--work", default="models/.work", help="folder for caches, checkpoints and the log")
    parser.add_argument("--photographs", help="folder of the Tiny-ImageNet pictures; without it scenes alone")
    parser.add_argument("--wordnet", default="/usr/share/wordnet/index.noun")
    parser.add_argument("--minutes", type=float, default=120, help="length of the whole training; the schedule fits it")
    parser.add_argument("--text-minutes", type=float, help="text alone at first (a thirtieth of --minutes)")
    parser.add_argument("--locked", type=float, default=0.25,
                        help="share of the time in which pictures follow the text tower, not it them")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--prompts", type=int, default=128, help="prompted names in a batch")
    parser.add_argument("--nouns", type=int, default=64, help="words with targets in a batch")
    parser.add_argument("--photo-share", type=float, default=0.12, help="share of a batch that is photographs")
    parser.add_argument("--pool", type=int, default=32_000, help="scenes kept composed")
    parser.add_argument("--muon-lr", type=float, default=0.01)
    parser.add_argument("--adam-lr", type=float, default=1.5e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--evaluate-every", type=float, default=15, help="minutes")
    parser.add_argument("--save-every", type=float, default=4, help="minutes")
    parser.add_argument("--init", help="start from exported weights (and their vocabulary) instead of from nothing")
    parser.add_argument("--text-from", help="take the text tower and vocabulary from this checkpoint")
    options = parser.parse_args()
    if options.text_minutes is None:
        options.text_minutes = options.minutes / 30
    return options


def make_tokenizer(words):
    """Learn the vocabulary from the templates and the words, by weight."""
    texts = {template.format(""): 200.0 for template in TEMPLATES}
    texts |= {word: words.weights[word] for word in words.words}
    return Tokenizer(learn(texts, VOCABULARY), CONTEXT)


def split_parameters(model):
    """The blocks' matrices, and the rest as AdamW groups with and without weight decay."""
    matrices, decayed, plain = [], [], []
    for name, p in model.named_parameters():
        if "resblocks" in name and p.ndim == 2:
            matrices.append(p)
        elif p.ndim >= 2 and "positional" not in name:
            decayed.append(p)
        else:
            plain.append(p)
    return matrices, [{"params": decayed, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}]


def rate(progress):
    """Factor of the learning rates: a short rise, a plateau, a linear fall over the last 45 %."""
    return min(1.0, progress / 0.01, max(0.0, (1 - progress) / 0.45))


def stage(progress):
    """The stage at this point of the training."""
    return next((s for s in STAGES if progress <= s.until), STAGES[-1])


class Trainer:
    """Holds everything that a checkpoint restores."""

    def __init__(self, options):
        self.options = options
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        os.makedirs(options.work, exist_ok=True)
        cutouts = CutOuts(os.path.join(options.work, "cutouts.npz"))
        self.things = cutouts.names
        self.names = Names(cutouts.names, read_classes(options.photographs) if options.photographs else [])
        words = Words(self.names, options.wordnet, EMBED, options.work, held_out_synonyms())
        photographs = decode(options.photographs, "train", options.work)[:2] if options.photographs else None
        self.path = os.path.join(options.work, "checkpoint.pt")
        saved = torch.load(self.path, map_location="cpu", weights_only=False) if os.path.exists(self.path) else None
        self.model, tokenizer = self._model(saved, words)
        self.tokenizer = tokenizer
        matrices, rest = split_parameters(self.model)
        width = len(self.model.visual.class_embedding)
        # helps the tower along in training and is no part of the model
        self.patch_names = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, len(self.names.names) + 1)).to(self.device)
        self.optimisers = [Muon(matrices, options.muon_lr), torch.optim.AdamW(rest, options.adam_lr, (0.9, 0.98)),
                           torch.optim.AdamW(self.patch_names.parameters(), options.adam_lr, (0.9, 0.98))]
        self.rates = [options.muon_lr, options.adam_lr, options.adam_lr]
        self.minutes, self.pictures, self.steps, self.best = 0.0, 0, 0, -1.0
        self.table, self.table_due = None, 0
        pool = pools.start(os.path.join(options.work, "pool"), options.pool, options, self.names)
        self.batches = Batches(pool, photographs, self.names, words, tokenizer, options.seed)
        if saved:
            self._restore(saved)
        self.evaluation = Evaluation(options.work, options.photographs, scenes=400, photos=800,
                                     templates=TEMPLATES[::8])
        self.log = open(os.path.join(options.work, "log.jsonl"), "a", encoding="utf-8")

    def _model(self, saved, words):
        """The model and its tokenizer, from a checkpoint, from exported weights or new."""
        torch.manual_seed(self.options.seed)
        if saved:
            tokenizer = Tokenizer([tuple(pair) for pair in saved["merges"]], CONTEXT)
            model = from_weights(saved["model"])
        elif self.options.init:
            from safetensors.torch import load_file
            model = from_weights(load_file(self.options.init))
            tokenizer = Tokenizer.load(os.path.dirname(os.path.abspath(self.options.init)), CONTEXT)
        elif self.options.text_from:
            earlier = torch.load(self.options.text_from, map_location="cpu", weights_only=False)
            tokenizer = Tokenizer([tuple(pair) for pair in earlier["merges"]], CONTEXT)
            model = Clip(len(tokenizer.ids), CONTEXT, embed=EMBED)
            text = {k: v for k, v in earlier["model"].items() if not k.startswith("visual.") and k != "logit_scale"}
            model.load_state_dict(text, strict=False)
        else:
            tokenizer = make_tokenizer(words)
            model = Clip(len(tokenizer.ids), CONTEXT, embed=EMBED)
        return model.to(self.device), tokenizer

    def _restore(self, saved):
        for optimiser, state in zip(self.optimisers, saved["optimisers"]):
            optimiser.load_state_dict(state)
        self.minutes, self.pictures, self.steps, self.best = (saved[k] for k in ("minutes", "pictures", "steps", "best"))
        if "patch_names" in saved:
            self.patch_names.load_state_dict(saved["patch_names"])
        self.batches.rng.bit_generator.state = saved["numpy"]
        torch.set_rng_state(saved["torch"])

    def checkpoint(self):
        """Everything that is needed to go on."""
        return {"model": self.model.state_dict(), "patch_names": self.patch_names.state_dict(), "optimisers": [o.state_dict() for o in self.optimisers],
                "minutes": self.minutes, "pictures": self.pictures, "steps": self.steps, "best": self.best,
                "numpy": self.batches.rng.bit_generator.state, "torch": torch.get_rng_state(),
                "merges": self.tokenizer.merges, "names": self.names.names, "cut_outs": self.things}

    def save(self):
        """Write the checkpoint; a half-written one never replaces a whole one."""
        torch.save(self.checkpoint(), self.path + ".part")
        os.replace(self.path + ".part", self.path)

    def losses(self, text_only):
        """The losses of one batch."""
        options, device, model = self.options, self.device, self.model
        progress = self.minutes / options.minutes
        locked = progress < options.locked or self.steps % TEXT_STEPS > 0
        parts = {}
        with torch.autocast(device, torch.bfloat16):
            first = progress < options.locked
            if text_only or not locked or (first and self.steps % WORD_STEPS == 0):
                count = options.nouns * (WORD_STEPS if first else 1)
                nouns, targets = self.batches.nouns(count)
                parts["words"] = word_distance(model.encode_text(nouns.to(device)), targets.to(device))
            if text_only:
                return parts
            now = stage(progress)
            pictures, things, shown = self.batches.pictures(options.batch, options.photo_share, now.size, now.single)
            images, patches = model.visual(pictures.to(device), now.keep, tap=TAP)
            images = F.normalize(images.float(), dim=-1)
            if now.keep == 1.0:
                parts["patches"] = shown_names(self.patch_names(patches), shown.to(device))
            ids, said = self.batches.captions(things)
            with torch.set_grad_enabled(not locked):
                captions = model.encode_text(ids.to(device))
                prompts, chosen = self._prompts(things, locked)
        present = torch.from_numpy(np.stack([self.names.present(own) for own in things]))
        scale = model.logit_scale.clamp(max=math.log(100)).exp()
        parts["captions"] = caption_contrast(images, captions, scale, present.to(device), torch.from_numpy(said).to(device))
        parts["names"] = name_contrast(images, prompts, scale, present[:, chosen].to(device))
        self.pictures += len(images)
        return parts

    def _prompts(self, things, locked):
        """Embeddings of prompted names: of some with gradients, or of all from a table while text is locked."""
        if not locked:
            ids, chosen = self.batches.prompted(things, self.options.prompts)
            return self.model.encode_text(ids.to(self.device)), chosen
        if self.table is None or self.steps >= self.table_due:
            self.table = ensemble(self.model, self.tokenizer, self.names.names, TEMPLATES[::17])
            self.table_due = self.steps + TABLE_STEPS
        return self.table, np.arange(len(self.names.names))

    def step(self):
        """One step of both optimisers; returns the losses as numbers."""
        progress = self.minutes / self.options.minutes
        parts = self.losses(text_only=self.minutes < self.options.text_minutes)
        sum(WEIGHTS[name] * value for name, value in parts.items()).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        for optimiser, lr in zip(self.optimisers, self.rates):
            for group in optimiser.param_groups:
                group["lr"] = lr * rate(progress)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.steps += 1
        return {name: value.item() for name, value in parts.items()}

    def note(self, entry):
        """Append to the log and print."""
        entry = {"minutes": round(self.minutes, 2), "pictures": self.pictures, **entry}
        self.log.write(json.dumps(entry) + "\n")
        self.log.flush()
        print(" ".join(f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in entry.items()), flush=True)

    def evaluate(self):
        """Evaluate, log, and export if it is the best so far."""
        side = stage(self.minutes / self.options.minutes).size
        figures = self.evaluation.run(self.model, self.tokenizer, side=side)
        self.note({"size": side, "evaluation": {k: round(v, 1) if isinstance(v, float) else v for k, v in figures.items()}})
        if figures["recall_heldout"] > self.best:
            self.best = figures["recall_heldout"]
            export(self.checkpoint(), os.path.join(self.options.work, "best"))

    def run(self):
        """Train until the minutes are used up."""
        options = self.options
        saved = evaluated = noted = self.minutes
        sums, begun = {}, self.pictures
        clock = time.monotonic()
        self.model.train()
        while self.minutes < options.minutes:
            for name, value in self.step().items():
                sums.setdefault(name, []).append(value)
            now = time.monotonic()
            self.minutes += (now - clock) / 60
            clock = now
            if self.minutes - noted >= min(1.0, options.minutes / 20):
                speed = (self.pictures - begun) / (60 * (self.minutes - noted))
                self.note({"step": self.steps, "per_second": speed, "scale": self.model.logit_scale.exp().item(),
                           "size": stage(self.minutes / options.minutes).size, **{k: sum(v) / len(v) for k, v in sums.items()}})
                sums, begun, noted = {}, self.pictures, self.minutes
            if self.minutes - evaluated >= options.evaluate_every:
                evaluated = self.minutes
                self.evaluate()
            if self.minutes - saved >= options.save_every:
                saved = self.minutes
                self.save()
        self.save()
        self.evaluate()


def main():
    """Train from the command line."""
    options = options_from_command_line()
    torch.set_num_threads(options.threads)
    Trainer(options).run()


if __name__ == "__main__":
    main()
