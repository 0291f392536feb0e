# SPDX-License-Identifier: Apache-2.0
"""What Pillow makes of the tests' pictures. Usage: pillow.py SUBJECT FOLDER; one function below for each subject."""
import random
import struct
import sys
import zlib
from pathlib import Path

from PIL import Image, ImageOps

BACKGROUND = (10, 200, 90)


def resize(folder):
    """cases.raw: records of channels, in width, in height, out width, out height (uint32 each) and the pixels.
    Writes results.raw: the resized pixels, one after another."""
    data = (folder / "cases.raw").read_bytes()
    at = 0
    with open(folder / "results.raw", "wb") as results:
        while at < len(data):
            channels, width, height, to_width, to_height = struct.unpack_from("<5I", data, at)
            at += 20
            length = width * height * channels
            mode = "RGB" if channels == 3 else "L"
            picture = Image.frombytes(mode, (width, height), data[at : at + length])
            at += length
            results.write(picture.resize((to_width, to_height), Image.BICUBIC).tobytes())


class Expectations:
    """expected.raw: records of name (64 bytes), way (0 default, 1 ignore orientation, 2 blend on BACKGROUND), width,
    height (uint32 each) and the RGB pixels that the file must give."""

    def __init__(self, folder):
        self.folder = folder
        self.out = open(folder / "expected.raw", "wb")

    def add(self, name, way, width, height, rgb):
        self.out.write(struct.pack("<64sIII", name.encode(), way, width, height) + bytes(rgb))

    def from_pillow(self, name):
        """The three ways, as Pillow reads the file."""
        picture = Image.open(self.folder / name)
        stored = picture.convert("RGB")
        self.add(name, 1, *stored.size, stored.tobytes())
        turned = ImageOps.exif_transpose(Image.open(self.folder / name)).convert("RGB")
        self.add(name, 0, *turned.size, turned.tobytes())
        if picture.mode in ("LA", "RGBA") or "transparency" in picture.info:
            rgba = picture.convert("RGBA")
            below = Image.new("RGB", rgba.size, BACKGROUND)
            below.paste(rgba.convert("RGB"), mask=rgba.getchannel("A"))
            below.info["exif"] = picture.info.get("exif", b"")
            self.add(name, 2, *below.size, below.tobytes())


def scene(mode, width, height, rng):
    """Smooth shades with some noise, so that lossy coders have something to lose."""
    count = len(Image.new(mode, (1, 1)).getbands())
    values = ((x * 5 + y * 9 + c * 70 + rng.randrange(40)) % 256
              for y in range(height) for x in range(width) for c in range(count))
    return Image.frombytes(mode, (width, height), bytes(values))


def orientation(number):
    exif = Image.Exif()
    exif[0x0112] = number
    return exif


ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def png_bytes(width, height, kind, depth, samples, interlaced, extra=b""):
    """A PNG of any colour type and depth, written from the specification. samples: [height][width * channels]."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    def packed(values):
        if depth == 16:
            return b"".join(struct.pack(">H", v) for v in values)
        bits = "".join(format(v, "0%db" % depth) for v in values)
        bits += "0" * (-len(bits) % 8)
        return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))

    lines = b""
    for left, top, right, down in ADAM7 if interlaced else ((0, 0, 1, 1),):
        for y in range(top, height, down):
            row = [samples[y][x * channels + c] for x in range(left, width, right) for c in range(channels)]
            if row:
                lines += b"\0" + packed(row)
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(lines))
            + chunk(b"IEND", b""))


def png_kinds(e, rng):
    for kind, depths in ((0, (1, 2, 4, 8, 16)), (2, (8, 16)), (3, (1, 2, 4, 8)), (4, (8, 16)), (6, (8, 16))):
        for depth in depths:
            for interlaced in (False, True):
                width, height = rng.randrange(1, 20), rng.randrange(1, 20)
                channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
                most = (1 << depth) - 1
                samples = [[rng.randrange(most + 1) for _ in range(width * channels)] for _ in range(height)]
                palette = [[rng.randrange(256) for _ in range(3)] for _ in range(most + 1 if kind == 3 else 0)]
                data = bytes(v for colour in palette for v in colour)
                extra = struct.pack(">I", len(data)) + b"PLTE" + data + struct.pack(">I", zlib.crc32(b"PLTE" + data))
                name = "kind%d_depth%d_%s.png" % (kind, depth, "interlaced" if interlaced else "plain")
                (e.folder / name).write_bytes(
                    png_bytes(width, height, kind, depth, samples, interlaced, extra if kind == 3 else b""))

                def byte(v):
                    return v >> 8 if depth == 16 else v * 255 // most

                rgb = []
                for row in samples:
                    for x in range(width):
                        pixel = row[x * channels : (x + 1) * channels]
                        rgb += (palette[pixel[0]] if kind == 3 else [byte(pixel[0])] * 3 if kind in (0, 4)
                                else [byte(v) for v in pixel[:3]])
                e.add(name, 0, width, height, rgb)


def decode(folder):
    """Writes files of all kinds and expected.raw."""
    rng = random.Random(7)
    e = Expectations(folder)

    def save(name, picture, **options):
        picture.save(folder / name, **options)
        e.from_pillow(name)

    png_kinds(e, rng)
    for number in range(9):
        for ending, options in (("jpg", {}), ("png", {}), ("webp", {"lossless": True})):
            save("turned%d.%s" % (number, ending), scene("RGB", 23, 14, rng), exif=orientation(number), **options)
    for mode in ("L", "RGB", "CMYK"):
        for width, height in ((1, 1), (7, 5), (16, 16), (65, 33), (120, 90)):
            for subsampling in (0, 1, 2):
                for progressive in (False, True):
                    save("%s_%d_%d_%d.jpg" % (mode, width, subsampling, progressive), scene(mode, width, height, rng),
                         quality=rng.randrange(20, 96), subsampling=subsampling, progressive=progressive)
    # The same file said to be YCCK: byte 11 of the Adobe marker's data is the transform.
    for width in (7, 65, 120):
        data = bytearray((folder / ("CMYK_%d_0_0.jpg" % width)).read_bytes())
        at = data.index(b"Adobe")
        data[at + 11] = 2
        (folder / ("ycck_%d.jpg" % width)).write_bytes(data)
        e.from_pillow("ycck_%d.jpg" % width)
    save("rgba.png", scene("RGBA", 31, 18, rng))
    save("la.png", scene("LA", 31, 18, rng))
    save("palette.png", scene("RGB", 31, 18, rng).quantize(30))
    save("palette_clear.png", scene("RGB", 31, 18, rng).quantize(14), transparency=bytes(range(0, 140, 10)))
    save("rgb_clear.png", scene("RGB", 31, 18, rng), transparency=(5, 70, 140))
    save("one_bit.png", scene("L", 31, 18, rng).convert("1"))
    for mode in ("RGB", "RGBA"):
        for width, height in ((1, 1), (33, 20), (130, 70)):
            picture = scene(mode, width, height, rng)
            save("lossless_%s_%d.webp" % (mode, width), picture, lossless=True, exact=True)
            save("lossy_%s_%d.webp" % (mode, width), picture, quality=60)
    frames = [scene("RGB", 40, 30, rng) for _ in range(3)]
    save("animation.webp", frames[0], save_all=True, append_images=frames[1:], lossless=True)


def read(folder):
    """names.txt: PNG files that Lancet wrote, one a line. Writes read.raw: mode (8 bytes), width, height, the number of
    texts (uint32 each), the samples (16-bit ones in little-endian order, palettes as RGB), and each text's UTF-8, ended
    by a zero."""
    with open(folder / "read.raw", "wb") as out:
        for name in (folder / "names.txt").read_text().split():
            picture = Image.open(folder / name)
            picture.load()
            texts = picture.text
            mode = picture.mode
            if mode == "P":
                picture = picture.convert("RGB")
            data = picture.tobytes() if mode != "I" else b"".join(struct.pack("<H", v) for v in picture.getdata())
            out.write(struct.pack("<8sIII", mode.encode(), *picture.size, len(texts)) + data)
            for key, value in texts.items():
                out.write(key.encode() + b"=" + str(value).encode() + b"\0")


def main():
    subjects = {"resize": resize, "decode": decode, "read": read}
    subjects[sys.argv[1]](Path(sys.argv[2]))


main()
