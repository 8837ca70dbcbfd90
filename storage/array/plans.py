"""Who gets which row, and what is left to do: pure arithmetic on tables, no bytes.

    stored plans:   row ──▶ track, state of its audio (size, etag)      append-only
    records:        row ──▶ status, windows, sha256, state as decoded    of rows written so far
    wanted:         track ──▶ state of its audio now

A track's newest row counts. It is *current* when its state is the audio's state now; then it is
reused if its shard is done, and made (or saved from a damaged shard) if not. Every other wanted
track gets a new row, after all rows there are, from a fresh shard on. Planning again after any
part of the work was done gives every track the same row.

Rules for one row R of a wanted track:

    R is                       audio now                          R is
    written, or savable        same size and etag                current
    written, or savable        gone                               current (its features remain)
    written, savable or lost   same size, other etag, same hash  current
    open or lost               same size and etag                current, to be made
    open or lost               anything else                      given up; an older row may count
    written, or savable        anything else                      old: the track gets a new row
    absent                     –                                  given up

*Open* is a row that no one wrote, *lost* one that was written and can no longer be read,
*savable* one whose shard is damaged but whose own chunk is whole.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from storage.array.layout import ABSENT, ROWS_PER_SHARD
from storage.array.tables import NO_SIZE, PLAN_COLUMNS, normalised
from storage.errors import InvalidPlan


class AudioState(NamedTuple):
    """A track's audio as a listing shows it.

    Attributes
    ----------
    track_id : int
    path : str
        As the catalogue names it, relative to the data folder.
    size : int | None
        Bytes; None if the file is missing.
    etag : str | None
        Modification time or ETag; None if the file is missing.
    """

    track_id: int
    path: str
    size: int | None
    etag: str | None


@dataclass(frozen=True, kw_only=True)
class ShardWork:
    """What one task has to do: one shard, whole.

    Attributes
    ----------
    shard : int
    rows : tuple[tuple[int, AudioState], ...]
        Rows to decode, in order.
    salvage : tuple[int, ...]
        Rows to carry over from the damaged shard that is there.
    absent : tuple[int, ...]
        Planned rows that no track needs any more.
    """

    shard: int
    rows: tuple[tuple[int, AudioState], ...]
    salvage: tuple[int, ...] = ()
    absent: tuple[int, ...] = ()

    @property
    def planned(self) -> tuple[int, ...]:
        """All rows of the shard that a plan gave away, sorted."""
        return tuple(sorted((*(row for row, _ in self.rows), *self.salvage, *self.absent)))


@dataclass(frozen=True, kw_only=True)
class WorkPlan:
    """What is to be done for one catalogue.

    Attributes
    ----------
    current : pd.DataFrame
        One line a wanted track, sorted by track: track_id, row, action ("reuse", "decode" or
        "salvage"), is_new.
    new_rows : pd.DataFrame
        Rows to be stored as the next plan before anything is written: row, track_id, path, size,
        etag.
    shards : tuple[ShardWork, ...]
        Shards to write, in order.
    refresh : pd.DataFrame
        Rows whose audio has another etag but the same bytes: row, etag, path.
    required : tuple[int, ...]
        Shards that must be done before this plan is.
    """

    current: pd.DataFrame
    new_rows: pd.DataFrame
    shards: tuple[ShardWork, ...]
    refresh: pd.DataFrame
    required: tuple[int, ...]

    @property
    def reused(self) -> dict[int, int]:
        """Track -> row, of tracks whose row is done already."""
        chosen = self.current[self.current["action"] == "reuse"]
        return dict(zip(chosen["track_id"].tolist(), chosen["row"].tolist(), strict=True))


@dataclass(frozen=True)
class Known:
    """What the store knows of every row that was ever given away.

    Parameters
    ----------
    rows : pd.DataFrame
        row, track_id, path, size, etag as planned; `is_done` (its shard is), `is_recorded`,
        `is_savable`, and of the record status, windows, sha256, seen_size, seen_etag.
    """

    rows: pd.DataFrame

    @classmethod
    def gather(
        cls,
        plans: pd.DataFrame,
        records: pd.DataFrame,
        *,
        done: Collection[int],
        savable: Collection[int] = (),
    ) -> "Known":
        """Join the stored plans with what is known of the rows written so far.

        Parameters
        ----------
        plans : pd.DataFrame
            All lines of all stored plans.
        records : pd.DataFrame
            row, status, windows, sha256, size, etag of rows that have a record.
        done : Collection[int]
            Shards that are done.
        savable : Collection[int]
            Rows of shards that are not done, whose chunk can still be read.

        Raises
        ------
        InvalidPlan
            If a row was given away twice, or a row of a done shard has no record.
        """
        if plans["row"].duplicated().any():
            twice = int(plans.loc[plans["row"].duplicated(), "row"].iloc[0])
            raise InvalidPlan(f"Row {twice} is in two stored plans.")
        seen = records[["row", "status", "windows", "sha256", "size", "etag"]]
        seen = seen.rename(columns={"size": "seen_size", "etag": "seen_etag"})
        rows = plans.merge(seen, on="row", how="left", sort=True, indicator="found")
        rows["is_recorded"] = (rows.pop("found") == "both").to_numpy(bool)
        rows["is_done"] = np.isin(rows["row"] // ROWS_PER_SHARD, list(done))
        rows["is_savable"] = np.isin(rows["row"], list(savable))
        if (rows["is_done"] & ~rows["is_recorded"]).any():
            row = int(rows.loc[rows["is_done"] & ~rows["is_recorded"], "row"].iloc[0])
            raise InvalidPlan(f"Row {row} is planned in a finished shard whose manifest omits it.")
        return cls(_filled(rows))

    @property
    def next_row(self) -> int:
        """The first row of the first shard that no plan has touched."""
        last = int(self.rows["row"].max()) if len(self.rows) else -1
        return -(-(last + 1) // ROWS_PER_SHARD) * ROWS_PER_SHARD


def tracks_to_hash(known: Known, wanted: Iterable[AudioState]) -> list[AudioState]:
    """List the audio that must be hashed before planning: same size, another etag.

    The caller hashes each and gives the sha256 to `plan_work`; an audio file that cannot be read
    is left out there.
    """
    now = _wanted_frame(wanted)
    judged = _judged(known, now, hashes=None)
    chosen = _newest(judged)
    doubtful = set(chosen.loc[chosen["is_doubtful"], "track_id"].tolist())
    return [_audio(line) for line in now.itertuples(index=False) if line.track_id in doubtful]


def plan_work(
    known: Known,
    wanted: Iterable[AudioState],
    *,
    hashes: Mapping[int, str] | None = None,
    retry_quarantined: bool = False,
) -> WorkPlan:
    """Decide every wanted track's row and what is left to do.

    Parameters
    ----------
    known : Known
    wanted : Iterable[AudioState]
        The catalogue's tracks, each once.
    hashes : Mapping[int, str], optional
        Track -> sha256 of its audio now, of those that `tracks_to_hash` named.
    retry_quarantined : bool
        Give tracks whose newest row was refused (no windows) a new row, where there is audio.

    Raises
    ------
    InvalidPlan
        If a track is wanted twice.
    """
    now = _wanted_frame(wanted)
    judged = _judged(known, now, hashes=hashes or {})
    chosen = _newest(judged)
    keep = chosen["fits"]
    if retry_quarantined:
        refused = chosen["is_settled"] & (chosen["windows"] == 0) & (chosen["size_now"] != NO_SIZE)
        keep = keep & ~refused
    chosen = chosen[keep]
    new_rows = _new_rows(now[~now["track_id"].isin(chosen["track_id"])], known.next_row)
    current = _current(chosen, new_rows)
    shards = _shards(known, now, current)
    return WorkPlan(
        current=current,
        new_rows=new_rows,
        shards=shards,
        refresh=_refresh(chosen),
        required=_required(current, shards),
    )


def _filled(rows: pd.DataFrame) -> pd.DataFrame:
    values = {"status": "", "sha256": "", "seen_etag": "", "windows": 0, "seen_size": NO_SIZE}
    rows = rows.fillna(values).astype({"windows": np.int64, "seen_size": np.int64})
    unseen = ~rows["is_recorded"]
    rows.loc[unseen, "seen_size"] = rows.loc[unseen, "size"]
    rows.loc[unseen, "seen_etag"] = rows.loc[unseen, "etag"]
    return rows


def _wanted_frame(wanted: Iterable[AudioState]) -> pd.DataFrame:
    frame = normalised(pd.DataFrame(list(wanted), columns=list(AudioState._fields)))
    frame = frame.sort_values("track_id", kind="stable").reset_index(drop=True)
    if frame["track_id"].duplicated().any():
        twice = int(frame.loc[frame["track_id"].duplicated(), "track_id"].iloc[0])
        raise InvalidPlan(f"Track {twice} is wanted twice: a catalogue names every track once.")
    return frame


def _judged(known: Known, now: pd.DataFrame, *, hashes: Mapping[int, str] | None) -> pd.DataFrame:
    """Compare rows of wanted tracks with their audio now; without hashes, doubt fits."""
    states = now.rename(columns={"path": "path_now", "size": "size_now", "etag": "etag_now"})
    rows = known.rows.merge(states, on="track_id", how="inner")
    is_absent = rows["is_recorded"] & (rows["status"] == ABSENT)
    rows["is_settled"] = ~is_absent & (rows["is_done"] | (rows["is_recorded"] & rows["is_savable"]))
    same_size = rows["seen_size"] == rows["size_now"]
    same_etag = rows["seen_etag"] == rows["etag_now"]
    has_audio = rows["size_now"] != NO_SIZE
    rows["is_gone"] = ~has_audio & ~same_size & rows["is_settled"]
    rows["is_doubtful"] = same_size & ~same_etag & has_audio & (rows["sha256"] != "")
    if hashes is None:
        confirmed = rows["is_doubtful"]
    else:
        found = rows["track_id"].map(lambda track_id: hashes.get(track_id, "")).astype(object)
        confirmed = rows["is_doubtful"] & (found == rows["sha256"])
    rows["is_confirmed"] = confirmed
    rows["fits"] = (same_size & same_etag) | confirmed | rows["is_gone"]
    return rows[~is_absent & (rows["is_settled"] | rows["fits"])]


def _newest(judged: pd.DataFrame) -> pd.DataFrame:
    return judged.sort_values("row", kind="stable").drop_duplicates("track_id", keep="last")


def _new_rows(tracks: pd.DataFrame, first: int) -> pd.DataFrame:
    rows = tracks.assign(row=np.arange(first, first + len(tracks), dtype=np.int64))
    return rows[list(PLAN_COLUMNS)].reset_index(drop=True)


def _current(chosen: pd.DataFrame, new_rows: pd.DataFrame) -> pd.DataFrame:
    damaged = chosen["is_settled"] & ~chosen["is_done"]
    carried = damaged & (chosen["is_gone"] | (chosen["windows"] == 0))
    action = np.where(chosen["is_done"], "reuse", np.where(carried, "salvage", "decode"))
    old = chosen[["track_id", "row"]].assign(action=action, is_new=False)
    new = new_rows[["track_id", "row"]].assign(action="decode", is_new=True)
    both = pd.concat([part for part in (old, new) if len(part)] or [old], ignore_index=True)
    return both.sort_values("track_id", kind="stable").reset_index(drop=True)


def _shards(known: Known, now: pd.DataFrame, current: pd.DataFrame) -> tuple[ShardWork, ...]:
    """Gather the rows of every shard that is not done and has something to do, in order."""
    decoded = current.loc[current["action"] == "decode", ["track_id", "row"]]
    decoded = decoded.merge(now, on="track_id").sort_values("row", kind="stable")
    lines = decoded.itertuples(index=False)
    audio = dict(zip(decoded["row"].tolist(), map(_audio, lines), strict=True))
    left = known.rows[~known.rows["is_done"] & ~known.rows["row"].isin(decoded["row"])]
    is_carried = left["is_recorded"] & left["is_savable"] & (left["status"] != ABSENT)
    carried = set(left.loc[is_carried, "row"].tolist())
    planned = sorted([*audio, *left["row"].tolist()])
    works = []
    for shard, rows in _by_shard(planned):
        to_decode = tuple((row, audio[row]) for row in rows if row in audio)
        to_carry = tuple(row for row in rows if row in carried)
        others = tuple(row for row in rows if row not in audio and row not in carried)
        if to_decode or to_carry:
            works.append(ShardWork(shard=shard, rows=to_decode, salvage=to_carry, absent=others))
    return tuple(works)


def _by_shard(rows: list[int]) -> list[tuple[int, list[int]]]:
    shards: dict[int, list[int]] = {}
    for row in rows:
        shards.setdefault(row // ROWS_PER_SHARD, []).append(row)
    return list(shards.items())


def _refresh(chosen: pd.DataFrame) -> pd.DataFrame:
    moved = chosen[chosen["is_done"] & chosen["is_confirmed"]]
    named = moved[["row", "etag_now", "path_now"]]
    return named.rename(columns={"etag_now": "etag", "path_now": "path"}).reset_index(drop=True)


def _required(current: pd.DataFrame, shards: tuple[ShardWork, ...]) -> tuple[int, ...]:
    held = (current["row"] // ROWS_PER_SHARD).unique().tolist()
    return tuple(sorted({*held, *(work.shard for work in shards)}))


def _audio(line: Any) -> AudioState:
    return AudioState(
        track_id=int(line.track_id),
        path=str(line.path),
        size=int(line.size) if line.size != NO_SIZE else None,
        etag=str(line.etag) or None,
    )
