"""GGUF files in numpy: a reader, a writer and ggml's block formats, just enough for the golden models.

Written from the format's description. Tensors come as (type, array); the type is "F32", "F16", "BF16" or one of FORMATS.
"""

import struct

import numpy as np

TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q5_0": 6, "Q5_1": 7, "Q8_0": 8, "BF16": 30}
PLAIN = {"F32": "<f4", "F16": "<f2"}
# Steps of a quantised type, and the number that stands for zero; without one, a block has a lowest number.
FORMATS = {"Q4_0": (15, 8), "Q4_1": (15, None), "Q5_0": (31, 16), "Q5_1": (31, None), "Q8_0": (127, 0)}
SCALARS = ["B", "b", "H", "h", "I", "i", "f", "?", None, None, "Q", "q", "d"]


def block_type(kind):
    """The bytes of a block of 32."""
    fields = [("d", "<f2")]
    if FORMATS[kind][1] is None:
        fields.append(("m", "<f2"))
    if kind.startswith("Q5"):
        fields.append(("high", "<u4"))
    fields.append(("q", "i1", 32) if kind == "Q8_0" else ("q", "u1", 16))
    return np.dtype(fields)


def quantise(kind, values):
    """float array, rows of a multiple of 32 -> blocks."""
    steps, zero = FORMATS[kind]
    x = np.asarray(values, np.float64).reshape(-1, 32)
    blocks = np.zeros(len(x), block_type(kind))
    if zero is None:
        blocks["m"] = x.min(1)
        blocks["d"] = (x.max(1) - x.min(1)) / steps
        x = x - blocks["m"].astype(np.float64)[:, None]
    else:  # the number of largest magnitude falls on the end that reaches further out
        largest = x[np.arange(len(x)), np.abs(x).argmax(1)]
        blocks["d"] = np.abs(largest) / steps if kind == "Q8_0" else -largest / zero
    scale = blocks["d"].astype(np.float64)[:, None]
    q = np.rint(np.divide(x, scale, out=np.zeros_like(x), where=scale != 0)) + (zero or 0)
    if kind == "Q8_0":
        blocks["q"] = np.clip(q, -127, 127)
        return blocks
    q = np.clip(q, 0, steps).astype(np.uint32)
    blocks["q"] = (q[:, :16] & 15) | (q[:, 16:] & 15) << 4
    if kind.startswith("Q5"):
        blocks["high"] = ((q >> 4) << np.arange(32, dtype=np.uint32)).sum(1)
    return blocks


def dequantise(kind, blocks):
    """Blocks -> float64 [blocks, 32]."""
    _, zero = FORMATS[kind]
    if kind == "Q8_0":
        q = blocks["q"].astype(np.float64)
    else:
        q = np.concatenate([blocks["q"] & 15, blocks["q"] >> 4], 1).astype(np.int64)
        if kind.startswith("Q5"):
            q |= (blocks["high"][:, None].astype(np.int64) >> np.arange(32) & 1) << 4
        q = q.astype(np.float64) - (zero or 0)
    low = blocks["m"].astype(np.float64)[:, None] if zero is None else 0
    return q * blocks["d"].astype(np.float64)[:, None] + low


def to_bytes(kind, values):
    return quantise(kind, values).tobytes() if kind in FORMATS else np.asarray(values, PLAIN[kind]).tobytes()


def text(value):
    return struct.pack("<Q", len(value.encode())) + value.encode()


def key_value(name, value):
    """The type follows from the value's: str, bool, int (u32), float (f32), a list of str or of float."""
    if isinstance(value, list):
        item = 8 if isinstance(value[0], str) else 6
        items = b"".join(text(x) if item == 8 else struct.pack("<f", x) for x in value)
        return text(name) + struct.pack("<IIQ", 9, item, len(value)) + items
    if isinstance(value, str):
        return text(name) + struct.pack("<I", 8) + text(value)
    if isinstance(value, bool):
        return text(name) + struct.pack("<I?", 7, value)
    return text(name) + (struct.pack("<If", 6, value) if isinstance(value, float) else struct.pack("<II", 4, value))


def write_gguf(path, keys, tensors, version=3, alignment=32):
    """keys: {name: value}; tensors: {name: (type, array)}. The last side of a shape is written first."""
    if alignment != 32:
        keys = {**keys, "general.alignment": alignment}
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(keys))
    head += b"".join(key_value(name, value) for name, value in keys.items())
    data = b""
    for name, (kind, values) in tensors.items():
        shape = np.shape(values)
        head += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *reversed(shape), TYPES[kind], len(data))
        data += to_bytes(kind, values)
        data += bytes(-len(data) % alignment)
    with open(path, "wb") as file:
        file.write(head + bytes(-len(head) % alignment) + data)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, code):
        value = struct.unpack_from("<" + code, self.data, self.at)[0]
        self.at += struct.calcsize("<" + code)
        return value

    def text(self):
        length = self.take("Q")
        self.at += length
        return self.data[self.at - length : self.at].decode()

    def value(self, kind):
        if kind == 8:
            return self.text()
        if kind == 9:
            item = self.take("I")
            return [self.value(item) for _ in range(self.take("Q"))]
        return self.take(SCALARS[kind])


def read_gguf(path):
    """{key: value}, {name: float64 array}"""
    with open(path, "rb") as file:
        reader = Reader(file.read())
    assert reader.data[:4] == b"GGUF"
    reader.at = 8
    tensor_count, key_count = reader.take("Q"), reader.take("Q")
    keys, places, tensors = {}, {}, {}
    for _ in range(key_count):
        name = reader.text()
        keys[name] = reader.value(reader.take("I"))
    for _ in range(tensor_count):
        name = reader.text()
        shape = [reader.take("Q") for _ in range(reader.take("I"))][::-1]
        places[name] = shape, {number: kind for kind, number in TYPES.items()}[reader.take("I")], reader.take("Q")
    alignment = keys.get("general.alignment", 32)
    start = reader.at + -reader.at % alignment
    for name, (shape, kind, offset) in places.items():
        count = int(np.prod(shape))
        if kind in FORMATS:
            values = dequantise(kind, np.frombuffer(reader.data, block_type(kind), count // 32, start + offset))
        else:
            values = np.frombuffer(reader.data, PLAIN[kind], count, start + offset).astype(np.float64)
        tensors[name] = values.reshape(shape)
    return keys, tensors


TOWER = {"vision_model.embeddings.class_embedding": "v.class_embd",
         "vision_model.embeddings.patch_embedding.weight": "v.patch_embd.weight",
         "vision_model.embeddings.position_embedding.weight": "v.position_embd.weight",
         "vision_model.pre_layrnorm.": "v.pre_ln.", "vision_model.post_layernorm.": "v.post_ln.",
         "text_model.embeddings.token_embedding.weight": "t.token_embd.weight",
         "text_model.embeddings.position_embedding.weight": "t.position_embd.weight",
         "text_model.final_layer_norm.": "t.post_ln.", "vision_model.encoder.layers.": "v.blk.",
         "text_model.encoder.layers.": "t.blk."}
BLOCK = {".self_attn.q_proj.": ".attn_q.", ".self_attn.k_proj.": ".attn_k.", ".self_attn.v_proj.": ".attn_v.",
         ".self_attn.out_proj.": ".attn_out.", ".layer_norm1.": ".ln1.", ".layer_norm2.": ".ln2.",
         ".mlp.fc1.": ".ffn_down.", ".mlp.fc2.": ".ffn_up."}


def rename(name, starts, pieces):
    for old, new in starts.items():
        if name.startswith(old):
            name = new + name[len(old) :]
            break
    for old, new in pieces.items():
        name = name.replace(old, new)
    return name


def to_clip_cpp(tensors):
    """Hugging Face's names -> clip.cpp's; the scale is left out, as it does."""
    return {rename(name, TOWER, BLOCK): entry for name, entry in tensors.items() if name != "logit_scale"}


def from_clip_cpp(tensors):
    """clip.cpp's names -> Hugging Face's. Which of ffn_down and ffn_up widens is told by their shapes."""
    towers, blocks = ({ours: theirs for theirs, ours in names.items()} for names in (TOWER, BLOCK))
    reversed_blocks = {**blocks, ".ffn_down.": ".mlp.fc2.", ".ffn_up.": ".mlp.fc1."}
    out = {"logit_scale": np.float64(np.log(100))}
    for name, values in tensors.items():
        down = tensors.get(name[: name.find(".ffn_")] + ".ffn_down.weight", np.zeros((1, 0)))
        out[rename(name, towers, reversed_blocks if down.shape[0] < down.shape[1] else blocks)] = values
    return out
