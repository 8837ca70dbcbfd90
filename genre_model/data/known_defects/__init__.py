"""Defects of data sets that are known beforehand, and whether a feature run found them.

They are data (`fma_small.json`, each with its source), never a reason to skip a track: a run
judges every clip by its audio, and what it found is compared with the list afterwards.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources

import pandas as pd

# Between these shares of the list's number of tracks, a catalogue is taken for the list's set.
_LEAST, _MOST = 0.98, 1.02
_NO_CLIPS = "fma_full/"
_USUAL = ("ok", "partial")


@dataclass(frozen=True, kw_only=True)
class KnownDefect:
    """A clip that is known not to be what it should be.

    Attributes
    ----------
    track_id : int
    defect : str
        In words.
    statuses : tuple[str, ...]
        Those that fit it.
    source : str
        Who says so.
    """

    track_id: int
    defect: str
    statuses: tuple[str, ...]
    source: str


@dataclass(frozen=True, kw_only=True)
class KnownDefects:
    """What is known of one subset's clips.

    Attributes
    ----------
    data_set, subset : str
        Which it is of.
    tracks : int
        How many tracks the subset has.
    defects : tuple[KnownDefect, ...]
        One a track.
    identical_pairs : int
        How many pairs of clips decode to the same samples.
    """

    data_set: str
    subset: str
    tracks: int
    defects: tuple[KnownDefect, ...]
    identical_pairs: int

    @property
    def name(self) -> str:
        """The data set and subset, as its archive is called: `fma_small`."""
        return f"{self.data_set}_{self.subset}"


@dataclass(frozen=True, kw_only=True)
class FoundDefect:
    """A track that is not usual: its audio was refused, or is quiet."""

    track_id: int
    status: str


@dataclass(frozen=True, kw_only=True)
class IdenticalPairs:
    """Pairs of tracks with equal windows.

    Attributes
    ----------
    expected, found : int
        How many are known, and how many there are.
    files : int
        How many of those found are equal files.
    pairs : tuple[tuple[int, int], ...]
        Their track ids, sorted.
    """

    expected: int
    found: int
    files: int
    pairs: tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class DefectReport:
    """What a feature run found of what is known.

    Attributes
    ----------
    of : str
        The list: `fma_small`.
    tracks : int
        Rows of the subset that were compared.
    expected : tuple[KnownDefect, ...]
        The list's tracks.
    found : tuple[FoundDefect, ...]
        By track id.
    identical : IdenticalPairs
    differences : tuple[str, ...]
        One sentence each; empty if all is as known.
    """

    of: str
    tracks: int
    expected: tuple[KnownDefect, ...]
    found: tuple[FoundDefect, ...]
    identical: IdenticalPairs
    differences: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Give plain JSON values."""
        return asdict(self)


@functools.cache
def fma_small() -> KnownDefects:
    """Read the list of fma_small."""
    text = (resources.files(__name__) / "fma_small.json").read_text(encoding="utf-8")
    content = json.loads(text)
    return KnownDefects(
        data_set=content["data_set"],
        subset=content["subset"],
        tracks=content["tracks"],
        defects=tuple(
            KnownDefect(**{**line, "statuses": tuple(line["statuses"])})
            for line in content["defects"]
        ),
        identical_pairs=content["identical_pcm"]["pairs"],
    )


def compare_defects(
    known: KnownDefects, rows: pd.DataFrame, tracks: pd.DataFrame
) -> DefectReport | None:
    """Compare what a feature run found with what is known.

    Parameters
    ----------
    known : KnownDefects
    rows : pd.DataFrame
        The newest row of each track, as in `rows.parquet`: `track_id`, `path`, `status`,
        `windows`, `sha256` (of the file), `stored` and `checksum` (of the row's chunk).
    tracks : pd.DataFrame
        A catalogue of the data set: `track_id`, `subset`.

    Returns
    -------
    DefectReport or None
        None where the list has nothing to say: the catalogue does not hold nearly all of the
        subset's tracks or none of the listed, or their audio was not there or not clips.

    Notes
    -----
    Samples are not kept, so identical PCM is told by the rows' chunks: equal windows of the same
    spec compress to equal bytes, known by size and crc32c. It finds every pair whose samples are
    equal, and may find more: clips that differ only in what windows leave out (the last fraction
    of a second, the sides of a stereo signal), and, in fewer than one data set of a hundred, a pair
    by chance. Near-silent clips, whose windows are at the floor, are left out. The sha256 tells
    equal files, which other tags make differ.
    """
    wanted = tracks.loc[tracks["subset"] == known.subset, "track_id"]
    listed = {line.track_id for line in known.defects}
    if not _is_near(len(wanted), known.tracks) or listed.isdisjoint(wanted):
        return None
    ours = rows[rows["track_id"].isin(wanted) & ~rows["path"].str.startswith(_NO_CLIPS)]
    if not _is_near(int((ours["status"] != "missing").sum()), known.tracks):
        return None
    statuses = dict(zip(ours["track_id"].tolist(), ours["status"].tolist(), strict=True))
    unusual = {track: status for track, status in statuses.items() if status not in _USUAL}
    identical = _identical(ours, expected=known.identical_pairs)
    return DefectReport(
        of=known.name,
        tracks=len(ours),
        expected=known.defects,
        found=tuple(
            FoundDefect(track_id=track, status=unusual[track]) for track in sorted(unusual)
        ),
        identical=identical,
        differences=(
            *_of_listed(known.defects, statuses),
            *(
                f"track {track} is {unusual[track]}, which is not known of it"
                for track in sorted(unusual.keys() - listed)
            ),
            *_of_identical(identical),
        ),
    )


def _is_near(count: int, tracks: int) -> bool:
    return _LEAST * tracks <= count <= _MOST * tracks


def _of_listed(defects: Sequence[KnownDefect], statuses: Mapping[int, str]) -> list[str]:
    differences = []
    for line in defects:
        track = line.track_id
        found = statuses.get(track)
        if found is None:
            differences.append(f"track {track} ({line.defect}) has no row")
        elif found not in line.statuses:
            expected = " or ".join(line.statuses)
            differences.append(
                f"track {track} is {found}, and known as {line.defect} (expected: {expected})"
            )
    return differences


def _identical(rows: pd.DataFrame, *, expected: int) -> IdenticalPairs:
    """Find pairs of rows with equal chunks."""
    loud = rows[(rows["windows"] > 0) & rows["status"].isin(_USUAL) & (rows["checksum"] != "")]
    twice = loud[loud.duplicated(["stored", "checksum"], keep=False)].sort_values("track_id")
    pairs: list[tuple[int, int]] = []
    files = 0
    for _, group in twice.groupby(["stored", "checksum"]):
        members = list(zip(group["track_id"].tolist(), group["sha256"].tolist(), strict=True))
        for place, (one, sha256) in enumerate(members):
            pairs += [(one, other) for other, _ in members[place + 1 :]]
            files += sum(sha256 == other for _, other in members[place + 1 :])
    return IdenticalPairs(
        expected=expected, found=len(pairs), files=files, pairs=tuple(sorted(pairs))
    )


def _of_identical(identical: IdenticalPairs) -> list[str]:
    if identical.found == identical.expected:
        return []
    return [
        f"{identical.found:,} pairs of tracks have identical windows, and "
        f"{identical.expected:,} pairs of clips are known to have identical PCM"
    ]
