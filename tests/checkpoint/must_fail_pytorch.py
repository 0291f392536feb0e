# SPDX-License-Identifier: Apache-2.0
"""PyTorch archives that no reader may accept, for make_must_fail.py: zip archives and pickles that are cut short, lie,
ask for code, or hold what Lancet does not read."""

import struct

from pytorch_archive import (BUILD, FALSE, MARK, NEWOBJ, NONE, PROTOCOL, REDUCE, STOP, Member, archive, call, dictionary,
                             extra_64, integer, members_of, module, name, ordered, pickle, pytorch, sequence, storage,
                             tensor, text)

INPUT, UNSUPPORTED = 3, 4  # exit statuses
MIB = 1 << 20


def zips(case):
    good = members_of(dictionary({"a": tensor(storage("0"))}), {"0": bytes(4)})
    whole = archive(good)
    last = good[-1]

    def fail(title, status, piece, file):
        case("zip_" + title, status, piece, file)

    def with_member(title, piece, *arguments, status=INPUT, **lies):
        fail(title, status, piece, archive(good[:-1] + [Member(last.path, last.data, *arguments, **lies)]))

    fail("other", UNSUPPORTED, "a zip archive that is not PyTorch's", archive([Member("docs/readme.txt", b"hello")]))
    fail("no_folder", UNSUPPORTED, "a zip archive that is not PyTorch's", archive([Member("data.pkl", pickle(NONE))]))
    fail("empty", UNSUPPORTED, "a zip archive that is not PyTorch's", archive([], wide=False))
    fail("cut_in_half", INPUT, "its directory at the end, found none: cut short?", whole[: len(whole) // 2])
    fail("cut_last_byte", INPUT, "found none: cut short?", whole[:-1])
    fail("first_bytes", INPUT, "found none: cut short?", b"PK\x03\x04")
    fail("trailing_bytes", INPUT, "found none: cut short?", whole + b"\0")
    fail("bytes_before", INPUT, "does not end where its end record starts",
         b"PK\x03\x04" + bytes(8) + archive(good, wide=False))
    fail("directory_outside", INPUT, "does not end where its end record starts", archive(good, wide=False, offset=MIB))
    fail("directory_gap", INPUT, "does not end where its end record starts", archive(good, gap=bytes(8)))
    fail("directory_cut", INPUT, "its directory is cut short or damaged", archive(good, wide=False, signature=b"PK\1\3"))
    fail("name_beyond_directory", INPUT, "its directory is cut short or damaged",
         archive(good[:-1] + [Member(last.path, last.data, path_length=60000)]))
    fail("count_less", INPUT, "holds more than its end record says", archive(good, wide=False, count=2))
    fail("count_more", INPUT, "its directory is cut short or damaged", archive(good + [Member("archive/" + "x" * 60)], wide=False, count=5))
    fail("count_absurd", INPUT, "lists 65534 members in a directory of", archive(good, wide=False, count=65534))
    fail("count_absurd_64", INPUT, "lists 18446744073709551615 members",
         archive(good, count=0xFFFF, wide_count=2**64 - 1))
    fail("several_disks", UNSUPPORTED, "a zip archive in several parts", archive(good, wide=False, disk=1))
    fail("several_disks_64", UNSUPPORTED, "a zip archive in several parts", archive(good, parts=2))
    fail("wide_outside", INPUT, "its Zip64 end record lies outside of it", archive(good, wide_place=2**64 - 8))
    fail("wide_none", INPUT, "its Zip64 end record is none", archive(good, wide_signature=b"PK\6\5"))
    fail("wide_length", INPUT, "its Zip64 end record is none", archive(good, wide_length=2**63))
    fail("wide_disagrees", INPUT, "its end record and its Zip64 end record disagree", archive(good, wide_count=2))
    fail("wide_offset_absurd", INPUT, "does not end where its end record starts",
         archive(good, offset=0xFFFFFFFF, wide_offset=2**64 - 100))
    fail("wide_size_wraps", INPUT, "does not end where its end record starts",
         archive(good, size=0xFFFFFFFF, wide_size=2**64 - 1))
    with_member("size_absurd", "its bytes end outside of the archive", packed=2**31, size=2**31)
    with_member("size_absurd_64", "its bytes end outside of the archive", packed=0xFFFFFFFF, size=0xFFFFFFFF,
                extra=extra_64(2**64 - 1, 2**64 - 1))
    with_member("size_64_missing", "its Zip64 sizes are missing", packed=0xFFFFFFFF, size=0xFFFFFFFF)
    with_member("size_64_short", "its Zip64 sizes are missing", packed=0xFFFFFFFF, size=0xFFFFFFFF, extra=extra_64(2))
    with_member("extra_overruns", "its Zip64 sizes are missing", size=0xFFFFFFFF, extra=struct.pack("<HH", 7, 900))
    with_member("header_outside", "it lies outside of the archive", offset=2**31)
    with_member("header_outside_64", "it lies outside of the archive", offset=0xFFFFFFFF, extra=extra_64(2**64 - 30))
    with_member("header_none", "it does not lie where the directory says", local_signature=b"PK\3\5")
    with_member("header_name", "its own header has another name", local_path=b"archive/versioN")
    with_member("header_name_length", "its own header has another name", local_path=b"archive/version1")
    with_member("header_size", "disagree on its size", local_flags=0, local_size=3, local_packed=3)
    with_member("header_size_zero", "disagree on its size", local_flags=0)
    with_member("header_method", "disagree on how it is packed", local_method=8)
    with_member("header_encrypted", "disagree on how it is packed", local_flags=0x809)
    with_member("two_sizes", "it is stored as it is, but has two sizes", size=1)
    fail("name_twice", INPUT, "member archive/version of the archive: it is there twice", archive(good + [last]))
    fail("name_zero", INPUT, "a member whose name is no text in UTF-8", archive(good + [Member(b"archive/a\0b", b"")]))
    fail("name_not_utf8", INPUT, "a member whose name is no text in UTF-8", archive(good + [Member(b"archive/\xff", b"")]))
    fail("name_empty", INPUT, "a member whose name is no text in UTF-8", archive(good + [Member(b"", b"")]))
    fail("overlap", INPUT, "it lies inside another member", overlap())
    fail("data_compressed", UNSUPPORTED, "data.pkl of the archive: it is compressed, which is not supported",
         archive([Member(good[0].path, good[0].data, method=8)] + good[1:]))
    fail("data_encrypted", UNSUPPORTED, "data.pkl of the archive: it is encrypted, which is not supported",
         archive([Member(good[0].path, good[0].data, flags=0x809)] + good[1:]))
    fail("storage_compressed", UNSUPPORTED, "data/0 of the archive: it is compressed, which is not supported",
         archive([good[0], Member(good[1].path, good[1].data, method=8), last]))
    fail("byte_order_compressed", UNSUPPORTED, "byteorder of the archive: it is compressed, which is not supported",
         archive(good + [Member("archive/byteorder", b"little", method=8)]))
    fail("big_endian", UNSUPPORTED, "big-endian numbers, which are not supported",
         pytorch(dictionary({"a": tensor(storage("0"))}), beside=[("byteorder", b"big")]))
    fail("byte_order", INPUT, "byteorder: expected little or big",
         pytorch(dictionary({"a": tensor(storage("0"))}), beside=[("byteorder", b"middle")]))


def overlap():
    """Two members, the second of which is the first one's content."""
    inner = struct.pack("<4sHHHIIIIHH", b"PK\3\4", 0, 0x808, 0, 0, 0, 0, 0, 14, 0) + b"archive/data/1" + bytes(4)
    outer = Member("archive/data/0", inner, local_extra=b"")
    first = Member("archive/data.pkl", pickle(NONE), local_extra=b"", flags=0x800, local_packed=len(pickle(NONE)),
                   local_size=len(pickle(NONE)))
    start = 30 + len(first.path) + len(first.data)
    hidden = Member("archive/data/1", bytes(4), offset=start + 30 + len(outer.path), flags=0x808)
    return archive([first, outer, hidden])


def pickles(case):
    def fail(title, status, piece, value, storages=None):
        case("pickle_" + title, status, piece, pytorch(value, storages))

    def raw(title, status, piece, body):
        fail(title, status, piece, PROTOCOL + body)

    case("pickle_protocol_0", INPUT, "data.pkl: expected a pickle of protocol 2 to 5",
         archive([Member("archive/data.pkl", b"(dp0\n.")]))
    fail("protocol_6", UNSUPPORTED, "expected a pickle of protocol 2 to 5, found 6", b"\x80\x06}.")
    fail("empty", INPUT, "ends without a stop: cut short?", PROTOCOL)
    case("pickle_no_bytes", INPUT, "data.pkl: expected a pickle", archive([Member("archive/data.pkl", b"")]))
    raw("no_stop", INPUT, "ends without a stop: cut short?", b"}")
    raw("cut_text", INPUT, "ends in the middle of an operation: cut short?", b"X\x10\x00\x00\x00abc")
    raw("cut_name", INPUT, "ends in the middle of an operation: cut short?", b"ctorch\nFloatStorage")
    raw("cut_number", INPUT, "ends in the middle of an operation: cut short?", b"J\x01")
    raw("text_length_absurd", INPUT, "ends in the middle of an operation",
        b"\x8d" + struct.pack("<Q", 2**64 - 1) + b"a.")
    raw("long_length_absurd", INPUT, "ends in the middle of an operation", b"\x8b" + struct.pack("<I", 2**31) + b"a.")
    raw("frame_absurd", INPUT, "ends in the middle of an operation", b"\x95" + struct.pack("<Q", 2**63) + b"}.")
    raw("trailing", INPUT, "byte 3: stops before its end", b"}.}.")
    raw("two_values", INPUT, "stops with other than one value", b"}}.")
    raw("nothing", INPUT, "stops with other than one value", b".")
    raw("open_mark", INPUT, "stops with other than one value", b"}(.")
    raw("operation_unknown", INPUT, "expected an operation, found 0xFF", b"\xff.")
    raw("operation_inst", UNSUPPORTED, "the operation INST is not one that PyTorch uses", b"(ios\nsystem\n.")
    raw("operation_text", UNSUPPORTED, "the operation INT is not one that PyTorch uses", b"I1\n.")
    raw("operation_extension", UNSUPPORTED, "the operation EXT1 is not one", b"\x82\x01.")
    raw("operation_buffer", UNSUPPORTED, "the operation NEXT_BUFFER is not one", b"\x97.")
    raw("protocol_twice", UNSUPPORTED, "the operation PROTO is not one", b"\x80\x02}.")
    raw("stack_empty", INPUT, "takes a value where there is none", b"0.")
    raw("stack_below_mark", INPUT, "takes a value where there is none", b"K\x01K\x02(\x86.")
    raw("mark_missing", INPUT, "takes values up to a mark where there is none", b"K\x01t.")
    raw("memo_unknown", INPUT, "recalls a value by a number that none has", b"h\x05.")
    raw("memo_absurd", INPUT, "numbers more values than there are", b"}r\xff\xff\xff\xff.")
    raw("memo_sparse", INPUT, "numbers more values than there are", b"}r\x00\x00\x10\x00.")
    raw("key_alone", INPUT, "a key without a value", b"}(K\x01u.")
    raw("key_alone_dict", INPUT, "a key without a value", b"(K\x01d.")
    raw("append_to_dict", INPUT, "expected a list to add to, found a dictionary", b"}K\x01a.")
    raw("items_to_text", INPUT, "expected a dictionary to add to, found a text", text("a") + b"(K\x01K\x02u.")
    raw("call_number", INPUT, "expected a call of a function or class with a tuple", b"K\x01)R.")
    raw("call_without_tuple", INPUT, "with a list", name("torch", "Size") + b"]R.")
    raw("call_of_nothing", INPUT, "a call without the argument that is its result",
        call(name("torch._utils", "_rebuild_parameter")) + STOP)
    raw("state_of_number", INPUT, "expected an object to give attributes, found a whole number", b"K\x01}b.")
    raw("name_of_numbers", INPUT, "a Python name that is no text", b"K\x01K\x02\x93.")
    raw("text_not_utf8", INPUT, "a text that is not UTF-8", text(b"\xed\xa0\x80") + STOP)
    raw("nested", UNSUPPORTED, "expected values nested at most 1000 deep, found more", MARK * 5000)
    raw("dictionary_of_pairs", UNSUPPORTED, "a dictionary that is made of arguments",
        call(name("collections", "OrderedDict"), b"]") + STOP)
    # What a pickle can ask Python to do, in the ways it can be asked.
    raw("code_system", UNSUPPORTED, "asks for Python's posix.system",
        name("posix", "system") + sequence(text("echo hello")) + REDUCE + STOP)
    raw("code_eval", UNSUPPORTED, "asks for Python's builtins.eval",
        text("builtins") + text("eval") + b"\x93" + sequence(text("1")) + REDUCE + STOP)
    raw("code_in_state", UNSUPPORTED, "asks for Python's os.system",
        dictionary({"epoch": call(name("os", "system"), text("echo")), "state_dict": dictionary({})}) + STOP)
    raw("code_newobj", UNSUPPORTED, "asks for Python's subprocess.Popen",
        name("subprocess", "Popen") + sequence(text("true")) + NEWOBJ + STOP)
    raw("code_storage", UNSUPPORTED, "asks for Python's torch.storage._load_from_bytes",
        call(name("torch.storage", "_load_from_bytes"), b"C\x00") + STOP)
    raw("code_like_torch", UNSUPPORTED, "asks for Python's __torch__x.A", name("__torch__x", "A") + STOP)
    raw("whole_model", UNSUPPORTED, "asks for Python's clip.model.CLIP, which weights do not need",
        name("clip.model", "CLIP") + b")" + NEWOBJ + b"}" + BUILD + STOP)
    raw("name_of_control", UNSUPPORTED, "asks for Python's ?[2J.x", name("\x1b[2J", "x") + STOP)


def tensors(case):
    def fail(title, status, piece, value, storages=None):
        case("tensor_" + title, status, piece, pytorch(dictionary({"a": value}), storages))

    def root(title, status, piece, value, storages=None):
        case("root_" + title, status, piece, pytorch(value, storages))

    rebuild = name("torch._utils", "_rebuild_tensor_v2")
    one = storage("0")
    root("none", INPUT, "expected a state dict or a TorchScript module, found None", NONE)
    root("list", INPUT, "expected a state dict or a TorchScript module, found a list", b"]")
    root("tensor", INPUT, "expected a state dict or a TorchScript module, found a tensor", tensor(one))
    root("settings", INPUT, "found no tensors at all", dictionary({"epoch": integer(3), "state_dict": dictionary({})}))
    root("module_without_state", INPUT, "found an object", name("__torch__", "M") + b")" + NEWOBJ)
    root("holds_itself", INPUT, "found a dictionary or module that holds itself",
         b"}q\x00" + MARK + text("state_dict") + b"h\x00" + b"u")
    root("module_holds_itself", INPUT, "found a dictionary or module that holds itself",
         name("__torch__", "M") + b")" + NEWOBJ + b"q\x00}" + MARK + text("child") + b"h\x00u" + BUILD)
    deep = module("__torch__.M", {})
    for _ in range(80):
        deep = module("__torch__.M", {"m": deep})
    root("modules_deep", UNSUPPORTED, "expected modules nested at most 64 deep, found more", deep)
    # Each level holds the one below twice: 2^40 modules in a few hundred bytes.
    many = name("__torch__", "M") + b")" + NEWOBJ + b"}" + BUILD + b"q\x00"
    for i in range(1, 41):
        below = b"h" + bytes([i - 1])
        many += (name("__torch__", "M") + b")" + NEWOBJ + dictionary({"a": below, "b": below}) + BUILD + b"q" +
                 bytes([i]))
    root("modules_many", UNSUPPORTED, "expected at most 200000 tensors and attributes, found more",
         sequence(many) + b"0" + b"h\x28")
    root("name_long", UNSUPPORTED, "expected tensors' names of at most 512 bytes, found one that ends in nnn", dictionary({"n" * 600: tensor(one)}))
    root("name_zero", INPUT, "a tensor's name with a zero character", dictionary({"a\0b": tensor(one)}))
    root("name_twice", INPUT, "tensor a: is there twice",
         b"}" + MARK + text("a") + tensor(one) + text("a") + tensor(one) + b"u")
    fail("arguments", INPUT, "tensor a: expected a tensor's storage, offset, dimensions and strides",
         call(rebuild, one, integer(0)))
    fail("offset_text", INPUT, "expected a tensor's storage, offset",
         call(rebuild, one, text("0"), sequence(integer(1)), sequence(integer(1))))
    fail("offset_negative", INPUT, "expected a tensor's storage, offset", tensor(one, offset=-1))
    fail("storage_number", INPUT, "expected a storage to be a tuple of five",
         call(rebuild, integer(0), integer(0), sequence(integer(1)), sequence(integer(1))))
    fail("storage_identity", INPUT, "expected a storage to be a tuple of five", tensor(text("0") + b"Q"))
    fail("storage_short", INPUT, "expected a storage to be a tuple of five", tensor(sequence(text("storage")) + b"Q"))
    fail("storage_module", INPUT, "expected a storage to be a tuple of five",
         tensor(sequence(text("module"), name("torch", "FloatStorage"), text("0"), text("cpu"), integer(1)) + b"Q"))
    fail("storage_class", INPUT, "expected a storage's class, key and size",
         tensor(sequence(text("storage"), name("torch", "Size"), text("0"), text("cpu"), integer(1)) + b"Q"))
    fail("storage_key", INPUT, "expected a storage's class, key and size",
         tensor(sequence(text("storage"), name("torch", "FloatStorage"), integer(0), text("cpu"), integer(1)) + b"Q"))
    fail("storage_missing", INPUT, "tensor a: its storage is not in the archive", tensor(storage("1")))
    fail("storage_escapes", INPUT, "its storage is not in the archive", tensor(storage("../data/0")))
    fail("storage_key_long", INPUT, "its storage is not in the archive", tensor(storage("0" * 5000)))
    fail("storage_too_short", INPUT, "data/0 of the archive: expected 2 numbers of 4 bytes, found 4 bytes",
         tensor(storage("0", "Float", 2)))
    fail("storage_too_long", INPUT, "expected 1 numbers of 4 bytes, found 9 bytes", tensor(one), {"0": bytes(9)})
    fail("storage_absurd", INPUT, "of 4 bytes, found 4 bytes", tensor(storage("0", "Float", 2**62)))
    fail("storage_negative", INPUT, "expected a storage's class, key and size", tensor(storage("0", "Float", -1)))
    fail("storage_huge_number", INPUT, "expected a storage's class, key and size", tensor(storage("0", "Float", 2**70)))
    fail("storage_quantised", UNSUPPORTED, "asks for Python's torch.QInt8Storage", tensor(storage("0", "QInt8")))
    fail("storage_of_bytes", INPUT, "expected a storage of a type of numbers, found one of bytes",
         tensor(storage("0", "Untyped", 4)))
    fail("type_missing", INPUT, "expected its seventh argument to be a data type",
         call(name("torch._utils", "_rebuild_tensor_v3"), storage("0", "Untyped", 4), integer(0), sequence(integer(1)),
              sequence(integer(1)), FALSE, ordered()))
    fail("offset_outside", INPUT, "its numbers end outside of its storage, which holds 1", tensor(one, offset=1))
    fail("offset_wraps", INPUT, "its numbers end outside of its storage", tensor(one, (2,), (1,), 2**63 - 1))
    fail("shape_outside", INPUT, "its numbers end outside of its storage, which holds 1", tensor(one, (2,)))
    fail("stride_outside", INPUT, "its numbers end outside of its storage, which holds 4",
         tensor(storage("0", "Float", 4), (2, 2), (3, 1)), {"0": bytes(16)})
    fail("stride_wraps", INPUT, "its numbers end outside of its storage", tensor(one, (3, 3), (2**62, 2**62)))
    fail("stride_negative", INPUT, "dimensions and strides to be whole numbers of 0 or more", tensor(one, (1,), (-1,)))
    fail("shape_negative", INPUT, "dimensions and strides to be whole numbers of 0 or more", tensor(one, (-1,), (1,)))
    fail("shape_real", INPUT, "dimensions and strides to be whole numbers of 0 or more",
         call(rebuild, one, integer(0), sequence(b"G" + bytes(8)), sequence(integer(1))))
    fail("shape_text", INPUT, "expected as many strides as dimensions",
         call(rebuild, one, integer(0), text("1"), sequence(integer(1))))
    fail("strides_fewer", INPUT, "expected as many strides as dimensions", tensor(one, (1, 1), (1,)))
    fail("shape_rank_9", INPUT, "shape: more than 8 dimensions", tensor(one, (1,) * 9))
    fail("shape_overflow", INPUT, "the product of its dimensions overflows", tensor(one, (2**33, 2**33), (0, 0)))
    fail("view_absurd", UNSUPPORTED, "a view that is larger than what it looks at", tensor(one, (2**40,), (0,)))
    fail("view_negated", UNSUPPORTED, "a view that changes its numbers",
         call(rebuild, one, integer(0), sequence(integer(1)), sequence(integer(1)), FALSE, ordered(),
              dictionary({"neg": b"\x88"})))
    fail("kind_of_text", INPUT, "expected a tensor's function, class and arguments",
         call(name("torch._tensor", "_rebuild_from_type_v2"), text("f"), name("torch", "Tensor"), sequence()))
    fail("kind_of_other", INPUT, "expected a tensor, found something else",
         call(name("torch._tensor", "_rebuild_from_type_v2"), name("torch", "device"), name("torch", "Tensor"),
              sequence(), NONE))
    fail("sparse", UNSUPPORTED, "asks for Python's torch._utils._rebuild_sparse_tensor",
         call(name("torch._utils", "_rebuild_sparse_tensor")))


def add(case):
    zips(case)
    pickles(case)
    tensors(case)
