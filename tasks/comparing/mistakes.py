"""What was heard of the tracks that a model was surest about, and wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from genre_model.judging.evaluation import WindowPredictions
from genre_model.judging.failing.mistakes import DRAWN, HeardMistake, surest_mistakes
from tasks.labelled import LabelledFeatures


def heard_mistakes(
    data: LabelledFeatures, predictions: WindowPredictions, table: pd.DataFrame
) -> Iterator[HeardMistake]:
    """Read the rows of the surest mistakes again, `DRAWN` at most.

    Parameters
    ----------
    data : LabelledFeatures
        What was predicted.
    predictions : WindowPredictions
        Of its windows, a track's in the order of time.
    table : pd.DataFrame
        As `genre_model.judging.evaluation.track_table` returns it, with `path`.
    """
    columns = (data.rows[name].tolist() for name in ("track_id", "row", "windows"))
    places = {track: (row, whole) for track, row, whole in zip(*columns, strict=True)}
    for line in surest_mistakes(table, DRAWN).to_dict("records"):
        track = line["track_id"]
        row, whole = places[track]
        shard, place = divmod(row, data.features.rows_per_shard)
        yield HeardMistake(
            title=f"{line['path']}: {line['genre']}, taken for {line['predicted']} "
            f"({line['probability']:.0%})",
            windows=data.features.read_shard(shard)[place, :whole],
            probabilities=predictions.probabilities[predictions.track_ids == track],
            step=data.spec.window_seconds,
            length=data.spec.window_length_seconds,
        )
