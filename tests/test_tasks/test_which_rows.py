"""Which rows and labels every number is made of: splits that differ tell them apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from labelled_rows import DATA_SET, write_rows
from learnable_rows import BANDS, FRAMES, GENRES, WINDOWS, learnable_rows

from genre_model.frontends.log_mel import LogMel
from genre_model.judging.evaluation import WindowPredictions, track_table
from genre_model.judging.metrics import Metrics
from genre_model.learning.batches import RowIndex
from genre_model.learning.inference import predict_rows
from genre_model.learning.opening.params import PARAMS_FILE
from genre_model.recipe import AugmentSpec, EvaluateSpec, ModelSpec, Recipe, TrainSpec
from storage.store import Store
from tasks.comparing.mistakes import heard_mistakes
from tasks.evaluation import evaluate_network
from tasks.labelled import LabelledFeatures, load_labelled
from tasks.models import ModelFacts
from tasks.training import identify_model, train_network

pytestmark = pytest.mark.whole

FEATURES = LogMel(
    name="tiny", n_mels=BANDS, windows=WINDOWS, window_frames=FRAMES, window_stride=FRAMES
)
SPEC = TrainSpec(epochs=10, batch_size=16, patience=10, learning_rate=5e-3, pooled_shards=2)
ON = EvaluateSpec(split="validation")
"""What is noted with the model, and asked of no task."""
TRACKS = {"training": 120, "validation": 32, "test": 40}
COMMONEST = {"training": "Blues", "validation": "Folk", "test": "Jazz"}
SHARE_OF_COMMONEST = 0.4


def tracks() -> pd.DataFrame:
    """Make a catalogue whose splits have as many tracks as no other, and a commonest genre each."""
    generator = np.random.default_rng(8)
    lines = []
    for split, count in TRACKS.items():
        others = [genre for genre in GENRES if genre != COMMONEST[split]]
        commonest = round(SHARE_OF_COMMONEST * count)
        genres = [COMMONEST[split]] * commonest
        genres += [others[place % len(others)] for place in range(count - commonest)]
        lines += [{"split": split, "sounds_like": genre} for genre in genres]
    table = pd.DataFrame(lines).iloc[generator.permutation(len(lines))].reset_index(drop=True)
    ids = 1000 + np.arange(len(table))
    texts = {"title": "a title", "artist": "an artist", "license": "CC0", "artist_id": pd.NA}
    return table.assign(track_id=ids, path=[f"{each}.mp3" for each in ids], **texts)


def mislabel(table: pd.DataFrame, split: str) -> pd.DataFrame:
    """Give each track the genre that it sounds like, but in one split always the next one."""
    following = dict(zip(GENRES, [*GENRES[1:], GENRES[0]], strict=True))
    is_wrong = table["split"] == split
    genre = table["sounds_like"].where(~is_wrong, table["sounds_like"].map(following))
    return table.assign(genre=genre)


def windows_of(table: pd.DataFrame) -> np.ndarray:
    """Make each track's windows: of the genre that it sounds like."""
    rows, labels = learnable_rows(len(GENRES) * len(table), seed=3)
    labels = np.array(GENRES)[labels]
    pools = {genre: iter(rows[labels == genre]) for genre in GENRES}
    return np.stack([next(pools[genre]) for genre in table["sounds_like"]])


@dataclass(frozen=True)
class Made:
    """A store with features and a catalogue, and what was put into it."""

    store: Store
    catalogue: pd.DataFrame
    windows: np.ndarray

    @property
    def data(self) -> LabelledFeatures:
        return load_labelled(self.store, FEATURES)

    def accuracy(self, model: str, split: str) -> float:
        """Give a model's track accuracy on one split, counted without the tasks' help."""
        import keras

        table = self.catalogue
        index = RowIndex.from_frame(
            pd.DataFrame(
                {
                    "row": range(len(table)),
                    "label": [GENRES.index(genre) for genre in table["genre"]],
                    "windows": WINDOWS,
                    "track_id": table["track_id"],
                }
            )[(table["split"] == split).to_numpy()]
        )
        place = self.store.models.fetch(model) / "model.keras"
        network = keras.saving.load_model(place, compile=False)
        whole = len(self.windows)
        found = predict_rows(network, index, lambda _shard: self.windows, rows_per_shard=whole)
        return found.tracks().accuracy()


def made_store(place: Path, *, mislabelled: str) -> Made:
    """Make a store with one row a track, in the order of the catalogue."""
    catalogue = mislabel(tracks(), mislabelled)
    store, windows = Store.create(place), windows_of(catalogue)
    write_rows(store, FEATURES, catalogue, windows)
    store.catalogues.write("made-0", catalogue, attributes={"data_set": DATA_SET})
    return Made(store, catalogue, windows)


@dataclass(frozen=True)
class Judged:
    """What training and evaluation said, and what is so."""

    made: Made
    trained: ModelFacts
    evaluated: Metrics

    def accuracy(self, split: str) -> float:
        return self.made.accuracy(self.trained.model, split)


@pytest.fixture(scope="module", params=["validation", "test"])
def judged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """Train and evaluate where the labels of one split are wrong."""
    made = made_store(tmp_path_factory.mktemp("made") / "store", mislabelled=request.param)
    trained, _ = train_network.fn(made.store, made.data, ModelSpec(), SPEC, evaluation=ON)
    evaluated = evaluate_network.fn(made.store, trained.model, EvaluateSpec()).metrics
    judged = Judged(made, trained, evaluated)
    # so far apart that a number tells which of them it is of
    assert abs(judged.accuracy("validation") - judged.accuracy("test")) > 0.4
    return judged


def test_what_was_learned_are_the_training_labels(judged: Judged) -> None:
    assert judged.accuracy("training") > 0.7
    assert max(judged.accuracy("validation"), judged.accuracy("test")) > 0.7


def test_params_json_holds_the_whole_recipe(judged: Judged) -> None:
    place = judged.made.store.models.location(judged.trained.model) / PARAMS_FILE
    stored = json.loads(place.read_bytes())["recipe"]
    assert Recipe.from_dict(stored) == Recipe(model=ModelSpec(), training=SPEC, evaluation=ON)
    assert set(stored["training"]) == set(SPEC.to_dict())
    assert set(stored["augmentation"]) == set(AugmentSpec().to_dict())


def test_an_epoch_is_judged_by_the_validation_tracks(judged: Judged) -> None:
    accuracy = judged.trained.validation_track_accuracy
    assert accuracy == pytest.approx(judged.accuracy("validation"))


def test_an_evaluation_is_of_the_split_that_was_asked_for(judged: Judged) -> None:
    assert judged.evaluated.tracks == TRACKS["test"]
    assert judged.evaluated.windows == WINDOWS * TRACKS["test"]
    assert judged.evaluated.track_accuracy == pytest.approx(judged.accuracy("test"))
    asked = EvaluateSpec(split="validation")
    found = evaluate_network.fn(judged.made.store, judged.trained.model, asked).metrics
    assert found.tracks == TRACKS["validation"]
    assert found.track_accuracy == pytest.approx(judged.accuracy("validation"))


def test_the_dummy_knows_the_training_labels_alone(judged: Judged) -> None:
    table = judged.made.catalogue
    genres = table.loc[table["split"] == "test", "genre"]
    assert judged.evaluated.dummy_genre == COMMONEST["training"]
    share = float((genres == COMMONEST["training"]).mean())
    assert judged.evaluated.dummy_accuracy == pytest.approx(share)
    assert genres.value_counts().index[0] != COMMONEST["training"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> LabelledFeatures:
    return made_store(tmp_path_factory.mktemp("made") / "store", mislabelled="").data


def test_the_mistakes_that_are_drawn_are_heard_from_rows_of_their_own(
    data: LabelledFeatures,
) -> None:
    index, generator = data.split("test"), np.random.default_rng(4)
    said = generator.dirichlet(np.ones(len(data.genres)), WINDOWS * len(index))
    named = [np.repeat(each, WINDOWS) for each in (index.labels, index.track_ids)]
    made = WindowPredictions(said.astype(np.float32), *named)
    table = track_table(made, genres=data.genres).merge(data.tracks[["track_id", "path"]])
    windows = windows_of(tracks()).astype(np.float16)
    found = list(heard_mistakes(data, made, table))
    assert len(found) == 5
    for each in found:
        track = int(each.title.partition(".mp3: ")[0])
        (line,) = table[table["track_id"] == track].to_dict("records")
        assert f"{line['genre']}, taken for {line['predicted']} (" in each.title
        assert line["genre"] != line["predicted"]
        np.testing.assert_array_equal(each.windows, windows[track - 1000])
        np.testing.assert_array_equal(
            each.probabilities, said[made.track_ids == track].astype("f4")
        )


def test_tracks_whose_features_are_not_there_are_told(tmp_path: Path) -> None:
    made = made_store(tmp_path / "store", mislabelled="")
    assert (made.data.unmade, made.data.told) == (0, ())
    *_, last = sorted((tmp_path / "store" / "features").glob("*/*/log_mel/c/*/0/0/0"))
    last.unlink()
    data = made.data
    says = (
        "64 of the 192 tracks of made-0 have no tiny features and take no part; "
        "`genre features --preset tiny` makes them"
    )
    assert (len(data.rows), data.unmade) == (128, 64)
    assert data.remarks(SPEC)[0] == says
    assert data.told == (f"{says}.",)


def test_augmentation_makes_another_model_and_none_the_same(data: LabelledFeatures) -> None:
    plain = identify_model(data, ModelSpec(), SPEC)
    assert identify_model(data, ModelSpec(), SPEC, augmentation=AugmentSpec()) == plain
    changed = [AugmentSpec(gain=1), AugmentSpec(gain=2), AugmentSpec(crop_windows=1)]
    names = {identify_model(data, ModelSpec(), SPEC, augmentation=each) for each in changed}
    assert len(names | {plain}) == 4


def identified(data: LabelledFeatures, rows: pd.DataFrame) -> str:
    return identify_model(replace(data, rows=rows), ModelSpec(), SPEC)


def changed(rows: pd.DataFrame, column: str, value: Callable[[Any], Any]) -> pd.DataFrame:
    """Change one cell of the tenth line."""
    cells = rows[column].tolist()
    cells[9] = value(cells[9])
    return rows.assign(**{column: cells})


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("genre", lambda genre: GENRES[GENRES.index(genre) - 1]),
        ("split", lambda split: "test" if split == "training" else "training"),
        ("sha256", lambda digest: digest[:-1] + "f"),
        ("windows", lambda windows: windows - 1),
        ("track_id", lambda track_id: track_id + 5000),
    ],
)
def test_a_model_is_another_where_one_track_is(
    data: LabelledFeatures, column: str, value: Callable[[Any], Any]
) -> None:
    rows = changed(data.rows, column, value)
    assert (rows[column] != data.rows[column]).sum() == 1
    assert identified(data, rows) != identified(data, data.rows)


def test_a_model_is_the_same_wherever_its_rows_lie(data: LabelledFeatures) -> None:
    moved = data.rows.assign(row=data.rows["row"] + 640)
    shuffled = data.rows.sample(frac=1, random_state=1)
    assert not shuffled["track_id"].is_monotonic_increasing
    assert identified(data, moved) == identified(data, data.rows)
    assert identified(data, shuffled) == identified(data, data.rows)
