"""Genres as people write them, made one: by a table that a user can read and change.

    from,to              hip hop and Hip-Hop are one `from`: case, spaces and marks do not count
    Hip Hop,Hip-Hop
    17,Rock              what ID3v1 has in place of names
    Podcast,             left out
    *,                   all that is not in the table is left out (or, with a name, is that)

Without `*` a genre that is not in the table keeps its name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from genre_model.data.tables.records import read_records
from genre_model.errors import CatalogueError

BUILT_IN_TABLE = "genre_model/data/tags/genres.csv"
"""Where people find the table that is always read, in the repository."""

COLUMNS = ("from", "to")
REST = "*"
_SEVERAL = re.compile(r"[;|\\]")
_PARTS = re.compile(r"[;|\\/,]| - ")
_TOLD = 20


@dataclass(frozen=True, kw_only=True)
class GenreMap:
    """What each spelling of a genre becomes.

    Attributes
    ----------
    names : Mapping[str, str]
        Spelling, as `spelling` gives it -> genre; empty where it is left out.
    rest : str or None
        What all others become; None where they keep their names.
    """

    names: Mapping[str, str]
    rest: str | None = None

    def choose(self, genres: Sequence[str]) -> str:
        """Choose the genre of a track whose tag may hold several: the first that is known.

        Parameters
        ----------
        genres : sequence of str
            As the tag has them; each may be several, parted by `;`, `|`, `/` or commas.

        Returns
        -------
        str
            Empty where it is left out, or there is none.
        """
        for genre in (*genres, *(part for each in genres for part in _PARTS.split(each))):
            if known := self.names.get(spelling(genre)):
                return known
        parts = [part.strip() for each in genres for part in _SEVERAL.split(each)]
        first = next((part for part in parts if spelling(part) not in {*self.names, ""}), "")
        return first if self.rest is None or not first else self.rest

    def with_table(self, content: bytes, *, name: str) -> GenreMap:
        """Take a table over this one: its lines win.

        Parameters
        ----------
        content : bytes
            A CSV with the columns `from` and `to`.
        name : str
            Its address, for sentences.

        Raises
        ------
        CatalogueError
            If it is none, or its lines contradict each other.
        """
        records = read_records(content, name=name, columns=COLUMNS)
        wrong, given = list(records.wrong), dict[str, tuple[str, int]]()
        for record, line in zip(records.records, records.lines, strict=True):
            key, to = record["from"], " ".join(record["to"].split())
            key = key if key == REST else spelling(key)
            before = given.setdefault(key, (to, line))
            if not key:
                wrong.append((line, "names no genre in the column from"))
            elif before[0] != to:
                wrong.append((line, f"makes {to!r} of what line {before[1]} makes {before[0]!r}"))
        if wrong:
            told = "; ".join(f"line {line} {why}" for line, why in sorted(wrong)[:_TOLD])
            raise CatalogueError(f"--genre-map {name}: {told}; mend the table")
        names = {key: to for key, (to, _) in given.items()}
        rest = names.pop(REST, self.rest)
        return GenreMap(names={**self.names, **names}, rest=rest)


def spelling(genre: str) -> str:
    """Reduce a genre to what its spellings share: letters and digits.

    Examples
    --------
    >>> spelling("Hip-Hop") == spelling(" hip hop")
    True
    """
    text = unicodedata.normalize("NFKC", genre).casefold()
    return "".join(letter for letter in text if letter.isalnum())


def built_in_map() -> GenreMap:
    """Read the table that comes with this program."""
    content = (files("genre_model.data.tags") / "genres.csv").read_bytes()
    return GenreMap(names={}).with_table(content, name=BUILT_IN_TABLE)


def one_spelling(genres: Iterable[str]) -> dict[str, str]:
    """Choose one spelling for genres that differ in nothing else: the most frequent one.

    Returns
    -------
    dict
        Each genre -> how it is written.
    """
    counts: dict[str, dict[str, int]] = {}
    for genre in genres:
        of_key = counts.setdefault(spelling(genre) or genre, {})
        of_key[genre] = of_key.get(genre, 0) + 1
    chosen = {key: min(each, key=lambda name: (-each[name], name)) for key, each in counts.items()}
    return {name: chosen[key] for key, each in counts.items() for name in each}
