"""Measures a model: names of held-out scenes, photographs by name, synonyms, raw and surgery maps."""

import argparse
import json
import os
import sys

import numpy as np
import torch
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "scenes"))

from backgrounds import load_wallpapers  # noqa: E402
from bpe import Tokenizer  # noqa: E402
from compose import Composer  # noqa: E402
from cutouts import CutOuts  # noqa: E402
from model import from_weights, normalise  # noqa: E402
from names import Names, held_out_synonyms  # noqa: E402
from photographs import decode, read_classes  # noqa: E402
from surgery import Scores, maps, token_features  # noqa: E402
from templates import TEMPLATES  # noqa: E402

HELD_OUT_SEED = 20_260_000  # no training run uses the scenes of this seed


@torch.no_grad()
def ensemble(model, tokenizer, words, templates=TEMPLATES):
    """The normalised mean of each word's embeddings in the templates."""
    device = model.logit_scale.device
    features = []
    for word in words:
        ids = torch.from_numpy(tokenizer([t.format(word) for t in templates])).to(device)
        features.append(F.normalize(model.encode_text(ids).mean(dim=0), dim=0))
    return torch.stack(features)


@torch.no_grad()
def embed_pictures(model, pictures, side, batch=64):
    """Embeddings of uint8 pictures, scaled to `side`."""
    device = model.logit_scale.device
    features = []
    for at in range(0, len(pictures), batch):
        x = normalise(torch.from_numpy(np.ascontiguousarray(pictures[at:at + batch])).to(device))
        if x.shape[-1] != side:
            x = F.interpolate(x, (side, side), mode="bicubic", antialias=True)
        features.append(model.encode_image(x))
    return torch.cat(features)


def recall(features, text, things):
    """Of the things present, the share among the best k names, k being how many are present."""
    found = total = 0
    for row, own in zip((features @ text.t()).cpu().numpy(), things):
        best = set(np.argsort(-row)[:len(own)].tolist())
        found += len(best & set(own))
        total += len(own)
    return 100 * found / total


def synonym_ranks(model, tokenizer, names, text, templates):
    """{synonym: rank of its name among all names} by the text tower alone."""
    words = held_out_synonyms()
    features = ensemble(model, tokenizer, list(words), templates)
    ranks = {}
    for word, name, row in zip(words, words.values(), (features @ text.t()).cpu()):
        ranks[word] = int((row > row[names.index(name)]).sum()) + 1
    return ranks


class Evaluation:
    """The held-out material, made once."""

    def __init__(self, work, photographs, scenes=1000, photos=2000, templates=TEMPLATES):
        cutouts = CutOuts(os.path.join(work, "cutouts.npz"))
        self.names = Names(cutouts.names, read_classes(photographs) if photographs else [])
        self.things, self.templates = cutouts.names, templates
        wallpapers = load_wallpapers()
        self.scenes = {}
        for split in ("heldout", "train"):
            composer = Composer(cutouts, wallpapers, 112, split, HELD_OUT_SEED)
            self.scenes[split] = [composer.scene(i) for i in range(scenes)]
        # among the held-out scenes' things, those of which no cut-out was seen in training
        self.unseen = {i for i, own in enumerate(cutouts.pictures) if len(own) > 1}
        self.photos = None
        if photographs:
            pictures, labels, _ = decode(photographs, "val", work)
            chosen = np.random.default_rng(0).permutation(len(labels))[:photos]
            self.photos = pictures[np.sort(chosen)], labels[np.sort(chosen)]

    def run(self, model, tokenizer, mapped=100, side=None):
        """All figures, in per cent, as a dictionary; `side` is the pictures' size (the model's own)."""
        model.eval()
        side = side or model.visual.grid * model.visual.conv1.kernel_size[0]
        names = self.names.names
        text = ensemble(model, tokenizer, names, self.templates)
        things = text[self.names.of_thing]
        figures = {}
        for split, scenes in self.scenes.items():
            features = embed_pictures(model, np.stack([scene.picture for scene in scenes]), side)
            own = [scene.things for scene in scenes]
            figures[f"recall_{split}"] = recall(features, things, own)
            if split == "heldout":
                figures["recall_heldout_all_names"] = recall(
                    features, text, [self.names.of_thing[o].tolist() for o in own])
                for label, part in (("new_cutouts", lambda o: set(o) <= self.unseen),
                                    ("known_cutouts", lambda o: not set(o) & self.unseen)):
                    rows = [i for i, o in enumerate(own) if part(o)]
                    figures[f"recall_heldout_{label}"] = recall(features[rows], things, [own[i] for i in rows])
        if self.photos:
            features = embed_pictures(model, self.photos[0], side)
            best = (features @ text[self.names.of_class].t()).argmax(dim=1).cpu().numpy()
            figures["photographs_top1"] = 100 * float((best == self.photos[1]).mean())
        ranks = synonym_ranks(model, tokenizer, names, text, self.templates)
        figures["synonyms_first"] = 100 * sum(rank == 1 for rank in ranks.values()) / len(ranks)
        figures["synonyms_missed"] = {word: rank for word, rank in ranks.items() if rank > 1}
        figures.update(self._map_scores(model, things, mapped, side))
        model.train()
        return figures

    def _map_scores(self, model, text, count, side):
        """mSC and mIoU of raw and surgery maps on held-out scenes."""
        device = model.logit_scale.device
        scores = {"raw": Scores(), "surgery": Scores()}
        for scene in self.scenes["heldout"][:count]:
            picture = normalise(torch.from_numpy(scene.picture[None].copy()).to(device))
            picture = F.interpolate(picture, (side, side), mode="bicubic", antialias=True)
            own = [t for t in scene.things if (scene.mask == t + 1).any()]
            for kind, features in zip(scores, token_features(model.visual, picture)):
                for thing, heat in zip(own, maps(features[0], text[own], 112).cpu()):
                    scores[kind].add(thing, heat, torch.from_numpy(scene.mask == thing + 1))
        figures = {}
        for kind, gathered in scores.items():
            figures[f"msc_{kind}"], figures[f"miou_{kind}"], _ = gathered.result()
        return figures


def main():
    """Evaluate exported weights from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="models/lancet-mini.safetensors", help="weights with OpenAI's names")
    parser.add_argument("--work", default="models/.work", help="folder for caches")
    parser.add_argument("--photographs", help="folder of the Tiny-ImageNet pictures")
    parser.add_argument("--scenes", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    from safetensors.torch import load_file
    model = from_weights(load_file(options.model))
    tokenizer = Tokenizer.load(os.path.dirname(os.path.abspath(options.model)), len(model.positional_embedding))
    evaluation = Evaluation(options.work, options.photographs, options.scenes, photos=100_000)
    print(json.dumps(evaluation.run(model, tokenizer, mapped=min(500, options.scenes)), indent=1))


if __name__ == "__main__":
    main()
