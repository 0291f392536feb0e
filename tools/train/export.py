"""Writes a checkpoint as the model in the box: weights with OpenAI's names in fp16, vocabulary, names."""

import argparse
import json
import os

import torch
from safetensors.torch import save_file

from bpe import Tokenizer


def export(checkpoint, folder):
    """Write `lancet-mini.safetensors`, `vocab.json`, `merges.txt` and `lancet-mini.json` into a folder."""
    os.makedirs(folder, exist_ok=True)
    weights = {key: value.detach().to("cpu", torch.float16).contiguous() for key, value in checkpoint["model"].items()}
    path = os.path.join(folder, "lancet-mini.safetensors")
    save_file(weights, path + ".part", metadata={"format": "pt", "activation": "quick_gelu"})
    os.chmod(path + ".part", 0o644)  # save_file leaves it to the owner alone
    os.replace(path + ".part", path)
    Tokenizer([tuple(pair) for pair in checkpoint["merges"]], len(weights["positional_embedding"])).save(folder)
    card = {"name": "lancet-mini", "activation": "quick_gelu", "names": checkpoint["names"],
            "cut_outs": checkpoint["cut_outs"], "pictures_seen": checkpoint["pictures"]}
    with open(os.path.join(folder, "lancet-mini.json"), "w", encoding="utf-8") as file:
        json.dump(card, file, indent=1, ensure_ascii=False)
        file.write("\n")
    return os.path.getsize(path)


def main():
    """Export from the command line; safe while the training goes on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", default="models/.work/checkpoint.pt")
    parser.add_argument("--out", default="models")
    options = parser.parse_args()
    checkpoint = torch.load(options.checkpoint, map_location="cpu", weights_only=False)
    size = export(checkpoint, options.out)
    print(f"{options.out}: {size / 2 ** 20:.1f} MiB after {checkpoint['pictures']} pictures, {checkpoint['minutes']:.1f} minutes")


if __name__ == "__main__":
    main()
