"""Audio files with tags, written byte by byte: no library that writes them is needed."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping

import numpy as np
import soundfile

FRAMES = {
    "title": b"TIT2",
    "artist": b"TPE1",
    "album": b"TALB",
    "genre": b"TCON",
    "album_artist": b"TPE2",
}
APE = {"album_artist": "Album Artist"}
_VORBIS = {"album_artist": "ALBUMARTIST"}


def sound(kind: str = "WAV", *, seconds: float = 0.2, seed: int = 0, rate: int = 22_050) -> bytes:
    """Render noise in a format; Opus is Ogg's."""
    samples = np.random.default_rng(seed).normal(0, 0.1, round(seconds * rate)).clip(-1, 1)
    file = io.BytesIO()
    if kind == "OPUS":
        soundfile.write(file, samples, 48_000, format="OGG", subtype="OPUS")
    else:
        soundfile.write(file, samples, rate, format=kind)
    return file.getvalue()


def id3v2(tags: Mapping[str, str], *, picture: int = 0, encoding: int = 3) -> bytes:
    """Write a tag of ID3v2.4, with a picture of so many bytes before the texts."""
    how = {0: "latin-1", 1: "utf-16", 3: "utf-8"}[encoding]
    frames = b""
    if picture:
        frames += _frame(b"APIC", b"\0image/png\0\3\0" + bytes(picture))
    for name, text in tags.items():
        frames += _frame(FRAMES[name], bytes([encoding]) + text.encode(how, "surrogatepass"))
    return b"ID3\4\0\0" + _synchsafe(len(frames)) + frames


def id3v1(tags: Mapping[str, str], *, genre: int = 255) -> bytes:
    """Write the 128 bytes at a file's end."""
    texts = [tags.get(name, "").encode("latin-1")[:30].ljust(30, b"\0") for name in FRAMES][:3]
    return b"TAG" + b"".join(texts) + bytes(34) + bytes([genre])


def ape(tags: Mapping[str, str], *, picture: int = 0) -> bytes:
    """Write APEv2's items and footer."""
    items = b""
    if picture:
        items += struct.pack("<II", picture, 2) + b"Cover Art (Front)\0" + bytes(picture)
    for name, text in tags.items():
        value = text.encode()
        items += struct.pack("<II", len(value), 0) + APE.get(name, name).encode() + b"\0" + value
    count = len(tags) + bool(picture)
    footer = struct.pack("<8sIIII8x", b"APETAGEX", 2_000, len(items) + 32, count, 0)
    return items + footer


def flac(tags: Mapping[str, str], audio: bytes) -> bytes:
    """Put a block of Vorbis comments behind the first block of a FLAC file."""
    comments = [f"{_VORBIS.get(name, name)}={text}".encode() for name, text in tags.items()]
    block = struct.pack("<I", 0) + struct.pack("<I", len(comments))
    block += b"".join(struct.pack("<I", len(each)) + each for each in comments)
    first = 4 + 4 + 34
    is_last = audio[4] & 0x80
    info = bytes([audio[4] & 0x7F]) + audio[5:first]
    return audio[:4] + info + bytes([4 | is_last]) + len(block).to_bytes(3) + block + audio[first:]


def wav(tags: Mapping[str, str], audio: bytes) -> bytes:
    """Append a chunk of RIFF's INFO to a WAV file."""
    names = {"title": b"INAM", "artist": b"IART", "album": b"IPRD", "genre": b"IGNR"}
    chunks = b""
    for name, key in names.items():
        if name in tags:
            value = tags[name].encode() + b"\0"
            chunks += key + struct.pack("<I", len(value)) + value + b"\0" * (len(value) % 2)
    listed = b"LIST" + struct.pack("<I", len(chunks) + 4) + b"INFO" + chunks
    return audio[:4] + struct.pack("<I", len(audio) - 8 + len(listed)) + audio[8:] + listed


def _frame(name: bytes, content: bytes) -> bytes:
    return name + _synchsafe(len(content)) + b"\0\0" + content


def _synchsafe(size: int) -> bytes:
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
