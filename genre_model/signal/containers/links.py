"""Ogg and FLAC files that were put together, or begin behind something else: where each begins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from genre_model.signal.audio import Content

# A FLAC stream's mark, and the header of the block that always follows.
_FLAC = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")
_OGG = b"OggS\x00"
_FIRST_PAGE = 0x02


@dataclass(frozen=True)
class Links:
    """The files in a file.

    Parameters
    ----------
    places : tuple[tuple[int, int], ...]
        Where each begins and ends [bytes]; what lies before the first is left out.
    lost_bytes : int
        Bytes that are no part of any page; known of Ogg only.
    """

    places: tuple[tuple[int, int], ...]
    lost_bytes: int = 0


def find(content: Content) -> Links:
    """Find the Ogg or FLAC files in a file.

    Parameters
    ----------
    content : bytes or mmap
        The whole file.

    Returns
    -------
    Links

    Notes
    -----
    The streams of a chained Ogg file follow each other, each from its first page on
    (RFC 3533, section 4); first pages side by side belong to one stream of several tracks.
    """
    begins, lost = _ogg_links(content)
    if not begins:
        begins = [match.start() for match in _FLAC.finditer(content)]
    return Links(tuple(pairwise([*begins, len(content)])), lost)


def _ogg_links(content: Content) -> tuple[list[int], int]:
    begins: list[int] = []
    was_first = False
    lost = 0
    at = end = content.find(_OGG)
    while 0 <= at <= len(content) - 27:
        lost += at - end
        is_first = bool(content[at + 5] & _FIRST_PAGE)
        if is_first and not was_first:
            begins.append(at)
        was_first = is_first
        segments = content[at + 26]
        end = at + 27 + segments + sum(content[at + 27 : at + 27 + segments])
        at = content.find(_OGG, end)
    return begins, lost
