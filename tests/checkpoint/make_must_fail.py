#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes must_fail/: small files that no reader may accept, and table.tsv with what each must be told.

    python3 make_must_fail.py

Standard library only. Each case is a folder with model.safetensors (or model.gguf) and, where it matters, the configuration files
beside it; a line of the table is: case, expected status, a piece of the expected message. Data are zeros, so that the
folders stay small.
"""

import json
import math
import os
import shutil
import struct

import must_fail_gguf
import must_fail_open_clip
import must_fail_pytorch

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "must_fail")
SIZES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "U8": 1, "BOOL": 1, "F8_E4M3": 1}

INPUT, UNSUPPORTED, ARGUMENT, IO = 3, 4, 2, 5
cases = []
# Heads for models that are not as wide as one of 64 channels.
HEADS = {"model_cfg": {"quick_gelu": True, "vision_cfg": {"head_width": 4}, "text_cfg": {"heads": 1}}}


def block(prefix, width, openai=True):
    """The tensors of one block."""
    if openai:
        names = {"ln_1.weight": [width], "ln_1.bias": [width], "ln_2.weight": [width], "ln_2.bias": [width],
                 "attn.in_proj_weight": [3 * width, width], "attn.in_proj_bias": [3 * width],
                 "attn.out_proj.weight": [width, width], "attn.out_proj.bias": [width],
                 "mlp.c_fc.weight": [8, width], "mlp.c_fc.bias": [8],
                 "mlp.c_proj.weight": [width, 8], "mlp.c_proj.bias": [width]}
    else:
        names = {"layer_norm1.weight": [width], "layer_norm1.bias": [width], "layer_norm2.weight": [width],
                 "layer_norm2.bias": [width], "mlp.fc1.weight": [8, width], "mlp.fc1.bias": [8],
                 "mlp.fc2.weight": [width, 8], "mlp.fc2.bias": [width],
                 "self_attn.out_proj.weight": [width, width], "self_attn.out_proj.bias": [width]}
        for letter in "qkv":
            names[f"self_attn.{letter}_proj.weight"] = [width, width]
            names[f"self_attn.{letter}_proj.bias"] = [width]
    return {prefix + name: ("F16", shape) for name, shape in names.items()}


def openai():
    """A whole model under OpenAI's names: width 4, patch 1, grid 1, embedding 2."""
    width = 4
    tensors = {"visual.class_embedding": [width], "visual.positional_embedding": [2, width], "visual.proj": [width, 2],
               "visual.conv1.weight": [width, 3, 1, 1], "visual.ln_pre.weight": [width], "visual.ln_pre.bias": [width],
               "visual.ln_post.weight": [width], "visual.ln_post.bias": [width], "token_embedding.weight": [3, width],
               "positional_embedding": [2, width], "ln_final.weight": [width], "ln_final.bias": [width],
               "text_projection": [width, 2], "logit_scale": []}
    tensors = {name: ("F16", shape) for name, shape in tensors.items()}
    tensors.update(block("visual.transformer.resblocks.0.", width))
    tensors.update(block("transformer.resblocks.0.", width))
    return tensors


def hugging_face():
    """The same under Hugging Face's names."""
    tensors = {"vision_model.embeddings.class_embedding": [4],
               "vision_model.embeddings.position_embedding.weight": [2, 4],
               "vision_model.embeddings.patch_embedding.weight": [4, 3, 1, 1],
               "vision_model.pre_layrnorm.weight": [4], "vision_model.pre_layrnorm.bias": [4],
               "vision_model.post_layernorm.weight": [4], "vision_model.post_layernorm.bias": [4],
               "visual_projection.weight": [2, 4], "text_model.embeddings.token_embedding.weight": [3, 4],
               "text_model.embeddings.position_embedding.weight": [2, 4], "text_model.final_layer_norm.weight": [4],
               "text_model.final_layer_norm.bias": [4], "text_projection.weight": [2, 4], "logit_scale": []}
    tensors = {name: ("F16", shape) for name, shape in tensors.items()}
    tensors.update(block("vision_model.encoder.layers.0.", 4, False))
    tensors.update(block("text_model.encoder.layers.0.", 4, False))
    return tensors


def resnet(width=2, blocks=(1, 1, 2, 1)):
    """A ModifiedResNet's picture tower, in the order in which it is read; grid 1, embedding 2."""
    tensors = {}

    def layer(prefix, convolution, norm, out, inside, kernel):
        tensors[f"{prefix}{convolution}.weight"] = ("F16", [out, inside, kernel, kernel])
        for part in ("weight", "bias", "running_mean", "running_var"):
            tensors[f"{prefix}{norm}.{part}"] = ("F32", [out])
        tensors[f"{prefix}{norm}.num_batches_tracked"] = ("I64", [])

    for i, (out, inside) in enumerate(((width // 2, 3), (width // 2, width // 2), (width, width // 2)), 1):
        layer("visual.", f"conv{i}", f"bn{i}", out, inside, 3)
    inside = width
    for stage, count in enumerate(blocks, 1):
        planes = width * 2 ** (stage - 1)
        for i in range(count):
            prefix = f"visual.layer{stage}.{i}."
            layer(prefix, "conv1", "bn1", planes, inside, 1)
            layer(prefix, "conv2", "bn2", planes, planes, 3)
            layer(prefix, "conv3", "bn3", 4 * planes, planes, 1)
            if i == 0:
                layer(prefix, "downsample.0", "downsample.1", 4 * planes, inside, 1)
            inside = 4 * planes
    tensors["visual.attnpool.positional_embedding"] = ("F32", [2, 32 * width])
    for letter in "qkvc":
        out = 2 if letter == "c" else 32 * width
        tensors[f"visual.attnpool.{letter}_proj.weight"] = ("F16", [out, 32 * width])
        tensors[f"visual.attnpool.{letter}_proj.bias"] = ("F16", [out])
    tensors["logit_scale"] = ("F32", [])
    return tensors


def vision(tensors):
    """The picture tower alone, to keep files small."""
    return {name: value for name, value in tensors.items()
            if name.startswith(("visual", "vision_model", "logit"))}


def text_tower(tensors):
    """The text tower alone."""
    return {name: value for name, value in tensors.items() if not name.startswith(("visual", "vision_model"))}


def custom_text(tensors):
    """The text tower of open_clip's CustomTextCLIP, its projection a linear layer."""
    tensors = {"text." * (name != "logit_scale") + name: value for name, value in text_tower(tensors).items()}
    kind, (width, embedding) = tensors.pop("text.text_projection")
    return {**tensors, "text.text_projection.weight": (kind, [embedding, width])}


def count(shape):
    product = 1
    for size in shape:
        product *= size
    return product


def table(tensors):
    """The header's object, and the length of the data."""
    offset, entries = 0, {}
    for name, (dtype, shape) in tensors.items():
        size = SIZES[dtype] * count(shape)
        entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    return entries, offset


def pack(header, data):
    """A file from a header (object, text or bytes) and the number of data bytes (or the bytes)."""
    if isinstance(header, dict):
        header = json.dumps(header, separators=(",", ":"))
    if isinstance(header, str):
        header = header.encode()
    return struct.pack("<Q", len(header)) + header + (data if isinstance(data, bytes) else bytes(data))


def case(name, status, piece, file, file_name="model.safetensors", **beside):
    """`file`: bytes, or a dictionary of tensors; `beside`: config, preprocessor, open_clip, or the name of a file
    (objects or bytes)."""
    cases.append((name, status, piece))
    folder = os.path.join(HERE, name)
    os.makedirs(folder)
    if isinstance(file, dict):
        file = pack(*table(file))
    names = {"config": "config.json", "preprocessor": "preprocessor_config.json", "open_clip": "open_clip_config.json"}
    for key, content in beside.items():
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        with open(os.path.join(folder, names.get(key, key)), "wb") as out:
            out.write(content)
    with open(os.path.join(folder, file_name), "wb") as out:
        out.write(file)


def containers():
    case("empty", INPUT, "found an empty file", b"")
    case("seven_bytes", INPUT, "expected at least 8 bytes", b"1234567")
    case("pickle_pytorch", UNSUPPORTED, "before version 1.6",
         b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.")
    case("pickle_other", UNSUPPORTED, "found a Python pickle",
         b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x05abc")
    case("hdf5", UNSUPPORTED, "found an HDF5 file", b"\x89HDF\r\n\x1a\n" + bytes(32))
    case("onnx", UNSUPPORTED, "found an ONNX model", b"\x08\x07\x12\x07pytorch\x1a\x03")
    case("tflite", UNSUPPORTED, "found a TensorFlow Lite model", b"\x1c\x00\x00\x00TFL3" + bytes(20))
    case("numpy", INPUT, "found a NumPy array", b"\x93NUMPY\x01\x00" + bytes(20))
    case("png", INPUT, "found a PNG picture", b"\x89PNG\r\n\x1a\n" + bytes(20))
    case("jpeg", INPUT, "found a JPEG picture", b"\xff\xd8\xff\xe0" + bytes(20))
    case("gzip", INPUT, "found a gzip archive", b"\x1f\x8b\x08" + bytes(20))
    case("git_lfs", INPUT, "found a Git LFS pointer, not the weights",
         b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 605156676\n")
    case("html", INPUT, "found an HTML page", b"\n <!DOCTYPE html>\n<html><body>404</body></html>\n")
    case("json", INPUT, "found a JSON text", b'{"model_type":"clip"}')
    case("text", INPUT, "found something else: its table", b"These are not the weights you are looking for.\n")


def headers():
    one = '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'

    def entry(text, data=4):
        return pack('{"a":' + text + "}", data)

    case("length_huge", INPUT, "at most 100000000 are allowed", struct.pack("<Q", 2**63) + b"{}")
    case("length_beyond_file", INPUT, "but 2 are there: cut short?", struct.pack("<Q", 500) + b"{}")
    case("length_zero", INPUT, "starts with {", struct.pack("<Q", 0) + bytes(16))
    case("cut_in_data", INPUT, "but the file holds 2: cut short?", pack(one, 2))
    case("data_left_over", INPUT, "the rest belongs to none", pack(one, 9))
    case("header_list", INPUT, "starts with {", pack("[]", 0))
    case("header_space_first", INPUT, "starts with {", pack(" {}", 0))
    case("header_not_json", INPUT, "expected ':' at byte", pack('{"a"}', 0))
    case("header_unclosed", INPUT, "expected ',' or '}'", pack(one[:-1], 4))
    case("header_trailing_comma", INPUT, "expected a string", pack(one[:-1] + ",}", 4))
    case("header_trailing_text", INPUT, "expected the end of the text", pack(one + "x", 4))
    case("header_not_utf8", INPUT, "not UTF-8", pack(b'{"\xc0\xaf":{}}', 0))
    case("header_surrogate", INPUT, "half a surrogate pair", pack('{"\\ud800":{}}', 0))
    case("header_zero_character", INPUT, "a zero character", pack('{"a\\u0000b":{}}', 0))
    case("header_control_character", INPUT, "a control character", pack('{"a\nb":{}}', 0))
    case("header_escape", INPUT, "unknown escape", pack('{"a\\x":{}}', 0))
    case("header_deep", INPUT, "nested too deep", entry('{"extra":' + "[" * 100 + "]" * 100 + "}"))
    case("header_deeper", INPUT, "nested too deep", entry('{"extra":' + "[" * 5000))
    case("tensor_twice", INPUT, "tensor a: is there twice",
         pack(one[:-1] + ',"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', 8))
    case("key_twice", INPUT, "is there twice", entry('{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}'))
    case("entry_number", INPUT, "tensor a: expected an object", entry("7"))
    case("no_dtype", INPUT, "tensor a: dtype: missing", entry('{"shape":[1],"data_offsets":[0,4]}'))
    case("no_shape", INPUT, "tensor a: shape: missing", entry('{"dtype":"F32","data_offsets":[0,4]}'))
    case("no_offsets", INPUT, "tensor a: data_offsets: missing", entry('{"dtype":"F32","shape":[1]}'))
    case("dtype_unknown", INPUT, "found F99", entry('{"dtype":"F99","shape":[1],"data_offsets":[0,4]}'))
    case("dtype_number", INPUT, "dtype: expected a string", entry('{"dtype":32,"shape":[1],"data_offsets":[0,4]}'))
    case("shape_text", INPUT, "shape: expected a list", entry('{"dtype":"F32","shape":"1","data_offsets":[0,4]}'))
    case("shape_negative", INPUT, "shape: expected whole numbers",
         entry('{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}'))
    case("shape_fraction", INPUT, "shape: expected whole numbers",
         entry('{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}'))
    case("shape_too_large", INPUT, "shape: expected whole numbers",
         entry('{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}'))
    case("shape_overflow", INPUT, "product of its dimensions overflows",
         entry('{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}'))
    case("shape_bytes_overflow", INPUT, "size in bytes overflows",
         entry('{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}'))
    case("shape_rank_9", INPUT, "more than 8 dimensions",
         entry('{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}'))
    case("shape_other_size", INPUT, "expected 8 bytes for F32 of shape [2], found 4",
         entry('{"dtype":"F32","shape":[2],"data_offsets":[0,4]}'))
    case("offsets_one", INPUT, "data_offsets: expected two", entry('{"dtype":"F32","shape":[1],"data_offsets":[0]}'))
    case("offsets_three", INPUT, "data_offsets: expected two numbers, found more",
         entry('{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}'))
    case("offsets_negative", INPUT, "data_offsets: expected two",
         entry('{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}'))
    case("offsets_reversed", INPUT, "start at 4 but end at 0",
         entry('{"dtype":"F32","shape":[1],"data_offsets":[4,0]}'))
    case("offsets_beyond", INPUT, "its bytes end at 1000004",
         entry('{"dtype":"F32","shape":[1],"data_offsets":[1000000,1000004]}'))
    case("offsets_wrap", INPUT, "but the file holds 4",
         entry('{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551611,18446744073709551615]}'))
    case("hole", INPUT, "a hole", pack({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
                                        "b": {"dtype": "U8", "shape": [1], "data_offsets": [2, 3]}}, 3))
    case("overlap", INPUT, "inside another tensor's", pack({"a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]},
                                                            "b": {"dtype": "U8", "shape": [2], "data_offsets": [1, 3]}},
                                                           3))
    case("same_bytes", INPUT, "inside another tensor's",
         pack({"a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]},
               "b": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}}, 2))
    def scaled(dtype, shape, scales):
        """A matrix of whole numbers [2, 3] and its scales."""
        return pack({"a": {"dtype": "I8", "shape": [2, 3], "data_offsets": [0, 6]},
                     "a.scale": {"dtype": dtype, "shape": shape, "data_offsets": [6, 6 + len(scales)]}},
                    bytes(6) + scales)

    case("scales_type", INPUT, "tensor a.scale: expected F32 scales, found F16", scaled("F16", [2], bytes(4)))
    case("scales_type_unread", INPUT, "tensor a.scale: expected F32 scales, found F64", scaled("F64", [2], bytes(16)))
    case("scales_shape", INPUT, "tensor a.scale: expected [2], found [3]", scaled("F32", [3], bytes(12)))
    case("scales_rank", INPUT, "tensor a.scale: expected [2], found [2,1]", scaled("F32", [2, 1], bytes(8)))
    case("scales_scalar", INPUT, "tensor a.scale: expected [2], found []", scaled("F32", [], bytes(4)))
    for name, value, found in (("nan", math.nan, "one that is not"), ("infinite", math.inf, "one that is not"),
                               ("huge", 3e38, "one that is not"), ("negative", -1, "a negative one")):
        case("scales_" + name, INPUT, f"tensor a.scale: expected finite scales of 0 or more, found {found}",
             scaled("F32", [2], struct.pack("<2f", 1, value)))
    case("metadata_list", INPUT, "__metadata__: expected an object, found a list", pack('{"__metadata__":[]}', 0))
    case("metadata_number", INPUT, "__metadata__ k: expected a string, found a number",
         pack('{"__metadata__":{"k":1}}', 0))
    case("metadata_twice", INPUT, "__metadata__ is there twice", pack('{"__metadata__":{},"__metadata__":{}}', 0))
    case("metadata_key_twice", INPUT, "metadata k: is there twice", pack('{"__metadata__":{"k":"1","k":"2"}}', 0))


def models():
    def without(tensors, *names):
        return {name: value for name, value in tensors.items() if name not in names}

    def changed(tensors, name, dtype, shape):
        return {**tensors, name: (dtype, shape)}

    def fail(name, status, piece, file):
        case(name, status, piece, file, open_clip=HEADS)

    small = vision(openai())
    text = text_tower(openai())
    fail("no_tensors", INPUT, "found no tensors at all", pack("{}", 0))
    fail("other_model", INPUT, "found 1 others, such as bert.pooler.weight", {"bert.pooler.weight": ("F16", [2])})
    for name in ("visual.class_embedding", "visual.positional_embedding", "visual.ln_post.bias",
                 "visual.ln_pre.bias", "visual.transformer.resblocks.0.attn.in_proj_bias",
                 "visual.transformer.resblocks.0.mlp.c_fc.weight"):
        fail("without_" + name.replace(".", "_"), INPUT, f"tensor {name}: expected [", without(small, name))
    fail("without_visual_proj", UNSUPPORTED, "found a picture tower without its projection (no visual.proj)",
         without(small, "visual.proj"))
    fail("without_text_projection", UNSUPPORTED, "found a text tower without its projection (no text_projection)",
         without(text, "text_projection"))
    fail("stable_diffusion", UNSUPPORTED, "no text_projection.weight), as in Stable Diffusion",
         without(text_tower(hugging_face()), "text_projection.weight"))
    fail("hugging_face_vision_alone", UNSUPPORTED, "without its projection (no visual_projection.weight)",
         without(vision(hugging_face()), "visual_projection.weight"))
    fail("without_ln_final_weight", INPUT, "tensor ln_final.weight: expected [4], but it is missing",
         without(text, "ln_final.weight"))
    fail("without_block", INPUT, "tensor visual.transformer.resblocks.1.ln_1.weight: expected [4], but it is missing",
         {**small, **block("visual.transformer.resblocks.2.", 4)})
    fail("blocks_huge", INPUT, "expected at most 1024 blocks",
         {**small, "visual.transformer.resblocks.99999999999999999999.ln_1.weight": ("F16", [1])})
    fail("proj_width", INPUT, "tensor visual.proj: expected [4,2], found [2,2]",
         changed(small, "visual.proj", "F16", [2, 2]))
    fail("embedding_widths", INPUT, "tensor text_projection: expected [4,2], found [4,3]",
         changed({**small, **text}, "text_projection", "F16", [4, 3]))
    fail("positions_no_square", INPUT, "tensor visual.positional_embedding: expected [1 + a square,4], found [3,4]",
         changed(small, "visual.positional_embedding", "F16", [3, 4]))
    fail("patch_not_square", INPUT, "tensor visual.conv1.weight: expected [4,3,patch,patch], found [4,3,1,2]",
         changed(small, "visual.conv1.weight", "F16", [4, 3, 1, 2]))
    fail("patch_channels", INPUT, "expected [4,3,patch,patch], found [4,4,1,1]",
         changed(small, "visual.conv1.weight", "F16", [4, 4, 1, 1]))
    fail("patch_rank", INPUT, "tensor visual.conv1.weight: expected [width,3,patch,patch], found [4,3]",
         changed(small, "visual.conv1.weight", "F16", [4, 3]))
    fail("norm_shape", INPUT, "tensor visual.ln_post.weight: expected [4], found [3]",
         changed(small, "visual.ln_post.weight", "F16", [3]))
    fail("packed_shape", INPUT, "attn.in_proj_weight: expected [12,4], found [8,4]",
         changed(small, "visual.transformer.resblocks.0.attn.in_proj_weight", "F16", [8, 4]))
    fail("empty_width", INPUT, "tensor visual.conv1.weight: expected [width,3,patch,patch], found [0,3,1,1]",
         changed(small, "visual.conv1.weight", "F16", [0, 3, 1, 1]))
    fail("type_double", UNSUPPORTED, "tensor visual.proj: expected F32, F16 or BF16, found F64",
         changed(small, "visual.proj", "F64", [4, 2]))
    fail("type_float8", UNSUPPORTED, "tensor visual.proj: expected F32, F16 or BF16, found F8_E4M3",
         changed(small, "visual.proj", "F8_E4M3", [4, 2]))
    fail("type_integer", INPUT, "tensor visual.proj: expected F32, F16 or BF16, found I32",
         changed(small, "visual.proj", "I32", [4, 2]))
    fail("scale_shape", INPUT, "tensor logit_scale: expected [], found [2]", changed(small, "logit_scale", "F32", [2]))
    infinite = table({"logit_scale": ("F32", []), **without(small, "logit_scale")})
    fail("scale_infinite", INPUT, "tensor logit_scale: expected a finite number, found inf",
         pack(infinite[0], struct.pack("<f", float("inf")) + bytes(infinite[1] - 4)))
    case("head_width", UNSUPPORTED, "width 4 is no multiple of the head width 64", small)
    fail("two_text_towers", INPUT, "expected one text tower, found two",
         {**text, "text.token_embedding.weight": ("F16", [3, 4])})
    fail("two_projections", INPUT, "expected one text projection, found text_projection and text_projection.bias",
         {**text, "text_projection.bias": ("F16", [2])})
    fail("projection_bias", INPUT, "tensor text.text_projection.bias: expected [2], found [3]",
         {**custom_text(openai()), "text.text_projection.bias": ("F16", [3])})
    fail("hugging_face_text", UNSUPPORTED, "a text tower from Hugging Face's library (text.proj.weight)",
         {"text.transformer.embeddings.word_embeddings.weight": ("F16", [3, 4]), "text.proj.weight": ("F16", [2, 4])})
    fail("stranger_text", UNSUPPORTED, "tensor ln_final.gamma: not part of any tower",
         {**text, "ln_final.gamma": ("F16", [4])})
    must_fail_open_clip.variants(fail, small, text, custom_text(text))
    fail("layer_scale", UNSUPPORTED, "LayerScale",
         {**small, "visual.transformer.resblocks.0.ls_1.gamma": ("F16", [4])})
    fail("no_class_token", UNSUPPORTED, "without class token",
         changed(without(small, "visual.class_embedding"), "visual.positional_embedding", "F16", [1, 4]))
    fail("no_ln_pre", UNSUPPORTED, "without its first layer norm",
         without(small, "visual.ln_pre.weight", "visual.ln_pre.bias"))
    fail("stranger", UNSUPPORTED, "tensor visual.transformer.resblocks.0.attn.q_norm.weight: not part of any tower",
         {**small, "visual.transformer.resblocks.0.attn.q_norm.weight": ("F16", [4])})


def resnets():
    whole = resnet()
    # What the sizes are read off.
    sizes = ("visual.layer1.0.conv1.weight", "visual.attnpool.positional_embedding", "visual.attnpool.c_proj.weight")

    def fail(name, status, piece, tensors, **beside):
        case("resnet_" + name, status, piece, tensors, **{"open_clip": HEADS, **beside})

    def up_to(last, replaced=None):
        """The file ends behind the tensor that is wrong, which keeps it small; replaced: what that one is, None for
        missing."""
        names = list(whole)
        names = [*names[: names.index(last)], *sizes, "visual.layer4.0.conv1.weight", "visual.layer3.1.conv1.weight"]
        tensors = {name: whole[name] for name in names}
        if replaced:
            tensors[last] = replaced
        else:
            tensors.pop(last, None)
        return tensors

    def missing(name, shape, tensor):
        fail(name, INPUT, f"tensor {tensor}: expected {shape}, but it is missing", up_to(tensor))

    missing("without_norm", "[1]", "visual.bn1.weight")
    missing("without_variance", "[2]", "visual.layer1.0.bn2.running_var")
    missing("without_shortcut", "[16,8,1,1]", "visual.layer2.0.downsample.0.weight")
    fail("without_first", INPUT,
         "tensor visual.layer1.0.conv1.weight: expected [width,width,1,1], but it is missing",
         {"visual.layer1.0.bn1.bias": whole["visual.layer1.0.bn1.bias"]})
    missing("without_stage", "[16,32,1,1]", "visual.layer4.0.conv1.weight")
    fail("gap", INPUT, "tensor visual.layer3.2.conv1.weight: expected [8,32,1,1], but it is missing",
         {**up_to("visual.layer4.0.conv1.weight"), "visual.layer3.3.conv1.weight": ("F16", [8, 32, 1, 1])})
    fail("without_pool", INPUT,
         "tensor visual.attnpool.positional_embedding: expected [1 + a square,32 width], but it is missing",
         {name: shape for name, shape in up_to("visual.bn1.weight").items() if "attnpool" not in name})
    fail("kernel", INPUT, "tensor visual.conv2.weight: expected [1,1,3,3], found [1,1,1,1]",
         up_to("visual.conv2.weight", ("F16", [1, 1, 1, 1])))
    fail("channels", INPUT, "tensor visual.layer1.0.conv3.weight: expected [8,2,1,1], found [4,2,1,1]",
         up_to("visual.layer1.0.conv3.weight", ("F16", [4, 2, 1, 1])))
    fail("norm_shape", INPUT, "tensor visual.layer1.0.bn3.bias: expected [8], found [2]",
         up_to("visual.layer1.0.bn3.bias", ("F32", [2])))
    fail("type", UNSUPPORTED, "tensor visual.conv1.weight: expected F32, F16 or BF16, found F64",
         up_to("visual.conv1.weight", ("F64", [1, 3, 3, 3])))
    fail("positions", INPUT,
         "tensor visual.attnpool.positional_embedding: expected [1 + a square,32 x 2], found [3,64]",
         up_to("visual.conv1.weight") | {sizes[1]: ("F32", [3, 64])})
    fail("positions_width", INPUT, "expected [1 + a square,32 x 2], found [2,66]",
         up_to("visual.conv1.weight") | {sizes[1]: ("F32", [2, 66])})
    fail("pool_width", INPUT, "tensor visual.attnpool.c_proj.weight: expected [2,64], found [2,32]",
         up_to("visual.conv1.weight") | {sizes[2]: ("F16", [2, 32])})
    fail("blocks_huge", INPUT, "tensor visual.layer3.99999999999999999999.conv1.weight: expected at most 1024 blocks",
         up_to("visual.conv1.weight") | {"visual.layer3.99999999999999999999.conv1.weight": ("F16", [1])})
    fail("projection", INPUT, "tensor visual.attnpool.k_proj.weight: expected [64,64], found [64,32]",
         up_to("visual.attnpool.k_proj.weight", ("F16", [64, 32])))
    fail("stranger", UNSUPPORTED, "tensor visual.layer1.0.se.weight: not part of any tower",
         whole | {"visual.layer1.0.se.weight": ("F16", [1])})
    fail("stranger_number", UNSUPPORTED, "tensor visual.layer1.00.bn1.bias: not part of any tower",
         whole | {"visual.layer1.00.bn1.bias": ("F16", [1])})
    fail("stranger_shortcut", UNSUPPORTED, "tensor visual.layer3.1.downsample.0.weight: not part of any tower",
         whole | {"visual.layer3.1.downsample.0.weight": ("F16", [1])})
    for name, value, found in (("negative", -0.25, "-0.25"), ("nan", float("nan"), "nan"),
                               ("infinite", float("inf"), "inf")):
        tensors = {"visual.bn1.running_var": ("F32", [1]), **up_to("visual.bn1.running_var")}
        header, length = table(tensors)
        fail("variance_" + name, INPUT,
             "tensor visual.bn1.running_var: expected finite variances of 0 or more, found " + found,
             pack(header, struct.pack("<f", value) + bytes(length - 4)))
    small = up_to("visual.conv1.weight")
    fail("head_width", INPUT, "the picture tower's width 64 is no multiple of the head width 48", small,
         open_clip={"model_cfg": {"vision_cfg": {"layers": [1, 1, 2, 1], "width": 2, "head_width": 48}}})
    fail("open_clip_layers", INPUT, "vision_cfg.layers: expected 5 as in the tensors, found 16", small,
         open_clip={"model_cfg": {"vision_cfg": {"layers": [3, 4, 6, 3]}}})
    fail("open_clip_layers_text", INPUT, "vision_cfg.layers: expected a whole number, found a string", small,
         open_clip={"model_cfg": {"vision_cfg": {"layers": [3, "4"]}}})
    fail("open_clip_width", INPUT, "vision_cfg.width: expected 2 as in the tensors, found 64", small,
         open_clip={"model_cfg": {"vision_cfg": {"layers": [1, 1, 2, 1], "width": 64}}})


def configurations():
    model = vision(hugging_face())
    good = {"hidden_size": 4, "num_attention_heads": 1, "hidden_act": "gelu", "layer_norm_eps": 1e-5,
            "num_hidden_layers": 1, "patch_size": 1, "image_size": 1, "intermediate_size": 8}

    def config(**changes):
        return {"model_type": "clip", "projection_dim": 2, "vision_config": {**good, **changes}}

    def fail(name, status, piece, content):
        case("config_" + name, status, piece, model, config=content)

    fail("empty", INPUT, "config.json: expected a JSON object, found no value", b"")
    fail("list", INPUT, "config.json: expected a JSON object, found a list", b"[]")
    fail("cut", INPUT, "config.json: a string without end", b'{"vision_config": {"hidden_si')
    fail("trailing", INPUT, "config.json: expected the end of the text", b"{} {}")
    fail("not_utf8", INPUT, "config.json: not UTF-8", b'{"vision_config": {"hidden_act": "\xff"}}')
    fail("deep", INPUT, "config.json: values nested too deep", b'{"a":' + b"[" * 5000)
    fail("section_text", INPUT, "config.json: vision_config: expected an object, found a string",
         {"vision_config": "clip"})
    fail("section_twice", INPUT, "vision_config is there twice", b'{"vision_config":{},"vision_config":{}}')
    fail("key_twice", INPUT, "vision_config.patch_size is there twice",
         b'{"vision_config":{"patch_size":1,"patch_size":1}}')
    fail("width", INPUT, "vision_config.hidden_size: expected 4 as in the tensors, found 128", config(hidden_size=128))
    fail("width_text", INPUT, "vision_config.hidden_size: expected a whole number, found a string",
         config(hidden_size="4"))
    fail("width_zero", INPUT, "vision_config.hidden_size: expected a whole number of 1 or more", config(hidden_size=0))
    fail("width_negative", INPUT, "vision_config.hidden_size: expected a whole number", config(hidden_size=-4))
    fail("hidden", INPUT, "vision_config.intermediate_size: expected 8", config(intermediate_size=16))
    fail("layers", INPUT, "vision_config.num_hidden_layers: expected 1", config(num_hidden_layers=12))
    fail("patch", INPUT, "vision_config.patch_size: expected 1", config(patch_size=16))
    fail("image", INPUT, "vision_config.image_size: expected 1", config(image_size=224))
    fail("projection", INPUT, "projection_dim: expected 2", {**config(), "projection_dim": 512})
    fail("heads", INPUT, "cannot be parted into 7 heads", config(num_attention_heads=7))
    fail("activation", UNSUPPORTED, "expected the activation quick_gelu or gelu, found relu", config(hidden_act="relu"))
    fail("activation_number", INPUT, "vision_config.hidden_act: expected a string, found a number",
         config(hidden_act=1))
    fail("epsilon", INPUT, "vision_config.layer_norm_eps: expected a number above 0, found -1",
         config(layer_norm_eps=-1))
    fail("epsilon_huge", INPUT, "expected a layer norm epsilon in 0..0.1", config(layer_norm_eps=5))
    fail("model_type", UNSUPPORTED, "expected model_type clip, found siglip", {**config(), "model_type": "siglip"})
    case("preprocessor_std", INPUT, "image_std: expected three numbers above 0, found 0", model, config=config(),
         preprocessor={"image_std": [0.5, 0, 0.5]})
    case("preprocessor_mean", INPUT, "image_mean: expected a list of three numbers", model, config=config(),
         preprocessor={"image_mean": [0.5, 0.5]})
    case("preprocessor_huge", INPUT, "image_mean: expected three numbers in range", model, config=config(),
         preprocessor=b'{"image_mean": [1e999, 0, 0]}')
    small = vision(openai())
    case("open_clip_width", INPUT, "vision_cfg.width: expected 4 as in the tensors, found 768", small,
         open_clip={"model_cfg": {"embed_dim": 2, "vision_cfg": {"width": 768}}})
    case("open_clip_quick", INPUT, "model_cfg.quick_gelu: expected true or false, found a string", small,
         open_clip={"model_cfg": {"quick_gelu": "yes", "vision_cfg": {}}})
    case("open_clip_std", INPUT, "std: expected three numbers above 0, found -1", small,
         open_clip={"preprocess_cfg": {"std": [1, -1, 1]}})


def converted():
    """What Lancet itself writes into the metadata, changed."""
    tensors = vision(openai())
    good = {"version": 1, "activation": "gelu", "layer_norm_epsilon": 1e-5, "embedding_width": 2,
            "mean": [0, 0, 0], "std": [1, 1, 1],
            "vision": {"width": 4, "hidden": 8, "blocks": 1, "heads": 2, "patch_side": 1, "image_side": 1}}

    def fail(name, status, piece, content):
        content = content if isinstance(content, str) else json.dumps(content)
        entries, data = table(tensors)
        case("converted_" + name, status, "model.safetensors: lancet.model: " + piece,
             pack({"__metadata__": {"lancet.model": content}, **entries}, data))

    def changed(name, status, piece, **changes):
        fail(name, status, piece, {**good, **changes})

    def tower(name, piece, **changes):
        changed(name, INPUT, "vision." + piece, vision={**good["vision"], **changes})

    fail("empty", INPUT, "expected a JSON object, found no value", "")
    fail("list", INPUT, "expected a JSON object, found a list", "[1]")
    fail("cut", INPUT, "a string without end", '{"version": 1, "activ')
    fail("trailing", INPUT, "expected the end of the text", json.dumps(good) + "}")
    fail("deep", INPUT, "values nested too deep", '{"version": 1, "a":' + "[" * 5000)
    fail("no_version", INPUT, "expected its version first", {"activation": "gelu", "version": 1})
    fail("nothing", INPUT, "expected its version first", "{}")
    fail("version_text", INPUT, "version: expected a whole number, found a string", {"version": "1"})
    fail("version_zero", INPUT, "version: expected a whole number of 1 or more", {"version": 0})
    fail("version_later", UNSUPPORTED, "version 2, of a later Lancet, is not supported", {"version": 2, "vision": 7})
    changed("activation", UNSUPPORTED, "activation: expected quick_gelu or gelu, found relu", activation="relu")
    changed("activation_number", INPUT, "activation: expected a string, found a number", activation=1)
    changed("assumed", INPUT, "activation_assumed: expected true or false, found a string", activation_assumed="yes")
    changed("epsilon", INPUT, "layer_norm_epsilon: expected a number above 0, found 0", layer_norm_epsilon=0)
    changed("epsilon_list", INPUT, "layer_norm_epsilon: expected a number, found a list", layer_norm_epsilon=[1])
    changed("embedding", INPUT, "embedding_width: expected 2 as in the tensors, found 512", embedding_width=512)
    changed("mean", INPUT, "mean: expected a list of three numbers", mean=[0, 0])
    changed("mean_huge", INPUT, "mean: expected three numbers in range, found inf", mean=[0, 0, 10**400])
    changed("std", INPUT, "std: expected three numbers above 0, found 0", std=[1, 0, 1])
    changed("section", INPUT, "vision: expected an object, found a list", vision=[])
    changed("text", INPUT, "text: expected none as in the tensors, found the settings of one", text={})
    changed("origin", INPUT, "origin: expected an object, found a string", origin="x")
    changed("origin_name", INPUT, "origin.name: expected a string, found a number", origin={"name": 1})
    fail("section_twice", INPUT, "vision is there twice", json.dumps(good)[:-1] + ',"vision":{}}')
    fail("key_twice", INPUT, "vision.width is there twice",
         '{"version":1,"vision":{"width":4,"width":4}}')
    tower("width", "width: expected 4 as in the tensors, found 8", width=8)
    tower("width_text", "width: expected a whole number, found a string", width="4")
    tower("width_huge", "width: expected a whole number of 1 or more", width=10**30)
    tower("hidden", "hidden: expected 8 as in the tensors, found 9", hidden=9)
    tower("blocks", "blocks: expected 1 as in the tensors, found 2", blocks=2)
    tower("patch", "patch_side: expected 1 as in the tensors, found 16", patch_side=16)
    tower("image", "image_side: expected 1 as in the tensors, found 224", image_side=224)
    tower("heads_zero", "heads: expected a whole number of 1 or more", heads=0)
    case("converted_heads", INPUT, "width 4 cannot be parted into 3 heads, as in lancet.model: vision.heads",
         pack({"__metadata__": {"lancet.model": json.dumps({**good, "vision": {"heads": 3}})},
               **table(tensors)[0]}, table(tensors)[1]))
    case("converted_epsilon_huge", INPUT, "expected a layer norm epsilon in 0..0.1, found 5",
         pack({"__metadata__": {"lancet.model": json.dumps({**good, "layer_norm_epsilon": 5})},
               **table(tensors)[0]}, table(tensors)[1]))


def indexes():
    """Weights in several files, and the index that names them."""
    one = pack(*table({"a": ("F32", [1])}))

    def fail(name, status, piece, index, **files):
        index = index if isinstance(index, bytes) else json.dumps(index).encode()
        case("index_" + name, status, piece, index, "model.safetensors.index.json", **files)

    fail("file_missing", IO, "index_file_missing/b: ", {"metadata": {}, "weight_map": {"a": "b"}})
    fail("empty", INPUT, "weight_map: expected tensors, found none", {"weight_map": {}})
    fail("list", INPUT, "weight_map: expected an object, found a list", {"weight_map": []})
    fail("number", INPUT, "weight_map: expected a string, found a number", {"weight_map": {"a": 1}})
    fail("twice", INPUT, "weight_map is there twice", b'{"weight_map":{"a":"b"},"weight_map":{"a":"b"}}')
    fail("cut", INPUT, "index.json: a string without end at byte", b'{"weight_map":{"a":"b')
    fail("trailing", INPUT, "index.json: expected the end of the text", b'{"weight_map":{"a":"b"}} {}')
    for name, path in (("above", "../model.safetensors"), ("absolute", "/etc/passwd"), ("itself", "."), ("none", ""),
                       ("parent", ".."), ("backslash", "a\\b"), ("long", "x" * 300)):
        fail("path_" + name, INPUT, "weight_map: expected the name of a file beside it, found \"",
             {"weight_map": {"a": path}})
    fail("files_many", UNSUPPORTED, "weight_map: expected at most 256 files",
         {"weight_map": {str(i): str(i) for i in range(257)}})
    fail("of_itself", INPUT, "expected weights, found another index",
         {"weight_map": {"a": "model.safetensors.index.json"}})
    fail("of_other", INPUT, "b.safetensors: expected a model, found an empty file", {"weight_map": {"a": "b.safetensors"}},
         **{"b.safetensors": b""})
    fail("of_gguf", UNSUPPORTED, "a GGUF file under an index", {"weight_map": {"a": "b"}}, b=b"GGUF" + bytes(20))
    fail("of_two_kinds", INPUT, "c: expected a safetensors file as the one before, found PyTorch",
         {"weight_map": {"a": "b", "c": "c"}}, b=one, c=b"PK\x05\x06" + bytes(18))
    fail("tensors_more", INPUT, "expected 1 tensors in the files that weight_map names, found 2", {"weight_map": {"a": "b"}},
         b=pack(*table({"a": ("F32", [1]), "c": ("F32", [1])})))
    fail("tensors_less", INPUT, "expected 2 tensors in the files that weight_map names, found 1",
         {"weight_map": {"a": "b", "c": "b"}}, b=one)
    fail("tensors_twice", INPUT, "tensor a: is there twice", {"weight_map": {"a": "b", "c": "c"}}, b=one, c=one)
    case("index_part", INPUT, "found part 2 of 3: the index beside it (model.safetensors.index.json) opens them together",
         one, "model-00002-of-00003.safetensors")


def main():
    shutil.rmtree(HERE, ignore_errors=True)
    containers()
    headers()
    indexes()
    models()
    resnets()
    configurations()
    converted()
    must_fail_open_clip.settings(case, vision(openai()), text_tower(openai()), text_tower(hugging_face()))
    must_fail_gguf.add(case, INPUT, UNSUPPORTED)
    must_fail_pytorch.add(case)
    with open(os.path.join(HERE, "table.tsv"), "w", encoding="utf-8") as out:
        for row in cases:
            out.write("\t".join(map(str, row)) + "\n")
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()
