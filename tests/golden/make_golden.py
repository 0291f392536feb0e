#!/usr/bin/env python3
"""Makes the golden folders of the tests (SETS, below), or checks the reference against another one.

    make_golden.py                                 write the folders anew
    make_golden.py --check DIR [--vocabulary PATH] compare the reference with the arrays in DIR, print a table

The weights are seeded noise: they mean nothing, the arithmetic does. Needs numpy and Pillow.
The form of a golden folder is described in docs/verify.md.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import sys

import numpy as np
from PIL import Image, ImageDraw

import methods
from containers import (from_custom_text, from_hugging_face, read_safetensors, to_custom_text, to_hugging_face,
                        write_safetensors)
from reference import (Clip, average_windows, feature_surgery, feature_surgery_empty, gelu, pixels, points, quick_gelu,
                       similarity_map, unit)
from resnet import ResNetClip
from vocabulary import Tokenizer, learn_merges

HERE = os.path.dirname(os.path.abspath(__file__))
MERGES = 1000
TOKEN_TEXTS = [
    "a photo of a cat.", "", "a bad photo of a .", "bench", "tv monitor", "it's 2023!!", "potted plant",
    "there is the airplane in the scene.", "a_b", "  Mixed   CASE\tand\nspaces ",
    "don't you've we'll they're I'm he'd", "1234567890", "hello<|endoftext|>world", "x" * 60,
    "#hashtag @user http://example.com/?q=1&r=2", "C++ vs. C# -- which?", "&amp; &lt;tag&gt; &amp;amp;",
    "ASCII only ~!@#$%^&*()_+{}|:\"<>?[];',./`", "word " * 100,
]

SETS = {
    "tiny": dict(seed=1, width=64, blocks=8, patch=8, resolution=48, embedding=64, text_width=64, text_blocks=2,
                 sides=[48, 64, "72x40", "64x48-32-12"], inside=["72x40"], blocks_kept=[2, 3, 8], map_size=(30, 45),
                 texts=["airplane", "person", "grass", "tv monitor", "potted plant"],
                 pictures={"scene.png": (96, 64), "shapes.jpg": (67, 101)}),
    "tiny_hf": dict(seed=1, width=64, blocks=8, patch=8, resolution=48, embedding=64, text_width=64, text_blocks=2,
                    sides=[48, 64], map_size=(31, 20), texts=["dog", "sky", "red bus"], pictures={"scene.png": (80, 80)},
                    hugging_face=dict(vision_heads=4, text_heads=2, epsilon=1e-3)),
    "tiny_odd": dict(seed=6, width=192, blocks=2, patch=7, resolution=49, embedding=48, text_width=64, text_blocks=1,
                     sides=[49, 35, 78, "91x45", "42x28", "84x56-49-28", "40x37-35-35"], inside=["42x28"],
                 methods=["42x28"],
                 blocks_kept=[1, 2], map_size=(40, 24), texts=["cat", "a wooden table", "river", "horse"],
                     pictures={"grey.png": (53, 31), "shapes.jpg": (120, 120)}, coarse=True),
    # The ratio is ViT-g-14's; 88 times it is 384.0056.
    "tiny_open_clip": dict(seed=4, width=88, blocks=3, patch=8, resolution=40, embedding=48, text_width=64, text_blocks=1,
                           sides=[40, "64x48"], map_size=(25, 36), texts=["boat", "the sky", "tv monitor"],
                           pictures={"scene.png": (90, 60)}, ratio=4.3637,
                           open_clip=dict(head_width=22, text_heads=4, epsilon=1e-4, mean=[0.5, 0.5, 0.5],
                                          std=[0.5, 0.5, 0.5])),
    "tiny_rn": dict(seed=2, width=6, blocks=[1, 2, 1, 1], patch=32, resolution=128, embedding=40, text_width=64,
                    text_blocks=1, sides=[128, 159, "176x129", "160x128-128-32"], inside=["176x129"], blocks_kept=[3, 5],
                    map_size=(26, 33), texts=["cat", "red bus", "river", "sky"],
                    pictures={"scene.png": (90, 61), "grey.png": (40, 64)}, coarse=True),
}


# ---- Weights and pictures


def seeded_tensors(seed, width, blocks, patch, resolution, embedding, text_width, text_blocks, vocabulary, coarse,
                   ratio=4):
    """{name: (type, array)} under OpenAI's names, in the types OpenAI leaves them: matrices float16, the rest float32.
    A list of blocks is a ModifiedResNet's, stage by stage.

    coarse: everything float32, in steps of an eighth of a deviation, so that the file packs well. ratio: of the hidden
    width of the picture tower's blocks to its width."""
    random = np.random.RandomState(seed)  # its stream is frozen: the same in every version of numpy

    def noise(scale, *shape):
        values = random.standard_normal(shape)
        return scale * (np.clip(np.round(values * 2), -7, 7) / 2 if coarse else values)

    half = "F32" if coarse else "F16"
    tensors = {}

    def norm(name, d):
        tensors[name + ".weight"] = ("F32", 1 + noise(0.1, d))
        tensors[name + ".bias"] = ("F32", noise(0.05, d))

    def tower(prefix, d, count, hidden):
        for i in range(count):
            block = f"{prefix}.resblocks.{i}."
            tensors[block + "attn.in_proj_weight"] = (half, noise(1.2 / d**0.5, 3 * d, d))
            tensors[block + "attn.in_proj_bias"] = (half, noise(0.1, 3 * d))
            tensors[block + "attn.out_proj.weight"] = (half, noise(0.6 / d**0.5, d, d))
            tensors[block + "attn.out_proj.bias"] = (half, noise(0.05, d))
            norm(block + "ln_1", d)
            tensors[block + "mlp.c_fc.weight"] = (half, noise(1 / d**0.5, hidden, d))
            tensors[block + "mlp.c_fc.bias"] = (half, noise(0.1, hidden))
            tensors[block + "mlp.c_proj.weight"] = (half, noise(0.6 / hidden**0.5, d, hidden))
            tensors[block + "mlp.c_proj.bias"] = (half, noise(0.05, d))
            norm(block + "ln_2", d)

    def layer(prefix, convolution, batch_norm, out, inside, kernel, size=1.0):
        tensors[prefix + convolution + ".weight"] = (half, noise((2 / (inside * kernel**2)) ** 0.5, out, inside, kernel, kernel))
        norm(prefix + batch_norm, out)
        tensors[prefix + batch_norm + ".weight"] = ("F32", size * tensors[prefix + batch_norm + ".weight"][1])
        tensors[prefix + batch_norm + ".running_mean"] = ("F32", noise(0.1, out))
        tensors[prefix + batch_norm + ".running_var"] = ("F32", 1 + noise(0.1, out))
        tensors[prefix + batch_norm + ".num_batches_tracked"] = ("I64", np.array(1000))

    def resnet():
        for i, (out, inside) in enumerate(((width // 2, 3), (width // 2, width // 2), (width, width // 2)), 1):
            layer("visual.", f"conv{i}", f"bn{i}", out, inside, 3)
        inside = width
        for stage, count in enumerate(blocks, 1):
            planes = width * 2 ** (stage - 1)
            for i in range(count):
                prefix = f"visual.layer{stage}.{i}."
                layer(prefix, "conv1", "bn1", planes, inside, 1)
                layer(prefix, "conv2", "bn2", planes, planes, 3)
                layer(prefix, "conv3", "bn3", 4 * planes, planes, 1, 0.3)
                if i == 0:
                    layer(prefix, "downsample.0", "downsample.1", 4 * planes, inside, 1, 0.5)
                inside = 4 * planes
        d = 32 * width
        tensors["visual.attnpool.positional_embedding"] = ("F32", noise(0.3, 1 + (resolution // 32) ** 2, d))
        for letter in "qkvc":
            out = embedding if letter == "c" else d
            tensors[f"visual.attnpool.{letter}_proj.weight"] = (half, noise(1 / d**0.5, out, d))
            tensors[f"visual.attnpool.{letter}_proj.bias"] = (half, noise(0.1, out))

    def vision_transformer():
        tensors["visual.class_embedding"] = ("F32", noise(0.5, width))
        tensors["visual.positional_embedding"] = ("F32", noise(0.3, 1 + (resolution // patch) ** 2, width))
        tensors["visual.proj"] = (half, noise(1 / width**0.5, width, embedding))
        tensors["visual.conv1.weight"] = (half, noise(1 / (3 * patch * patch) ** 0.5, width, 3, patch, patch))
        norm("visual.ln_pre", width)
        tower("visual.transformer", width, blocks, int(ratio * width))
        norm("visual.ln_post", width)

    tensors["positional_embedding"] = ("F32", noise(0.3, 77, text_width))
    tensors["text_projection"] = (half, noise(1 / text_width**0.5, text_width, embedding))
    tensors["logit_scale"] = ("F32", np.float64(np.log(100)))
    if isinstance(blocks, list):
        resnet()
    else:
        vision_transformer()
    tower("transformer", text_width, text_blocks, 4 * text_width)
    tensors["token_embedding.weight"] = (half if coarse else "F16", noise(0.5, vocabulary, text_width))
    norm("ln_final", text_width)
    return tensors


def draw_picture(path, width, height):
    """A sky, a meadow and a few things on it: something for every patch to tell apart."""
    y, x = np.mgrid[0:height, 0:width] / np.array([height, width]).reshape(2, 1, 1)
    rgb = np.stack([90 + 120 * x * (1 - y), 140 + 70 * y, 235 - 180 * y**2 + 20 * np.sin(9 * x)], -1)
    rgb += 12 * np.sin(40 * x * y)[..., None]
    picture = Image.fromarray(np.clip(rgb, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    draw.ellipse([0.08 * width, 0.1 * height, 0.3 * width, 0.35 * height], fill=(250, 220, 60))
    draw.rectangle([0.55 * width, 0.45 * height, 0.9 * width, 0.85 * height], fill=(180, 40, 35))
    draw.polygon([(0.5 * width, 0.45 * height), (0.73 * width, 0.2 * height), (0.95 * width, 0.45 * height)],
                 fill=(70, 45, 40))
    draw.rectangle([0.68 * width, 0.6 * height, 0.77 * width, 0.85 * height], fill=(240, 235, 220))
    draw.line([0, 0.95 * height, 0.5 * width, 0.7 * height], fill=(30, 30, 30), width=3)
    if os.path.basename(path).startswith("grey"):
        picture = picture.convert("L")
    picture.save(path, quality=88)


# ---- A folder's arrays


def compute(model, tokenizer, templates, folder, spec):
    """Every array of a golden folder, by name, and the points."""
    arrays, lists = {}, {}
    arrays["text/tokens"] = np.array([tokenizer.context(text, model.context) for text in spec["token_texts"]], np.int32)
    texts = np.array([tokenizer.context(text, model.context) for text in spec["texts"]])
    arrays["text/features"] = model.encode_text(texts)
    labels = np.stack([model.ensemble(tokenizer, text, templates) for text in spec["texts"]])
    empty = model.ensemble(tokenizer, "", templates)
    arrays["text/ensemble"], arrays["text/ensemble_empty"] = labels, empty[None]
    surgery_last = min(6, model.vision_blocks)
    forms = {
        "similarity": lambda tokens: feature_surgery(tokens, labels, "code"),
        "similarity_empty": lambda tokens: feature_surgery_empty(tokens, labels, empty),
        "similarity_paper": lambda tokens: feature_surgery(tokens, labels, "paper"),
    }
    for name in spec["images"]:
        path = picture_path(folder, name)
        for size in spec["sides"]:
            key = f"{os.path.splitext(name)[0]}/{size}/"
            width, height, window, stride = parse_size(size)
            image = pixels(path, width, height, model.mean, model.deviation)
            if window:
                found = over_windows(model, image[0], window, stride, surgery_last, forms)
            else:
                arrays[key + "pixels"] = image
                if size == spec["image_resolution"]:
                    arrays[key + "plain"] = model.encode_picture(image[0])[None]
                if size in spec.get("inside", []):
                    arrays.update(inside(model, image[0], key, spec["blocks"], surgery_last))
                if size in spec.get("methods", []):
                    arrays.update({key + name: methods.method_tokens(model, image[0], name, surgery_last)
                                   for name in methods.NAMES})
                tokens = model.encode_picture(image[0], surgery_last)
                arrays[key + "surgery"] = tokens[None]
                if isinstance(model, ResNetClip):
                    arrays[key + "surgery_qk"] = model.encode_picture(image[0], surgery_last, class_token="qk")[None]
                    arrays[key + "surgery_norm8"] = model.encode_picture(image[0], surgery_last, "vv-norm8")[None]
                grid = (model.grid(height), model.grid(width))
                found = {form: (scores(unit(tokens)), grid) for form, scores in forms.items()}
            for form, (scores, _) in found.items():
                arrays[key + form] = scores[None]
            scores, grid = found["similarity"]
            scores = scores[1:].reshape(*grid, -1)
            arrays[key + "map"] = similarity_map(scores, *spec["map_size"])[None]
            if not window:  # many cells, some of them nearly alike: which is first would hang on rounding
                picture = Image.open(path)
                lists[key + "points"] = [points(column, picture.height, picture.width)
                                         for column in np.moveaxis(scores, -1, 0)]
    return arrays, lists


def parse_size(size):
    """48, "WxH" or "WxH-window-stride" -> (width, height, window or 0, stride or 0)"""
    size, *windows = str(size).split("-")
    width, height = size.split("x") if "x" in size else (size, size)
    return int(width), int(height), *map(int, windows or (0, 0))


def over_windows(model, image, window, stride, surgery_last, forms):
    """For each form, the scores averaged over the windows of a picture [3, height, width], and their grid."""
    tokens = {}

    def tokens_of(y, x):
        if (y, x) not in tokens:
            tokens[y, x] = unit(model.encode_picture(image[:, y : y + window, x : x + window], surgery_last))
        return tokens[y, x]

    return {form: average_windows(lambda y, x: scores(tokens_of(y, x)), *image.shape[1:], window, stride, model.patch)
            for form, scores in forms.items()}


def inside(model, image, key, blocks, surgery_last):
    """The two streams after the chosen blocks, and the attention of the first of them and of the last block."""
    arrays = {}
    for number, (x, second, raw, values) in enumerate(model.walk(image, surgery_last), 1):
        if number in blocks:
            arrays[f"{key}block_{number}"] = x[None]
        if number in blocks and second is not None:
            arrays[f"{key}block_{number}_surgery"] = second[None]
        if number == blocks[0] and raw is not None:
            arrays[f"{key}block_{number}_attn_raw"], arrays[f"{key}block_{number}_attn_vv"] = raw, values
    arrays[key + "attn_raw"], arrays[key + "attn_vv"] = raw, values
    return arrays


def picture_path(folder, name):
    """Pictures lie in the folder's own images/, or in one that several folders share."""
    own = os.path.join(folder, "images", name)
    return own if os.path.exists(own) else os.path.join(folder, "..", "images", name)


def open_custom_text(folder):
    """A model of open_clip's CustomTextCLIP; its configuration says what the tensors do not."""
    with open(os.path.join(folder, "open_clip_config.json"), encoding="utf-8") as file:
        config = json.load(file)
    vision, text, colours = (*(config["model_cfg"][key] for key in ("vision_cfg", "text_cfg")), config["preprocess_cfg"])
    return Clip(from_custom_text(read_safetensors(os.path.join(folder, "open_clip_model.safetensors"))),
                vision["width"] // vision["head_width"], text["heads"],
                quick_gelu if config["model_cfg"]["quick_gelu"] else gelu, vision["norm_kwargs"]["eps"],
                colours["mean"], colours["std"])


def open_model(folder):
    """The folder's model; a config.json beside it says what the tensors do not."""
    if os.path.exists(os.path.join(folder, "open_clip_config.json")):
        return open_custom_text(folder)
    tensors = read_safetensors(os.path.join(folder, "model.safetensors"))
    config = os.path.join(folder, "config.json")
    if not os.path.exists(config):
        return ResNetClip(tensors) if "visual.layer1.0.conv1.weight" in tensors else Clip(tensors)
    with open(config, encoding="utf-8") as file:
        vision = (config := json.load(file))["vision_config"]
    activation = {"quick_gelu": quick_gelu, "gelu": gelu}[vision["hidden_act"]]
    return Clip(from_hugging_face(tensors), vision["num_attention_heads"],
                config["text_config"]["num_attention_heads"], activation, vision["layer_norm_eps"])


def read_templates():
    with open(os.path.join(HERE, "templates.txt"), encoding="utf-8") as file:
        return [line.strip() for line in file if not line.startswith("#")]


# ---- Writing


WHAT = {name: "patches of that method or row of Table 4, CLIP's class token, not normalised [N,C]"
        for name in methods.NAMES}
WHAT |= {
    "text/tokens": "token ids of token_texts, zero padded [n,77]",
    "text/features": "encode_text of each text, not normalised [n,C]",
    "text/ensemble": "85-template ensemble, normalised [n,C]",
    "text/ensemble_empty": "85-template ensemble of the empty string [1,C]",
    "pixels": "preprocessed image [1,3,S,S]",
    "plain": "image features without surgery, all tokens, not normalised [1,N,C]",
    "surgery": "image features with architecture surgery, not normalised [1,N,C]",
    "surgery_qk": "the same with CLIP's own class token, by queries and keys [1,N,C]",
    "surgery_norm8": "the same with values of unit length and a scale of 8 [1,N,C]",
    "similarity": "feature surgery over the label set, published-code form [1,N,T]",
    "similarity_empty": "feature surgery with the empty-string redundant feature [1,N,T]",
    "similarity_paper": "feature surgery over the label set, paper form (Eq. 8-11) [1,N,T]",
    "attn_raw": "attention rows of the last block, softmax(q k^T / sqrt(width of a head)) [heads,N,N]",
    "attn_vv": "the same of its values, softmax(v v^T / sqrt(width of a head)) [heads,N,N]",
    "block_attn_raw": "the same of that block's attention, queries with keys [heads,N,N]",
    "block_attn_vv": "the same of that block's attention, values with values [heads,N,N]",
    "block": "the residual stream after that block [1,N,D]",
    "block_surgery": "the second path's stream after that block [1,N,D]",
}


def hugging_face_config(spec, choices):
    def part(kind, width, blocks, heads, **more):
        return {"hidden_size": width, "intermediate_size": 4 * width, "num_hidden_layers": blocks,
                "num_attention_heads": heads, "hidden_act": "gelu", "layer_norm_eps": choices["epsilon"],
                "model_type": kind, **more}

    return {
        "architectures": ["CLIPModel"], "model_type": "clip", "projection_dim": spec["embedding"],
        "logit_scale_init_value": 2.6592,
        "vision_config": part("clip_vision_model", spec["width"], spec["blocks"], choices["vision_heads"],
                              patch_size=spec["patch"], image_size=spec["resolution"]),
        "text_config": part("clip_text_model", spec["text_width"], spec["text_blocks"], choices["text_heads"],
                            vocab_size=spec["vocabulary"], max_position_embeddings=77, eos_token_id=2),
    }


def open_clip_config(spec, choices):
    def part(width, blocks, **more):
        return {"width": width, "layers": blocks, "norm_kwargs": {"eps": choices["epsilon"]}, **more}

    return {
        "model_cfg": {
            "embed_dim": spec["embedding"], "quick_gelu": False, "custom_text": True,
            "vision_cfg": part(spec["width"], spec["blocks"], head_width=choices["head_width"], mlp_ratio=spec["ratio"],
                               patch_size=spec["patch"], image_size=spec["resolution"]),
            "text_cfg": part(spec["text_width"], spec["text_blocks"], heads=choices["text_heads"], context_length=77,
                             vocab_size=spec["vocabulary"], proj_bias=True),
        },
        "preprocess_cfg": {"mean": choices["mean"], "std": choices["std"], "interpolation": "bicubic",
                           "resize_mode": "squash"},
    }


def write_json(path, value):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=1)
        file.write("\n")


def write_set(name, spec):
    folder = os.path.join(HERE, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.join(folder, "images"))
    templates = read_templates()
    with open(os.path.join(HERE, "sentences.txt"), encoding="utf-8") as file:
        sentences = file.read().splitlines()
    tokenizer = Tokenizer(learn_merges([template.replace("{}", "thing") for template in templates] + sentences, MERGES))
    tokenizer.save(folder)
    spec["vocabulary"] = len(tokenizer.ids)

    sizes = {key: spec[key] for key in ("seed", "width", "blocks", "patch", "resolution", "embedding", "text_width",
                                        "text_blocks", "vocabulary")}
    tensors = seeded_tensors(**sizes, coarse=spec.get("coarse", False), ratio=spec.get("ratio", 4))
    weights = "model.safetensors"
    if choices := spec.get("hugging_face"):
        halves = {key: ("BF16" if kind == "F16" else kind, values) for key, (kind, values) in tensors.items()}
        tensors = to_hugging_face(halves)
        tensors["text_model.embeddings.position_ids"] = ("I64", np.arange(77)[None])  # as older files have it
        write_json(os.path.join(folder, "config.json"), hugging_face_config(spec, choices))
    elif choices := spec.get("open_clip"):
        bias = np.random.RandomState(spec["seed"] + 1).standard_normal(spec["embedding"]) / 4
        halves = {key: ("F32" if key == "logit_scale" else "F16", values) for key, (_, values) in tensors.items()}
        tensors = to_custom_text(halves, bias)  # everything halved, as "pure" training leaves it
        write_json(os.path.join(folder, "open_clip_config.json"), open_clip_config(spec, choices))
        weights = "open_clip_model.safetensors"
    write_safetensors(os.path.join(folder, weights), tensors, {"format": "pt"} if choices else None)

    images = {}
    for file_name, (width, height) in spec["pictures"].items():
        path = os.path.join(folder, "images", file_name)
        draw_picture(path, width, height)
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        images[os.path.splitext(file_name)[0]] = {"file": file_name, "width": width, "height": height, "sha256": digest}

    model = {
        "token_texts": TOKEN_TEXTS, "texts": spec["texts"], "images": list(spec["pictures"]), "name": name,
        "embed_dim": spec["embedding"], "image_resolution": spec["resolution"], "vision_layers": spec["blocks"],
        "vision_width": spec["width"], "vision_patch_size": spec["patch"], "text_width": spec["text_width"],
        "text_layers": spec["text_blocks"], "sides": spec["sides"],
    }
    if "inside" in spec:
        model.update(inside=spec["inside"], blocks=spec["blocks_kept"])
    if "methods" in spec:
        model["methods"] = spec["methods"]
    arrays, lists = compute(open_model(folder), tokenizer, templates, folder, {**model, "map_size": spec["map_size"]})
    entries = {}
    for key, values in arrays.items():
        values = values if values.dtype == np.int32 else values.astype(np.float32)
        os.makedirs(os.path.dirname(os.path.join(folder, key)), exist_ok=True)
        np.save(os.path.join(folder, key + ".npy"), values)
        what = WHAT.get(key) or WHAT.get(re.sub(r"_\d+", "", key.split("/")[-1]))
        what = what or "similarity maps resized to %dx%d [1,%d,%d,T]" % (*spec["map_size"], *spec["map_size"])
        entries[key] = {"shape": list(values.shape), "dtype": str(values.dtype), "what": what}
    for key, found in lists.items():
        margin = min(margin for *_, margin in found)
        if margin < 1e-4:
            sys.exit(f"{name}/{key}: two values differ by {margin:.1e} only; points would hang on rounding: take another seed")
        entries[key] = {"what": "points of each text on the original image size",
                        "points": [[places, signs] for places, signs, _ in found]}
    write_json(os.path.join(folder, "manifest.json"),
               {"model": model, "arrays": entries, "images": images, "made_by": "tests/golden/make_golden.py"})
    size = sum(os.path.getsize(os.path.join(at, file)) for at, _, files in os.walk(folder) for file in files)
    print(f"{name}: {len(entries)} arrays, {size / 1e6:.2f} MB")


# ---- Checking


def compute_baselines(model, folder, arrays):
    """Adds to `arrays` those of a folder's baselines.json that show the inside of the tower; returns their entries."""
    path = os.path.join(folder, "baselines.json")
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        entries = json.load(file)["arrays"]
    known = {key: entry for key, entry in entries.items()
             if key.endswith(("/attn_raw", "/attn_vv")) or "/ablation_" in key or "/maskclip" in key}
    for key in known:
        place, name = key.split("/baselines/")
        image = arrays[place + "/pixels"][0]
        if name.startswith("attn"):
            *_, (_, _, raw, values) = model.walk(image, 0)
            arrays[key] = (raw if name == "attn_raw" else values).mean(0)
        elif isinstance(model, ResNetClip):
            arrays[key] = unit(model.maskclip(image)) @ arrays["text/ensemble"].T
        else:
            arrays[key] = methods.method_tokens(model, image, name)
            if name.startswith("maskclip"):
                arrays[key] = unit(arrays[key][1:]) @ arrays["text/ensemble"].T
    return known


def check(folder, vocabulary):
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
        manifest = json.load(file)
    shapes = [entry["shape"] for key, entry in manifest["arrays"].items() if key.endswith("/map")]
    spec = {**manifest["model"], "map_size": tuple(shapes[0][1:3])}
    model = open_model(folder)
    arrays, lists = compute(model, Tokenizer.open(vocabulary), read_templates(), folder, spec)
    manifest["arrays"].update(compute_baselines(model, folder, arrays))
    good = True
    print(f"{'array':32} {'largest difference':>18} {'of its maximum':>14} {'1 - cosine':>10}")
    for key, entry in manifest["arrays"].items():
        if "points" in entry:
            found = [[places, signs] for places, signs, _ in lists[key]]
            passed = found == entry["points"]
            print(f"{key:32} {'exact' if passed else 'different':>18} {'':25} {'' if passed else 'FAIL'}")
        else:
            theirs = np.load(os.path.join(folder, key + ".npy")).astype(np.float64)
            ours = arrays[key].astype(np.float64)
            difference = np.abs(ours - theirs).max()
            relative = difference / np.abs(theirs).max()
            cosine = (ours * theirs).sum() / np.linalg.norm(ours) / np.linalg.norm(theirs)
            passed = relative <= (0 if key == "text/tokens" else 1e-5)
            print(f"{key:32} {difference:18.2e} {relative:14.2e} {abs(1 - cosine):10.1e} {'' if passed else 'FAIL'}")
        good = good and passed
    print("all within 1e-5 of each array's maximum" if good else "NOT all within 1e-5 of each array's maximum")
    return 0 if good else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", metavar="DIR")
    parser.add_argument("--vocabulary", metavar="PATH", help="file or folder; default: $LANCET_VOCABULARY, else DIR")
    options = parser.parse_args()
    if options.check:
        return check(options.check, options.vocabulary or os.environ.get("LANCET_VOCABULARY") or options.check)
    for name, spec in SETS.items():
        write_set(name, spec)
    return 0


if __name__ == "__main__":
    sys.exit(main())
