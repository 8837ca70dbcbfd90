"""What `genre predict` does: no flow, no server, and Dask only where it is asked for."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from flows.command import console, environment, progress, song_lines
from flows.command.together import refuse_contradictions
from flows.engine.hearing.songs import heard_songs
from flows.engine.progress import say, stage
from flows.errors import UsageError
from flows.results import PredictResult
from storage.errors import StorageError
from storage.places.address import parse_location
from storage.places.folder import Folder
from tasks.predicting.chosen import ChosenModel
from tasks.predicting.given import Given, given_files
from tasks.predicting.table import SongLine, SongTable
from tasks.worker.songs import Song

if TYPE_CHECKING:
    from genre_model.hearing.prediction import Prediction
    from storage.places.location import Entry, Location

SAVED_EVERY = 100
SAVED_EVERY_S = 60.0


def predict(
    *,
    as_json: bool,
    said: Collection[str],
    store: str,
    model: str | None,
    files: Sequence[str],
    workers: int | None = None,
    scheduler: str | None = None,
    refresh: bool = False,
    as_jsonl: bool = False,
    csv: str | None = None,
    parquet: str | None = None,
    plots: str | None = None,
    strict: bool = False,
) -> None:
    """Run `genre predict`; `said` names the options that stood on the command line."""
    refuse_contradictions(said)
    environment.prepare()
    with console.result_stream() as out:
        progress.enable()
        csv_file, kept_in = _writable(csv), _writable(parquet)
        given = given_files(files, stdin=_lines_of_stdin())
        for sentence in given.left_out.sentences:
            say(sentence)
        if not given.files:
            raise UsageError("no file was named: the list on stdin is empty; write a name a line")
        chosen = ChosenModel.of(store, model)
        table = None if kept_in is None else SongTable(kept_in, chosen.id)
        kept = _Kept.of(given, table, refresh=refresh)
        drawn = None if plots is None else parse_location(plots)
        new = [name for name in dict.fromkeys(given.files) if name not in kept.lines]
        for each in kept.predictions.values() if as_jsonl else ():
            _write_line(each, out)
        hearing = heard_songs(
            chosen,
            new,
            workers=workers,
            scheduler=scheduler,
            overview=drawn is not None,
            say=say,
        )
        # whatever ends this ends what is heard meanwhile, before it is told
        with (
            stage("predict", total=len(new), unit="files") as show,
            closing(hearing),
            closing(kept.saved(hearing)) as saved,
        ):
            for done, each in enumerate(saved, start=1):
                if as_jsonl:
                    _write_line(each, out)
                if drawn is not None:
                    _draw(each, drawn, chosen.bundle.genres)
                kept.take(replace(each, overview=None, timeline=each.timeline if as_json else []))
                show(done, "")
        result = PredictResult(
            model=chosen.name,
            predictions=tuple(kept.predictions[name] for name in given.files),
            left_out=given.left_out,
            reused=len(kept.lines),
            licences=tuple(chosen.bundle.licences),
        )
        if csv_file is not None:
            csv_file.write_bytes(song_lines.as_csv(result.predictions, chosen.bundle.genres))
        _end(result, as_json=as_json, is_written=as_jsonl, strict=strict, to=out)


@dataclass
class _Kept:
    """What is known of the files, and the table that it is kept in.

    `lines` are those of the files that were given, `others` those of all else.
    """

    given: Given
    table: SongTable | None
    entries: Mapping[str, Entry | None] = field(default_factory=dict)
    lines: dict[str, SongLine] = field(default_factory=dict)
    others: Mapping[str, SongLine] = field(default_factory=dict)
    predictions: dict[str, Prediction] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Given, table: SongTable | None, *, refresh: bool) -> _Kept:
        """Read what an earlier run left; with `refresh` the given files are heard anew."""
        if table is None:
            return cls(given, None)
        entries = {name: given.entries.get(name) or _entry(name) for name in given.files}
        there = table.lines()
        others = {name: line for name, line in there.items() if name not in entries}
        lines = {
            name: there[name]
            for name, entry in entries.items()
            if name in there and there[name].holds(entry) and not refresh
        }
        predictions = {name: line.prediction() for name, line in lines.items()}
        return cls(given, table, entries, lines, others, predictions)

    def take(self, found: Prediction) -> None:
        """Keep a new prediction."""
        self.predictions[found.path] = found

    def saved(self, found: Generator[Prediction, None, None]) -> Generator[Prediction, None, None]:
        """Pass predictions on, and save the table from time to time and when all hearing ended."""
        if self.table is None:
            yield from found
            return
        lines, last = {**self.others, **self.lines}, time.monotonic()
        try:
            for done, each in enumerate(found, start=1):
                yield each
                entry = self.entries.get(each.path)
                lines[each.path] = SongLine.of(each, entry=entry, model=self.table.model)
                if done % SAVED_EVERY == 0 or time.monotonic() - last > SAVED_EVERY_S:
                    self.table.write(lines)
                    last = time.monotonic()
        finally:
            found.close()
            self.table.write(lines)


def _entry(name: str) -> Entry | None:
    """Describe a file; None where it cannot be looked at, which is said when it is heard."""
    song = Song.of(name)
    if song.problem:
        return None
    try:
        return (song.place or Folder(Path(name).absolute())).entry()
    except (StorageError, OSError, ValueError):
        return None


def _draw(found: Prediction, folder: Location, genres: tuple[str, ...]) -> None:
    """Write the picture of a song; of one name in two folders there are two."""
    if found.overview is None:
        return
    from genre_model.hearing.picture import song_png

    mark = hashlib.sha256(os.fsencode(found.path)).hexdigest()[:8]
    name = re.sub(r"[^\w.-]+", "_", Path(found.path).name, flags=re.ASCII)[:100]
    (folder / f"{name}-{mark}.png").write_bytes(song_png(found, found.overview, genres))


def _writable(address: str | None) -> Location | None:
    """Give the location of a file that is to be written; a folder there is refused at once."""
    if address is None:
        return None
    place = parse_location(address)
    path = place.local_path
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        what = "is a folder" if path.is_dir() else f"would lie in {path.parent}, which is not there"
        raise UsageError(f"{address} {what}; name a file in a folder that is there")
    return place


def _lines_of_stdin() -> Iterable[str]:
    # names of files are bytes
    return (line.decode("utf-8", "surrogateescape") for line in sys.stdin.buffer)


def _write_line(each: Prediction, to: TextIO) -> None:
    to.write(json.dumps(each.to_dict(), ensure_ascii=False, allow_nan=False) + "\n")
    to.flush()


def _end(
    result: PredictResult, *, as_json: bool, is_written: bool, strict: bool, to: TextIO
) -> None:
    """Write the result, and refuse where all files are bad, or one that must not be.

    A person reads of files that are all bad in that sentence; a program has its object of them.
    """
    bad = [each for each in result.predictions if each.genre is None]
    many = len(result.predictions)
    if not is_written and (as_json or len(bad) < many):
        show = partial(song_lines.table, result)
        console.emit(result.to_dict(), as_json=as_json, show=show, to=to)
    if len(bad) == many or (strict and bad):
        raise UsageError(song_lines.refusal(bad, of=many))
