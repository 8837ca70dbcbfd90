"""What classical statistics give on the same tracks: the yardstick of every report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genre_model.errors import CatalogueError
from genre_model.frontends import PRESETS
from genre_model.recipe import ModelSpec, TrainSpec
from storage.errors import Damaged, NotFound
from storage.store import Store
from tasks.labelled import LabelledFeatures, load_labelled
from tasks.native_stderr import Say, captured_native_stderr

if TYPE_CHECKING:
    from genre_model.judging.paired.comparison import Evaluated

ROLE = "yardstick"
PRESET, NETWORK = "mfcc", "linear"
NAME = f"{NETWORK} on {PRESET}"


def measure(
    store: Store, data: LabelledFeatures, *, split: str, say: Say | None = None
) -> Evaluated | str:
    """Fit classical statistics to a catalogue's training tracks, and predict a split with them.

    Nothing is written: a model of that kind is trained by `genre train --preset mfcc`.

    Parameters
    ----------
    store : Store
    data : LabelledFeatures
        What the model that is to be measured was trained on.
    split : str
        Whose tracks are predicted.
    say : callable, optional
        Told what is waited for.

    Returns
    -------
    Evaluated or str
        A sentence where the store has no such features, too few, or damaged ones; empty where the
        model's own are the statistics.
    """
    spec = PRESETS[PRESET]
    if data.spec.digest() == spec.digest():
        return ""
    try:
        statistics = load_labelled(
            store, spec, catalogue_id=data.catalogue_id, split_policy=data.split_policy
        )
        statistics.check_trainable()
        return _measure(statistics, split, say)
    except (NotFound, CatalogueError):
        return (
            f"What classical statistics give on these tracks is not known: run `genre features "
            f"--preset {PRESET}` with the same data, then `genre evaluate --refresh`."
        )
    except Damaged as error:
        return (
            f"What classical statistics give on these tracks cannot be known: {error} Run `genre "
            f"features --preset {PRESET} --verify`, then `genre evaluate --refresh`."
        )


def _measure(data: LabelledFeatures, split: str, say: Say | None) -> Evaluated:
    with captured_native_stderr(say):
        from genre_model.judging.evaluation import track_table
        from genre_model.judging.fitted_judgement import choose_rule
        from genre_model.judging.paired.comparison import Evaluated
        from genre_model.learning.fitting import fit
        from genre_model.learning.inference import predict_rows

    if say is not None:
        say(f"fitting the yardstick, {NAME}")
    training, predicted = data.split("training"), data.split(split)
    result = fit(
        training,
        validation=data.split("validation"),
        artists=data.artists(training),
        read_shard=data.features.read_shard,
        rows_per_shard=data.features.rows_per_shard,
        classes=len(data.genres),
        model=ModelSpec(network=NETWORK),
        spec=TrainSpec(),
    )
    chosen, predictions = (
        predict_rows(
            result.model,
            rows,
            data.features.read_shard,
            rows_per_shard=data.features.rows_per_shard,
        )
        for rows in (data.split("validation"), predicted)
    )
    tracks = track_table(predictions, genres=data.genres, rule=choose_rule(chosen))
    return Evaluated(model=NAME, catalogue=data.catalogue_id, tracks=tracks)
