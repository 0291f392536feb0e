"""safetensors files in numpy: a reader and a writer, just enough for the golden models."""

import json
import struct

import numpy as np

SIZES = {"F32": 4, "F16": 2, "BF16": 2, "I64": 8}


def to_bfloat16(values):
    """float32 -> the upper 16 bits of each, rounded to nearest even (uint16)."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def from_bfloat16(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)


def write_safetensors(path, tensors, metadata=None):
    """tensors: {name: (type, array)}, written in that order."""
    header, blobs, offset = {}, [], 0
    if metadata:
        header["__metadata__"] = metadata
    for name, (kind, values) in tensors.items():
        if kind == "BF16":
            blob = to_bfloat16(values).tobytes()
        else:
            blob = np.asarray(values, {"F32": "<f4", "F16": "<f2", "I64": "<i8"}[kind]).tobytes()
        header[name] = {"dtype": kind, "shape": list(np.shape(values)), "data_offsets": [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def read_safetensors(path):
    """{name: float64 array}; integers stay integers."""
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack("<Q", data[:8])[0]
    header, data = json.loads(data[8 : 8 + length]), data[8 + length :]
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        kind = {"F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8"}[entry["dtype"]]
        values = np.frombuffer(data[first:last], kind).reshape(entry["shape"])
        if entry["dtype"] == "BF16":
            values = from_bfloat16(values)
        tensors[name] = values if entry["dtype"] == "I64" else values.astype(np.float64)
    return tensors


def to_hugging_face(tensors):
    """OpenAI's tensor names -> Hugging Face's: projections transposed, q, k and v apart."""
    out = {}

    def put(name, entry, change=lambda values: values):
        out[name] = (entry[0], change(np.asarray(entry[1])))

    for name, entry in tensors.items():
        tower, rest = ("vision_model", name[7:]) if name.startswith("visual.") else ("text_model", name)
        if rest.startswith("transformer.resblocks."):
            _, _, block, rest = rest.split(".", 3)
            layer = f"{tower}.encoder.layers.{block}."
            if rest.startswith("attn.in_proj_"):
                for i, letter in enumerate("qkv"):
                    kind = rest[len("attn.in_proj_") :]
                    put(f"{layer}self_attn.{letter}_proj.{kind}", entry, lambda values, i=i: np.split(values, 3)[i])
            else:
                for old, new in (("attn.out_proj", "self_attn.out_proj"), ("ln_1", "layer_norm1"),
                                 ("ln_2", "layer_norm2"), ("mlp.c_fc", "mlp.fc1"), ("mlp.c_proj", "mlp.fc2")):
                    rest = rest.replace(old, new)
                put(layer + rest, entry)
        elif name == "visual.proj":
            put("visual_projection.weight", entry, np.transpose)
        elif name == "text_projection":
            put("text_projection.weight", entry, np.transpose)
        elif name == "logit_scale":
            put(name, entry)
        else:
            for old, new in (("class_embedding", "embeddings.class_embedding"),
                             ("conv1.weight", "embeddings.patch_embedding.weight"),
                             ("positional_embedding", "embeddings.position_embedding.weight"),
                             ("token_embedding", "embeddings.token_embedding"), ("ln_pre", "pre_layrnorm"),
                             ("ln_post", "post_layernorm"), ("ln_final", "final_layer_norm")):
                rest = rest.replace(old, new)
            put(f"{tower}.{rest}", entry)
    return out


def to_custom_text(tensors, bias):
    """OpenAI's names -> those of open_clip's CustomTextCLIP, the text projection as a linear layer with that bias."""
    out = {}
    for name, (kind, values) in tensors.items():
        apart = not name.startswith("visual.") and name != "logit_scale"
        if name == "text_projection":
            name, values = "text_projection.weight", np.transpose(values)
            out["text.text_projection.bias"] = (kind, bias)
        out["text." * apart + name] = (kind, values)
    return out


def from_custom_text(tensors):
    """The way back, for the reference; the bias keeps its name."""
    out = {name.removeprefix("text."): values for name, values in tensors.items()}
    out["text_projection"] = out.pop("text_projection.weight").T
    return out


def from_hugging_face(tensors):
    """Hugging Face's names -> OpenAI's, for the reference, which knows only the latter."""
    out = {}
    for tower, prefix in (("vision_model", "visual."), ("text_model", "")):
        block = 0
        while f"{tower}.encoder.layers.{block}.mlp.fc1.weight" in tensors:
            old, new = f"{tower}.encoder.layers.{block}.", f"{prefix}transformer.resblocks.{block}."
            for kind in ("weight", "bias"):
                out[f"{new}attn.in_proj_{kind}"] = np.concatenate(
                    [tensors[f"{old}self_attn.{letter}_proj.{kind}"] for letter in "qkv"])
                for theirs, ours in (("self_attn.out_proj", "attn.out_proj"), ("layer_norm1", "ln_1"),
                                     ("layer_norm2", "ln_2"), ("mlp.fc1", "mlp.c_fc"), ("mlp.fc2", "mlp.c_proj")):
                    out[f"{new}{ours}.{kind}"] = tensors[f"{old}{theirs}.{kind}"]
            block += 1
    for kind in ("weight", "bias"):
        out[f"visual.ln_pre.{kind}"] = tensors[f"vision_model.pre_layrnorm.{kind}"]
        out[f"visual.ln_post.{kind}"] = tensors[f"vision_model.post_layernorm.{kind}"]
        out[f"ln_final.{kind}"] = tensors[f"text_model.final_layer_norm.{kind}"]
    out["visual.class_embedding"] = tensors["vision_model.embeddings.class_embedding"]
    out["visual.conv1.weight"] = tensors["vision_model.embeddings.patch_embedding.weight"]
    out["visual.positional_embedding"] = tensors["vision_model.embeddings.position_embedding.weight"]
    out["visual.proj"] = tensors["visual_projection.weight"].T
    out["token_embedding.weight"] = tensors["text_model.embeddings.token_embedding.weight"]
    out["positional_embedding"] = tensors["text_model.embeddings.position_embedding.weight"]
    out["text_projection"] = tensors["text_projection.weight"].T
    out["logit_scale"] = tensors["logit_scale"]
    return out
