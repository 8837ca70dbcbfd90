"""The one list of what is tried as audio, by the suffix of its name; upper case counts too.

A file with another suffix becomes no track and no prediction: it is counted as left out.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_FORMATS = "aif aifc aiff au caf flac mp1 mp2 mp3 oga ogg opus rf64 snd w64 wav"
AUDIO_SUFFIXES = frozenset(f".{name}" for name in _FORMATS.split())
"""What libsndfile decodes, by the names it usually has."""

_OTHERS = (
    "3gp aa aac aax ac3 alac amr ape asf dff dsf dts m4a m4b m4p m4r mka mp4 mpc mpp ofr ra rm "
    "shn spx tak tta webm wma wv"
)
UNREAD_SUFFIXES = frozenset(f".{name}" for name in _OTHERS.split())
"""What is audio too, or may be, and is not decoded: people are told to convert it."""

NO_SUFFIX = "no_suffix"
_SUFFIX = re.compile(r"\.\w[^\s/]{0,14}")  # "01. Intro" has none, whatever is behind its dot


def is_tried(path: str) -> bool:
    """Return whether a file counts as audio; whether it is any shows when it is decoded."""
    return PurePosixPath(path).suffix.lower() in AUDIO_SUFFIXES


def suffix_of(path: str) -> str:
    """Return the suffix that a file is counted by: lower case with its dot, or `no_suffix`."""
    suffix = PurePosixPath(path).suffix.lower()
    return suffix if _SUFFIX.fullmatch(suffix) else NO_SUFFIX
