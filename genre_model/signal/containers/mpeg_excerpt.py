"""A part of an MP3 as a small MP3 of its own, made of whole frames and a true count of them."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from genre_model.signal.audio import Content
from genre_model.signal.containers.mpeg import Kind, Mpeg, Stretch
from genre_model.signal.excerpt import Excerpt

# A frame may need bytes of up to 511 bytes before it, and what overlaps from the frame before.
_LEAD = 12
# At most so much is decoded at once: hours of audio take no more memory than a minute.
LONGEST_S = 60.0
_HEAD = struct.Struct(">I")


def excerpts(
    content: Content, audio: Mpeg, *, start_s: float = 0.0, seconds: float = float("inf")
) -> Iterator[Excerpt]:
    """Cut a part of a file's audio out, as if nothing lay between its frames.

    Parameters
    ----------
    content : bytes or mmap
        The whole file.
    audio : Mpeg
        Its frames.
    start_s, seconds : float [s]
        Where the part begins in the frames' time, and how long it is.

    Yields
    ------
    Excerpt
        One after another, each at its own rate, of a minute at most.
    """
    begins = 0.0
    for stretch in audio.stretches:
        rate = stretch.kind.rate
        first = max(0, round((start_s - begins) * rate))
        last = min(stretch.samples, round(min(start_s + seconds - begins, stretch.seconds) * rate))
        step = int(LONGEST_S * rate)
        for at in range(first, last, step):
            yield _excerpt(content, stretch, at, min(step, last - at))
        begins += stretch.seconds


def _excerpt(content: Content, stretch: Stretch, first: int, count: int) -> Excerpt:
    """Cut samples `first` to `first + count` out of a stretch."""
    kind = stretch.kind
    begin = max(0, first // kind.samples - _LEAD)
    end = min(len(stretch.starts), -(-(first + count) // kind.samples) + 1)
    starts = stretch.starts[begin:end]
    frames = b"".join(_frame(content, kind, start) for start in starts)
    counted = _counting_frame(kind, len(starts)) if kind.is_layer_3 else b""
    return Excerpt(counted + frames, kind.rate, first - begin * kind.samples, count)


def _frame(content: Content, kind: Kind, start: int) -> bytes:
    (head,) = _HEAD.unpack_from(content, start)
    return content[start : start + kind.length(head)]


def _counting_frame(kind: Kind, frames: int) -> bytes:
    """Make a frame without audio that says how many there are."""
    offset = kind.tag_offset
    bits = next(bits for bits in range(8, 128, 2) if kind.lengths[bits] >= offset + 16)
    # No checksum; mono, or two channels.
    head = kind.signature | 1 << 16 | bits << 9 | (0xC0 if kind.is_mono else 0)
    body = bytes(offset - 4) + b"Info" + struct.pack(">II", 1, frames)
    return (_HEAD.pack(head) + body).ljust(kind.lengths[bits], b"\0")
