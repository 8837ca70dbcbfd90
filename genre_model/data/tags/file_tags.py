"""What one audio file says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self

LONGEST_TEXT = 500
"""Characters of a tag that are kept: no name is longer."""


@dataclass(frozen=True, kw_only=True)
class FileTags:
    """The tags of a file, and what its headers say of the audio.

    Attributes
    ----------
    genres : tuple[str, ...]
        As they stand there, in order.
    artist, album_artist, album, title, license : str
        Empty where it does not say.
    seconds : float
        Of audio, by its headers; 0 where they do not say.
    bit_rate, sample_rate : int
        [bit/s], [Hz]; 0 where not known.
    fault : str
        Why nothing could be read: a word, as `vanished`; empty if it could.
    detail : str
        The reason in words.
    """

    genres: tuple[str, ...] = ()
    artist: str = ""
    album_artist: str = ""
    album: str = ""
    title: str = ""
    license: str = ""
    seconds: float = 0.0
    bit_rate: int = 0
    sample_rate: int = 0
    fault: str = ""
    detail: str = ""

    @property
    def says_nothing(self) -> bool:
        """Whether there is no tag that tells of the music."""
        return not (self.genres or self.artist or self.album or self.title)

    def to_dict(self) -> dict[str, object]:
        """Return plain values; genres are one text, each ended by a NUL."""
        return {**asdict(self), "genres": "".join(f"{genre}\0" for genre in self.genres)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, object]) -> Self:
        """Read what `to_dict` gave."""
        genres = tuple(str(stored["genres"]).split("\0")[:-1])
        texts = ("artist", "album_artist", "album", "title", "license", "fault", "detail")
        return cls(
            genres=genres,
            seconds=float(str(stored["seconds"])),
            bit_rate=int(str(stored["bit_rate"])),
            sample_rate=int(str(stored["sample_rate"])),
            **{name: str(stored[name]) for name in texts},
        )


def clean_text(text: object) -> str:
    """Write a tag on one line of UTF-8, at most `LONGEST_TEXT` characters of it."""
    plain = str("" if text is None else text)[: 4 * LONGEST_TEXT].replace("\0", " ")
    return " ".join(plain.encode("utf-8", "replace").decode().split())[:LONGEST_TEXT]
