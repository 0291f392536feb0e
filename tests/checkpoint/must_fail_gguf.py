# SPDX-License-Identifier: Apache-2.0
"""GGUF files that no reader may accept; make_must_fail.py writes them among the others.

Standard library only, and written from the format's description alone.
"""

import struct

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, LIST, U64, I64, F64 = range(13)
CODES = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "B", U64: "Q", I64: "q", F64: "d"}
# Numbers of the tensors' types: numbers and bytes of a block.
TENSOR_F32, TENSOR_F16, TENSOR_Q8_0, TENSOR_Q4_K, TENSOR_I32, TENSOR_F64 = 0, 1, 8, 12, 26, 28
BLOCKS = {TENSOR_F32: (1, 4), TENSOR_F16: (1, 2), TENSOR_Q8_0: (32, 34), TENSOR_Q4_K: (256, 144), TENSOR_I32: (1, 4),
          TENSOR_F64: (1, 8)}


def text(value):
    """A string; bytes pass as they are."""
    value = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<Q", len(value)) + value


def value(kind, content):
    """A value with its type before it; bytes are taken as they are. Lists: (type of items, items)."""
    if isinstance(content, bytes):
        return struct.pack("<I", kind) + content
    if kind == STRING:
        return struct.pack("<I", kind) + text(content)
    if kind == LIST:
        item, items = content
        body = b"".join(text(x) if item == STRING else struct.pack("<" + CODES[item], x) for x in items)
        return struct.pack("<IIQ", kind, item, len(items)) + body
    return struct.pack("<I" + CODES[kind], kind, content)


def info(name, shape, kind, offset):
    """One line of the table of tensors; the last side goes first."""
    sides = b"".join(struct.pack("<Q", side) for side in reversed(shape))
    return text(name) + struct.pack("<I", len(shape)) + sides + struct.pack("<IQ", kind, offset)


def size_of(shape, kind):
    numbers, size = BLOCKS[kind]
    for side in shape:
        size *= side
    return size // numbers


def pad(length, alignment=32):
    return -length % alignment


def pack(keys, tensors, version=3, key_count=None, tensor_count=None, data=None):
    """keys: [(name, type, content)]; tensors: [(name, shape, type)] one after the other, or [(name, shape, type,
    offset)]; data: how many bytes, if not just as many as they need."""
    table, offset = b"", 0
    for name, shape, kind, *place in tensors:
        if place:
            table += info(name, shape, kind, place[0])
        else:
            table += info(name, shape, kind, offset)
            offset += size_of(shape, kind)
            offset += pad(offset)
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors) if tensor_count is None else tensor_count,
                                 len(keys) if key_count is None else key_count)
    head += b"".join(text(name) + value(kind, content) for name, kind, content in keys) + table
    return head + bytes(pad(len(head))) + bytes(offset if data is None else data)


CLIP = ("general.architecture", STRING, "clip")
KEYS = [CLIP, ("clip.has_vision_encoder", BOOL, 1), ("clip.has_text_encoder", BOOL, 0),
        ("clip.vision.attention.head_count", U32, 1), ("clip.use_gelu", BOOL, 0)]


def vision():
    """A whole picture tower: width 4, patch 1, grid 1, embedding 2."""
    tensors = {"v.class_embd": [4], "v.position_embd.weight": [2, 4], "v.patch_embd.weight": [4, 3, 1, 1],
               "v.pre_ln.weight": [4], "v.pre_ln.bias": [4], "v.post_ln.weight": [4], "v.post_ln.bias": [4],
               "visual_projection.weight": [2, 4], "v.blk.0.ln1.weight": [4], "v.blk.0.ln1.bias": [4],
               "v.blk.0.ln2.weight": [4], "v.blk.0.ln2.bias": [4], "v.blk.0.attn_out.weight": [4, 4],
               "v.blk.0.attn_out.bias": [4], "v.blk.0.ffn_down.weight": [8, 4], "v.blk.0.ffn_down.bias": [8],
               "v.blk.0.ffn_up.weight": [4, 8], "v.blk.0.ffn_up.bias": [4]}
    for letter in "qkv":
        tensors[f"v.blk.0.attn_{letter}.weight"] = [4, 4]
        tensors[f"v.blk.0.attn_{letter}.bias"] = [4]
    return {name: (shape, TENSOR_F32) for name, shape in tensors.items()}


def model(keys=(), without=(), **changes):
    """The tower with other keys; `changes` by tensor, its dots as double underscores: (shape, type), or None to
    leave it out."""
    tensors = vision()
    for name, change in changes.items():
        name = name.replace("__", ".")
        tensors.pop(name) if change is None else tensors.update({name: change})
    named = {name for name, *_ in keys}
    kept = [key for key in KEYS if key[0] not in named and key[0] not in without]
    return pack(kept + list(keys), [(name, *entry) for name, entry in tensors.items()])


def add(case, INPUT, UNSUPPORTED):
    """All cases, through `case` of make_must_fail.py."""

    def fail(name, status, piece, content):
        case("gguf_" + name, status, piece, content, file_name="model.gguf")

    def key(name, piece, *keys, status=INPUT):
        fail(name, status, piece, pack([CLIP, *keys], []))

    def tensor(name, piece, *tensors, status=INPUT, keys=(), data=None):
        fail(name, status, piece, pack([CLIP, *keys], tensors, data=data))

    # ---- The header
    fail("magic_alone", INPUT, "the header: cut short at byte 4", b"GGUF")
    fail("cut_in_counts", INPUT, "the header: cut short at byte 16", pack([CLIP], [])[:20])
    fail("version_0", UNSUPPORTED, "expected a GGUF file of version 2 or 3, found version 0", pack([CLIP], [], version=0))
    fail("version_1", UNSUPPORTED, "expected a GGUF file of version 2 or 3, found version 1",
         b"GGUF" + struct.pack("<III", 1, 0, 0))
    fail("version_4", UNSUPPORTED, "found version 4", pack([CLIP], [], version=4))
    fail("big_endian", UNSUPPORTED, "found a big-endian GGUF file", b"GGUF" + struct.pack(">IQQ", 3, 0, 0))
    fail("tensors_absurd", INPUT, "at most 65536 tensors, found 1152921504606846976",
         pack([CLIP], [], tensor_count=2**60))
    fail("keys_absurd", INPUT, "at most 65536 keys, found 18446744073709551615", pack([CLIP], [], key_count=2**64 - 1))
    fail("keys_missing", INPUT, "key 2: ", pack([CLIP], [], key_count=60000)[:70])
    fail("tensors_missing", INPUT, "tensor 1: its name: cut short", pack([CLIP], [], tensor_count=1)[:70])

    # ---- Keys
    fail("no_keys", INPUT, "general.architecture: expected clip, but the key is missing", pack([], []))
    fail("no_architecture", INPUT, "general.architecture: expected clip, but the key is missing",
         model(without=["general.architecture"]))
    fail("llama", UNSUPPORTED, "general.architecture: expected clip, found llama, which is not supported",
         model([("general.architecture", STRING, "llama")]))
    fail("architecture_control", UNSUPPORTED, "found ?[2J, which", model([("general.architecture", STRING, "\x1b[2J")]))
    fail("architecture_long", INPUT, "general.architecture: a text that is too long",
         model([("general.architecture", STRING, "x" * 100)]))
    fail("architecture_number", INPUT, "general.architecture: expected a text", pack([(CLIP[0], U32, 7)], []))
    key("architecture_twice", "general.architecture is there twice", CLIP)
    key("blocks_twice", "clip.vision.block_count is there twice", ("clip.vision.block_count", U32, 1),
        ("clip.vision.block_count", U64, 1))
    fail("key_length", INPUT, "key 2: a text that is longer than the rest of the file at byte 68",
         pack([CLIP], [], key_count=2)[:68] + struct.pack("<Q", 2**63) + bytes(40))
    key("key_not_utf8", "key 2: a text that is not UTF-8", (b"a\xc0\xaf", U32, 1))
    key("key_zero_byte", "key 2: a text with a zero byte in it", (b"a\x00b", U32, 1))
    key("type_unknown", "key 2: a value of unknown type", ("general.name", 13, b"\x00" * 8))
    key("list_of_lists", "key 2: a list of lists", ("a.list", LIST, struct.pack("<IQ", LIST, 1) + bytes(12)))
    key("list_deep", "key 2: a list of lists", ("a.list", LIST, struct.pack("<IQ", LIST, 1) * 1000))
    key("list_absurd", "key 2: a list that is longer than the rest of the file",
        ("tokenizer.ggml.tokens", LIST, struct.pack("<IQ", STRING, 2**61) + bytes(64)))
    key("list_overflow", "key 2: a list that is longer than the rest of the file",
        ("a.list", LIST, struct.pack("<IQ", F64, 2**61 + 1) + bytes(64)))
    key("list_type_unknown", "key 2: a value of unknown type", ("a.list", LIST, struct.pack("<IQ", 99, 1) + bytes(8)))
    key("list_text_cut", "key 2: a text that is longer than the rest of the file",
        ("tokenizer.ggml.tokens", LIST, struct.pack("<IQ", STRING, 2) + text("a") + struct.pack("<Q", 2**64 - 1)))
    fail("value_cut", INPUT, "clip.vision.block_count: cut short",
         pack([CLIP, ("clip.vision.block_count", U32, 1)], [])[:105])
    key("blocks_text", "clip.vision.block_count: expected a whole number", ("clip.vision.block_count", STRING, "12"))
    key("blocks_fraction", "clip.vision.block_count: expected a whole number", ("clip.vision.block_count", F32, 1.0))
    key("blocks_negative", "clip.vision.block_count: expected a whole number of 0 or more",
        ("clip.vision.block_count", I32, -1))
    key("blocks_zero", "clip.vision.block_count: expected a whole number of 1 or more",
        ("clip.vision.block_count", U32, 0))
    key("gelu_number", "clip.use_gelu: expected true or false", ("clip.use_gelu", U8, 1))
    key("gelu_two", "clip.use_gelu: a truth value that is neither 0 nor 1", ("clip.use_gelu", BOOL, 2))
    key("epsilon_text", "layer_norm_epsilon: expected a number with a fraction",
        ("clip.text.attention.layer_norm_epsilon", STRING, "1e-5"))
    key("epsilon_zero", "layer_norm_epsilon: expected a number above 0, found 0",
        ("clip.text.attention.layer_norm_epsilon", F32, 0.0))
    key("epsilon_nan", "layer_norm_epsilon: expected a number above 0",
        ("clip.text.attention.layer_norm_epsilon", F32, float("nan")))
    key("mean_number", "image_mean: expected a list of three numbers", ("clip.vision.image_mean", F32, 0.5))
    key("mean_two", "image_mean: expected a list of three numbers, found 2", ("clip.vision.image_mean", LIST, (F32, [0, 0])))
    key("mean_texts", "image_mean: expected a number with a fraction",
        ("clip.vision.image_mean", LIST, (STRING, ["0", "0", "0"])))
    key("mean_infinite", "image_mean: expected three numbers in range, found inf",
        ("clip.vision.image_mean", LIST, (F32, [0, 0, float("inf")])))
    key("std_zero", "image_std: expected three numbers above 0, found 0",
        ("clip.vision.image_std", LIST, (F64, [0.5, 0, 0.5])))
    key("alignment_zero", "general.alignment: expected a power of two", ("general.alignment", U32, 0))
    key("alignment_24", "general.alignment: expected a power of two of at most 1048576, found 24",
        ("general.alignment", U32, 24))
    key("alignment_huge", "general.alignment: expected a power of two", ("general.alignment", U64, 2**63))
    key("alignment_text", "general.alignment: expected a whole number", ("general.alignment", STRING, "32"))

    # ---- Parts of other models
    key("mmproj", "found a part of a language model (llama.cpp's mmproj: clip.projector_type is set)",
        ("clip.projector_type", STRING, "mlp"), status=UNSUPPORTED)
    key("mmproj_vision", "mmproj: clip.vision.projector_type is set", ("clip.vision.projector_type", STRING, "qwen3vl"),
        status=UNSUPPORTED)
    key("llava", "mmproj: clip.has_llava_projector is set", ("clip.has_llava_projector", BOOL, 1), status=UNSUPPORTED)
    key("silu", "clip.use_silu: the activation SiLU is not supported", ("clip.use_silu", BOOL, 1), status=UNSUPPORTED)
    fail("mmproj_tensors", UNSUPPORTED, "found a part of a language model (llama.cpp's mmproj) (mm.0.weight)",
         model(mm__0__weight=([4, 4], TENSOR_F32)))
    fail("patch_bias", UNSUPPORTED, "found a picture tower whose patch layer has a bias",
         model(v__patch_embd__bias=([4], TENSOR_F32)))
    fail("stranger", UNSUPPORTED, "tensor v.blk.0.ls1.weight: not part of any tower",
         model(v__blk__0__ls1__weight=([4], TENSOR_F32)))

    # ---- The table of tensors, and where they lie
    tensor("name_length", "tensor 2: its name: a text that is too long", ("a", [1], TENSOR_F32),
           ("b" * 5000, [1], TENSOR_F32))
    tensor("name_not_utf8", "tensor 1: its name: a text that is not UTF-8", (b"\xff", [1], TENSOR_F32))
    tensor("name_zero_byte", "tensor 1: its name: a text with a zero byte", (b"v.\x00", [1], TENSOR_F32))
    tensor("name_twice", "tensor a: is there twice", ("a", [1], TENSOR_F32), ("b", [1], TENSOR_F32),
           ("a", [1], TENSOR_F32))
    tensor("rank_5", "tensor a: shape: more than 4 dimensions", ("a", [1, 1, 1, 1, 1], TENSOR_F32))
    tensor("rank_huge", "tensor a: shape: more than 4 dimensions", ("a", [1] * 3000, TENSOR_F32))
    tensor("shape_overflow", "tensor a: shape: the product of its dimensions overflows",
           ("a", [2**32, 2**32], TENSOR_F32, 0))
    tensor("shape_overflow_zero", "tensor a: shape: the product of its dimensions overflows",
           ("a", [0, 2**32, 2**32], TENSOR_F32, 0))
    tensor("bytes_overflow", "tensor a: its size in bytes, or where they end, overflows",
           ("a", [2**62], TENSOR_F32, 0))
    tensor("end_overflow", "tensor a: its size in bytes, or where they end, overflows",
           ("a", [64], TENSOR_F32, 2**64 - 32))
    tensor("type_given_up", "tensor a: found the data type number 4, which is not known", ("a", [32], 4, 0),
           status=UNSUPPORTED)
    tensor("type_huge", "tensor a: found the data type number 4294967295", ("a", [32], 2**32 - 1, 0),
           status=UNSUPPORTED)
    tensor("row_of_33", "tensor a: expected rows of whole blocks of 32 numbers for Q8_0, found rows of 33",
           ("a", [32, 33], TENSOR_Q8_0, 0), data=1122)
    tensor("scalar_block", "tensor a: expected rows of whole blocks of 32 numbers for Q8_0, found rows of 1",
           ("a", [], TENSOR_Q8_0, 0), data=34)
    tensor("row_of_k", "tensor a: expected rows of whole blocks of 256 numbers for Q4_K, found rows of 32",
           ("a", [8, 32], TENSOR_Q4_K, 0), data=144)
    tensor("offset_odd", "tensor a: expected an offset that is a multiple of 32, found 4", ("a", [1], TENSOR_F32, 4),
           data=8)
    tensor("offset_alignment", "expected an offset that is a multiple of 64, found 32", ("a", [8], TENSOR_F32, 0),
           ("b", [8], TENSOR_F32, 32), keys=[("general.alignment", U32, 64)], data=64)
    tensor("offset_outside", "tensor a: its bytes end at 1028 of the data, but the file holds 4: cut short?",
           ("a", [1], TENSOR_F32, 1024), data=4)
    tensor("data_cut", "tensor a: its bytes end at 64 of the data, but the file holds 60: cut short?",
           ("a", [16], TENSOR_F32, 0), data=60)
    tensor("no_data", "tensor a: its bytes end at 4 of the data, but the file holds 0", ("a", [1], TENSOR_F32, 0), data=0)
    tensor("overlap", "tensor b: its bytes start at 32, inside another tensor's, which end at 64",
           ("a", [16], TENSOR_F32, 0), ("b", [8], TENSOR_F32, 32), data=64)
    tensor("same_bytes", "inside another tensor's, which end at 32", ("a", [8], TENSOR_F32, 0),
           ("b", [8], TENSOR_F32, 0), data=32)
    tensor("hole", "tensor b: its bytes start at 64, but those before it end at 32: a hole",
           ("a", [8], TENSOR_F32, 0), ("b", [8], TENSOR_F32, 64), data=96)
    tensor("data_left_over", "expected 32 bytes of tensors, found 33: the rest belongs to none",
           ("a", [8], TENSOR_F32, 0), data=33)
    tensor("format_1", "general.quantization_version: expected 2, found 1", ("a", [32], TENSOR_Q8_0),
           keys=[("general.quantization_version", U32, 1)], status=UNSUPPORTED)
    fail("cut_in_shape", INPUT, "tensor a: shape: cut short", pack([CLIP], [("a", [1, 1], TENSOR_F32)])[:85])
    fail("cut_in_offset", INPUT, "tensor a: type and offset: cut short", pack([CLIP], [("a", [1], TENSOR_F32)])[:95])

    # ---- The model
    tensor("nothing", "expected a CLIP model, found no tensors at all")
    tensor("others", "expected a CLIP model", ("blk.0.attn_q.weight", [1], TENSOR_F32))
    fail("type_k", UNSUPPORTED, "tensor v.blk.0.attn_q.weight: expected F32, F16, Q8_0, Q5_1, Q5_0, Q4_1 or Q4_0, "
         "found Q4_K", model(v__blk__0__attn_q__weight=([1, 256], TENSOR_Q4_K)))
    fail("type_double", UNSUPPORTED, "tensor v.class_embd: expected F32, F16 or BF16, found F64",
         model(v__class_embd=([4], TENSOR_F64)))
    fail("type_integer", INPUT, "tensor v.class_embd: expected F32, F16 or BF16, found I32",
         model(v__class_embd=([4], TENSOR_I32)))
    fail("without_projection", UNSUPPORTED, "found a picture tower without its projection (no visual_projection.weight)",
         model(visual_projection__weight=None))
    fail("without_q", INPUT, "tensor v.blk.0.attn_q.bias: expected [4], but it is missing",
         model(v__blk__0__attn_q__bias=None))
    fail("both_expand", INPUT, "tensor v.blk.0.ffn_up.weight: expected [4,8], found [8,4]",
         model(v__blk__0__ffn_up__weight=([8, 4], TENSOR_F32)))
    fail("bias_not_reversed", INPUT, "tensor v.blk.0.ffn_up.bias: expected [8], found [4]",
         model(v__blk__0__ffn_down__weight=([4, 8], TENSOR_F32), v__blk__0__ffn_up__weight=([8, 4], TENSOR_F32)))
    fail("says_text", INPUT, "clip.has_text_encoder: expected false as in the tensors, found true",
         model([("clip.has_text_encoder", BOOL, 1)]))
    fail("denies_vision", INPUT, "clip.has_vision_encoder: expected true as in the tensors, found false",
         model([("clip.has_vision_encoder", BOOL, 0)]))
    for name, said, found in (("embedding_length", 768, 4), ("feed_forward_length", 3072, 8), ("block_count", 12, 1),
                              ("patch_size", 16, 1), ("image_size", 224, 1), ("projection_dim", 768, 2)):
        fail(name, INPUT, f"clip.vision.{name}: expected {found} as in the tensors, found {said}",
             model([("clip.vision." + name, U32, said)]))
    fail("heads", INPUT, "width 4 cannot be parted into 3 heads, as in clip.vision.attention.head_count",
         model([("clip.vision.attention.head_count", U32, 3)]))
    fail("head_width", UNSUPPORTED, "width 4 is no multiple of the head width 64",
         model(without=["clip.vision.attention.head_count"]))
    fail("epsilon_huge", INPUT, "expected a layer norm epsilon in 0..0.1, found 5",
         model([("clip.vision.attention.layer_norm_epsilon", F32, 5.0)]))
