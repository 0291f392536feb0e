# SPDX-License-Identifier: Apache-2.0
"""PyTorch archives by hand: zip archives and pickles, byte by byte, so that any of it can be made wrong.

Standard library only, and not its zipfile and pickle: those refuse to write nonsense.
"""

import struct
import zlib

# --- Pickles: each function gives the bytes that put one value onto the stack ---

PROTOCOL = b"\x80\x02"
MARK, STOP, NONE, TRUE, FALSE, REDUCE, BUILD, NEWOBJ = b"(", b".", b"N", b"\x88", b"\x89", b"R", b"b", b"\x81"


def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return b"X" + struct.pack("<I", len(value)) + value


def integer(value):
    if 0 <= value < 256:
        return b"K" + bytes([value])
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    raw = value.to_bytes((value.bit_length() + 8) // 8, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def name(module, attribute):
    return b"c" + module.encode() + b"\n" + attribute.encode() + b"\n"


def sequence(*items):
    """A tuple."""
    return MARK + b"".join(items) + b"t"


def dictionary(items):
    """Of texts to values that are bytes already."""
    return b"}" + MARK + b"".join(text(key) + value for key, value in items.items()) + b"u"


def call(function, *arguments):
    return function + sequence(*arguments) + REDUCE


def module(path, attributes):
    """An object as TorchScript writes it."""
    package, _, attribute = path.rpartition(".")
    return name(package, attribute) + b")" + NEWOBJ + dictionary(attributes) + BUILD


def ordered():
    return call(name("collections", "OrderedDict"))


def storage(key, kind="Float", numbers=1):
    return sequence(text("storage"), name("torch", kind + "Storage"), text(key), text("cpu"), integer(numbers)) + b"Q"


def tensor(stored, shape=(1,), strides=None, offset=0):
    """`stored`: what storage() gives."""
    if strides is None:
        strides = [1] * len(shape)
        for i in range(len(shape) - 2, -1, -1):
            strides[i] = strides[i + 1] * shape[i + 1]
    return call(name("torch._utils", "_rebuild_tensor_v2"), stored, integer(offset),
                sequence(*map(integer, shape)), sequence(*map(integer, strides)), FALSE, ordered())


def parameter(value):
    return call(name("torch._utils", "_rebuild_parameter"), value, TRUE, ordered())


def pickle(value):
    return PROTOCOL + value + STOP


# --- Zip archives ---


class Member:
    """A file in an archive. What is given beside name and data replaces what would be true."""

    def __init__(self, path, data=b"", **lies):
        self.path = path if isinstance(path, bytes) else path.encode()
        self.data = data
        self.lies = lies

    def get(self, what, truth):
        return self.lies.get(what, truth)


def extra_64(*numbers):
    return struct.pack("<HH", 1, 8 * len(numbers)) + b"".join(struct.pack("<Q", n) for n in numbers)


def archive(members, wide=True, comment=b"", **lies):
    """The bytes of a zip archive as PyTorch writes it: stored, sizes behind the member, data at multiples of 64, with
    (`wide`) or without the Zip64 end record. Lies: count, size, offset (of the directory, in either end record),
    wide_count, wide_size, wide_offset, wide_signature, wide_place, wide_length, disk, parts, gap (bytes before the end
    records), signature (of the directory's entries)."""
    out, directory = b"", b""
    for m in members:
        offset, size = len(out), len(m.data)
        method, flags, sum_ = m.get("method", 0), m.get("flags", 0x808), zlib.crc32(m.data)
        padding = -(offset + 30 + len(m.path) + 4) % 64
        local_extra = m.get("local_extra", b"FB" + struct.pack("<H", padding) + b"Z" * padding)
        local_path = m.get("local_path", m.path)
        out += m.get("local_signature", b"PK\3\4")
        out += struct.pack("<HHHIIIIHH", 0, m.get("local_flags", flags), m.get("local_method", method), 0,
                           0, m.get("local_packed", 0), m.get("local_size", 0), len(local_path), len(local_extra))
        out += local_path + local_extra + m.data
        if flags & 8:
            out += b"PK\7\x08" + struct.pack("<III", sum_, size, size)
        extra = m.get("extra", b"")
        directory += lies.get("signature", b"PK\1\2")
        directory += struct.pack("<HHHHIIIIHHHHHII", 0, 0, flags, method, 0, sum_, m.get("packed", size),
                                 m.get("size", size), m.get("path_length", len(m.path)), len(extra), 0, 0, 0, 0,
                                 m.get("offset", offset))
        directory += m.path + extra
    start, count, length = len(out), len(members), len(directory)
    out += directory + lies.get("gap", b"")
    if wide:
        place = len(out)
        out += lies.get("wide_signature", b"PK\6\6") + struct.pack(
            "<QHHIIQQQQ", lies.get("wide_length", 44), 45, 45, lies.get("disk", 0), 0, lies.get("wide_count", count),
            lies.get("wide_count", count), lies.get("wide_size", length), lies.get("wide_offset", start))
        out += b"PK\6\7" + struct.pack("<IQI", 0, lies.get("wide_place", place), lies.get("parts", 1))
    out += b"PK\5\6" + struct.pack("<HHHHIIH", lies.get("disk", 0), 0, lies.get("count", count),
                                   lies.get("count", count), lies.get("size", length), lies.get("offset", start),
                                   len(comment))
    return out + comment


def members_of(value, storages, top="archive", beside=()):
    """The members of a PyTorch archive: `value` is what data.pkl holds (or its bytes, if they start with a protocol),
    `storages` key -> bytes."""
    raw = value if value[:1] == b"\x80" else pickle(value)
    return ([Member(f"{top}/data.pkl", raw)] + [Member(f"{top}/{path}", data) for path, data in beside] +
            [Member(f"{top}/data/{key}", data) for key, data in storages.items()] + [Member(f"{top}/version", b"3\n")])


def pytorch(value, storages=None, **lies):
    """The bytes of a PyTorch archive; by default with one storage, "0", of one float."""
    top, beside = lies.pop("top", "archive"), lies.pop("beside", ())
    return archive(members_of(value, {"0": bytes(4)} if storages is None else storages, top, beside), **lies)
