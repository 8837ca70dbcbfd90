"""What a catalogue holds, as a person reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from genre_model.printable import printable
from genre_model.specs import SPLITS

if TYPE_CHECKING:
    from genre_model.judging.data_page import DataPage

_WIDEST = 40
_DUPLICATES_SHOWN = 10


def show(page: DataPage, to: TextIO) -> None:
    """Write what a catalogue holds: its figures, then a line a genre."""
    lines = [("catalogue", page.catalogue), ("data", page.data), *page.lines]
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        to.write(f"{name:<{width}}  {printable(value)}\n")
    wide = min(max(map(len, ("genre", *page.genres))), _WIDEST)
    to.write(f"{'genre':<{wide}}{''.join(f'{split:>12}' for split in SPLITS)}\n")
    for genre, counts in page.genres.items():
        numbers = "".join(f"{counts[split]:>12,}" for split in SPLITS)
        to.write(f"{printable(genre)[:wide]:<{wide}}{numbers}\n")
    for paths in page.duplicates[:_DUPLICATES_SHOWN]:
        to.write(f"the same audio: {', '.join(map(printable, paths))}\n")
    if len(page.duplicates) > _DUPLICATES_SHOWN:
        to.write(f"… {len(page.duplicates):,} groups of the same audio in all\n")
    for sentence in page.remarks:
        to.write(f"note: {printable(sentence)}\n")
