"""Predict a folder's audio files, those that are new or changed since the last time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE

from genre_model.data.left_out import LeftOut
from genre_model.hearing.prediction import Prediction, clock
from storage.errors import Damaged
from storage.places.location import Entry, Location
from storage.predictions import PREDICTION_COLUMNS, PredictionTable
from storage.store import Store
from tasks.predicting.chosen import ChosenModel
from tasks.predicting.given import audio_files
from tasks.worker.songs import predict_at

SAVED_EVERY = 100


@dataclass(frozen=True, kw_only=True)
class PredictedFile:
    """One line of a table of predictions; its fields are the table's columns.

    Attributes
    ----------
    path : str
        Relative to the folder.
    size, etag
        Of the file that was predicted.
    status, detail : str
        As `Prediction` has them.
    genre, probability
        None where the file gave no window.
    probabilities : str
        JSON, genre -> share.
    windows : int
    """

    path: str
    size: int
    etag: str
    status: str
    detail: str
    genre: str | None
    probability: float | None
    probabilities: str
    windows: int

    def is_of(self, entry: Entry | None) -> bool:
        """Whether the file is there as it was predicted."""
        return entry is not None and (self.size, self.etag) == (entry.size, entry.etag)


@dataclass(frozen=True, kw_only=True)
class PredictedFolder:
    """What a model says of a folder's audio files.

    Attributes
    ----------
    model, folder, table : str
        The model's name, and the addresses of the folder and of the table.
    files, predicted, reused : int
        Audio files, those predicted now and those known before.
    statuses, genres : Mapping[str, int]
        Status -> files, and genre -> files.
    left_out : LeftOut
        What else lies in the folder.
    new_statuses : Mapping[str, int]
        Status -> files, of those predicted now.
    longest : str
        The longest of those, how long it is, and its passages; empty if none was heard.
    lines : tuple[PredictedFile, ...]
        One a file, by path.
    """

    model: str
    folder: str
    table: str
    files: int
    predicted: int
    reused: int
    statuses: Mapping[str, int]
    genres: Mapping[str, int]
    left_out: LeftOut
    new_statuses: Mapping[str, int] = field(default_factory=dict)
    longest: str = ""
    lines: tuple[PredictedFile, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return plain values, ready for JSON, without the lines."""
        plain = {name: value for name, value in vars(self).items() if name != "lines"}
        return {**plain, **self.left_out.to_dict()}


@task(name="predict folder", cache_policy=NO_CACHE)
def predict_folder(
    store: Store,
    folder: Location,
    *,
    model: str | None = None,
    refresh: bool = False,
    files_done: Callable[[int, int], None] = lambda _done, _total: None,
    say: Callable[[str], None] = lambda _sentence: None,
) -> PredictedFolder:
    """Predict the folder's files that the store has no prediction of, and write its table.

    Lines of files that have gone are dropped. The table is saved as the work goes on, so that a
    run which is cut off is taken up by the next.

    Parameters
    ----------
    store : Store
    folder : Location
    model : str, optional
        An id in the store; the champion by default.
    refresh : bool
        Predict all files again.
    files_done : callable
        Called with how many of how many are done.
    say : callable
        Told what is left out, and which other run is waited for.

    Raises
    ------
    NotFound
        If the folder has no audio file, or the store no such model.
    """
    audio, left_out = audio_files(folder)
    for sentence in left_out.sentences:
        say(sentence)
    chosen = ChosenModel.of(store, model)
    table = store.predictions.table(model=chosen.id, folder=folder)
    what = store.predictions.claim_name(model=chosen.id, folder=folder)
    with store.claim(what, say=say), chosen.child() as child:
        lines = {} if refresh else _still_true(_known(table, say), audio)
        table.location.make_way()
        reused = len(lines)
        new = [entry for entry in audio.values() if entry.name not in lines]
        longest: Prediction | None = None
        for done, entry in enumerate(new, start=1):
            found = predict_at(child, folder / entry.name)
            lines[entry.name] = _line(found, entry)
            if found.passages and (longest is None or found.seconds > longest.seconds):
                longest = replace(found, path=entry.name, timeline=[])
            files_done(done, len(new))
            if done % SAVED_EVERY == 0:
                table.write(_frame(lines))
        frame = _frame(lines)
        table.write(frame)
    return PredictedFolder(
        model=chosen.name,
        folder=folder.uri,
        table=table.location.uri,
        files=len(audio),
        predicted=len(new),
        reused=reused,
        statuses=_counts(frame, "status"),
        genres=_counts(frame, "genre"),
        left_out=left_out,
        new_statuses=dict(Counter(lines[entry.name].status for entry in new)),
        longest=_in_words(longest) if longest else "",
        lines=tuple(lines[path] for path in sorted(lines)),
    )


def _known(table: PredictionTable, say: Callable[[str], None]) -> pd.DataFrame:
    """Read the table; one that is damaged is told of, and made again."""
    try:
        return table.read()
    except Damaged as error:
        say(f"{error} All files are predicted again.")
        return pd.DataFrame(columns=list(PREDICTION_COLUMNS))


def _still_true(known: pd.DataFrame, audio: Mapping[str, Entry]) -> dict[str, PredictedFile]:
    """Keep the lines whose file is there with the size and the etag that it had."""
    plain = known.astype(object).where(known.notna(), None)
    lines = [PredictedFile(**line) for line in plain.to_dict(orient="records")]  # type: ignore[arg-type]
    return {line.path: line for line in lines if line.is_of(audio.get(line.path))}


def _in_words(song: Prediction) -> str:
    return f"{song.path} ({clock(song.seconds)}): {song.passages_in_words}"


def _line(found: Prediction, entry: Entry) -> PredictedFile:
    return PredictedFile(
        path=entry.name,
        size=entry.size,
        etag=entry.etag,
        status=str(found.status),
        detail=found.detail,
        genre=found.genre,
        probability=found.probability,
        probabilities=json.dumps(found.probabilities),
        windows=found.windows,
    )


def _frame(lines: Mapping[str, PredictedFile]) -> pd.DataFrame:
    return pd.DataFrame(map(vars, lines.values()), columns=list(PREDICTION_COLUMNS))


def _counts(frame: pd.DataFrame, column: str) -> dict[str, int]:
    return {str(value): int(count) for value, count in frame[column].value_counts().items()}
