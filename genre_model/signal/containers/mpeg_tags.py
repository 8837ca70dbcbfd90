"""What lies in MP3 files and is no audio: tags in front, behind and between, and frame counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from genre_model.signal.audio import Content

_ZEROS = re.compile(rb"\x00*")
_COUNTED = (b"Xing", b"Info")
_TEXT_AT_MOST = 4_096
# So many zeros at the end are a padding; more, and a download was never filled.
_PADDING_AT_MOST = 1 << 16
# Less than this at the end is a broken frame or an unknown tag.
_TAIL_AT_MOST = 1 << 13


def skip(content: Content, at: int) -> int:
    """Return where the tags end that begin at `at`; `at` itself if there are none.

    Parameters
    ----------
    content : bytes or mmap
        The whole file.
    at : int
        Where to look.
    """
    while (end := _one(content, at)) > at:
        at = min(end, len(content))
    return at


def _one(content: Content, at: int) -> int:
    head = content[at : at + 32]
    if head[:3] == b"ID3" and len(head) >= 10 and max(head[6:10]) < 0x80:
        # Four digits to the base of 128, and a footer where a flag says so.
        size = sum(digit << (7 * (3 - place)) for place, digit in enumerate(head[6:10]))
        return at + 10 + size + (10 if head[5] & 0x10 else 0)
    if head[:8] == b"APETAGEX" and len(head) == 32:
        is_header = bool(int.from_bytes(head[20:24], "little") & 1 << 29)
        return at + 32 + (int.from_bytes(head[12:16], "little") if is_header else 0)
    if head[:4] == b"TAG+":
        return at + 227
    if head[:3] == b"TAG":
        return at + 128
    if head[:11] == b"LYRICSBEGIN":
        return _behind(content, at, b"LYRICSEND", b"LYRICS200")
    # A stream's title: its length in sixteens, and the text, filled up with zeros.
    if head[1:13] == b"StreamTitle=":
        return at + 1 + 16 * head[0]
    return at


def _behind(content: Content, at: int, *marks: bytes) -> int:
    text = content[at : at + _TEXT_AT_MOST]
    ends = [text.find(mark) + len(mark) for mark in marks if mark in text]
    return at + min(ends) if ends else at


def frame_counts(
    content: Content, starts: Iterable[int], *, offset: int
) -> Iterator[tuple[int, int]]:
    """Find the frames that hold a count of frames in place of audio.

    Parameters
    ----------
    content : bytes or mmap
        The whole file.
    starts : iterable of int
        Where frames begin.
    offset : int
        Of `Xing` or `Info` in its frame; that of `VBRI` is always 36.

    Yields
    ------
    tuple[int, int]
        Where such a frame begins, and its count; 0 if it says none.
    """
    for start in starts:
        if content[start + offset : start + offset + 4] in _COUNTED:
            flags, count = (
                content[start + offset + 7],
                content[start + offset + 8 : start + offset + 12],
            )
            yield start, int.from_bytes(count) if flags & 1 else 0
        elif content[start + 36 : start + 40] == b"VBRI":
            yield start, int.from_bytes(content[start + 50 : start + 54])


def left_behind(content: Content, end: int) -> int:
    """Return how many bytes behind the last frame are neither tags nor padding."""
    start = skip(content, end)
    zeros = _ZEROS.match(content, start)
    padding = zeros.end() - start if zeros else 0
    rest = len(content) - skip(content, start + padding)
    return (padding if padding > _PADDING_AT_MOST else 0) + (rest if rest > _TAIL_AT_MOST else 0)
