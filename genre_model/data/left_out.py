"""What lies in a data folder and becomes no track: counted by reason, and told in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from genre_model.data.audio_suffixes import UNREAD_SUFFIXES, suffix_of
from genre_model.data.folder import Oddity
from genre_model.printable import printable
from genre_model.signal.formats import CONVERT

NAMED = 100
"""How many names a sentence has at most."""


@dataclass(frozen=True, kw_only=True)
class Passed:
    """Files that could have been tracks and are none, for one reason.

    Attributes
    ----------
    reason : str
        The word that they are counted by, as `rare_genre`.
    files : int
    sentence : str
        What is said of them; nothing where they are only counted.
    """

    reason: str
    files: int
    sentence: str = ""


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """What lies in a data folder and becomes no track.

    Attributes
    ----------
    suffixes : Mapping[str, int]
        Suffix (`.jpg`; `no_suffix`) -> files that are not tried as audio, or lie where no track
        does.
    oddities : tuple[Oddity, ...]
        What is no file that can be read.
    folders : Mapping[str, LeftOut]
        Folder that becomes no genre -> what lies in it.
    beside : tuple[str, ...]
        Audio that lies in no genre's folder; it is in `suffixes` too.
    passed : tuple[Passed, ...]
        Audio that is no track for what is known of it.
    """

    suffixes: Mapping[str, int] = field(default_factory=dict)
    oddities: tuple[Oddity, ...] = ()
    folders: Mapping[str, LeftOut] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
    passed: tuple[Passed, ...] = ()

    @classmethod
    def of(cls, paths: Iterable[str], oddities: Iterable[Oddity] = ()) -> Self:
        """Count files that become no track, and what is no file."""
        suffixes = Counter(map(suffix_of, paths))
        return cls(suffixes=_most_first(suffixes), oddities=tuple(oddities))

    @property
    def counts(self) -> dict[str, int]:
        """Count by suffix, then by reason (`no_regular_file`, `link_loop`, `name` …)."""
        reasons = Counter[str]()
        for each in self.oddities:
            reasons[each.reason] += each.files
        for one in self.passed:
            reasons[one.reason] += one.files
        return {**self.suffixes, **_most_first(reasons)}

    @property
    def in_words(self) -> str:
        """Write the counts for a line: `4 .m4a, 1 no regular file, 2 hidden`; empty if none."""
        kinds = Counter[str]()
        for each in self.oddities:
            kinds["hidden" if each.is_hidden else each.reason] += each.files
        for one in self.passed:
            kinds[one.reason] += one.files
        return _counted({**self.suffixes, **_most_first(kinds)})

    @property
    def paths(self) -> dict[str, list[str]]:
        """List the odd paths by reason, as they lie there; hidden ones are only counted."""
        found: dict[str, list[str]] = {}
        for each in self.oddities:
            if not each.is_hidden:
                found.setdefault(each.reason, []).append(each.path)
        return found

    def to_dict(self) -> dict[str, object]:
        """Return the keys `left_out` (counts) and `left_out_paths` of a result, ready for JSON."""
        return {"left_out": self.counts, "left_out_paths": self.paths}

    @property
    def sentences(self) -> tuple[str, ...]:
        """Tell what somebody would miss: genres, audio that is not read, what has an odd name.

        Pictures, texts and hidden files are only counted.
        """
        passed = (each.sentence for each in self.passed)
        told = (self._of_folders(), self._of_formats(), *self._of_odd(), self._beside(), *passed)
        return tuple(sentence for sentence in told if sentence)

    def _of_folders(self) -> str:
        listed = [
            f"{name} ({found.in_words or 'empty'})" for name, found in sorted(self.folders.items())
        ]
        many = "1 folder becomes" if len(listed) == 1 else f"{len(listed):,} folders become"
        return f"{many} no genre, as nothing there is taken: {named(listed)}" if listed else ""

    def _of_formats(self) -> str:
        unread = {name: count for name, count in self.suffixes.items() if name in UNREAD_SUFFIXES}
        files = sum(unread.values())
        what = "1 file is" if files == 1 else f"{files:,} files are"
        return f"{what} of a format that is not read ({_counted(unread)}): {CONVERT}" * bool(unread)

    def _of_odd(self) -> list[str]:
        by_reason: dict[str, list[str]] = {}
        for each in self.oddities:
            if not each.is_hidden:
                by_reason.setdefault(each.why, []).append(each.path)
        return [f"left out, as {why}: {named(paths)}" for why, paths in by_reason.items()]

    def _beside(self) -> str:
        return f"left out, as in no genre's folder: {named(self.beside)}" * bool(self.beside)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(
        f"{count:,} {printable(name.replace('_', ' '))}" for name, count in counts.items()
    )


def named(names: Iterable[str]) -> str:
    """List names for a sentence, `NAMED` at most."""
    listed = [printable(name) for name in names]
    more = f" and {len(listed) - NAMED:,} more" if len(listed) > NAMED else ""
    return f"{', '.join(listed[:NAMED])}{more}"


def _most_first(counts: Counter[str]) -> dict[str, int]:
    """Order by count, those of one count by name; what counts none is left out."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {name: count for name, count in ordered if count}
