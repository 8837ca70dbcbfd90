"""metrics.json is as its schema in the package says, and the schema refuses what is not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from importlib import resources
from typing import Any

import jsonschema
import numpy as np
import pytest

from genre_model.judging.evaluation import WindowPredictions, evaluate, track_table
from genre_model.judging.failing.robustness import DisturbedAccuracy
from genre_model.judging.leaks import Leak, Leaks
from genre_model.judging.paired.comparison import Evaluated, compare
from tasks.evaluated.metrics_file import Evaluation

GENRES = ("Folk", "Pop", "Rock")
SCHEMA = json.loads((resources.files("genre_model.judging") / "metrics.schema.json").read_text())


def stored() -> dict[str, Any]:
    """Make the content of a metrics.json, with everything that may be in one."""
    generator = np.random.default_rng(2)
    labels = generator.integers(0, 3, 30)
    made = WindowPredictions(generator.dirichlet(np.ones(3), 30), labels, np.arange(30))
    table = track_table(made, genres=GENRES)
    this, other = (Evaluated(model=name, catalogue=name, tracks=table) for name in "ab")
    leak = Leak(kind="artists", track_id=1, path="1.mp3", artist="A", trained="2.mp3", others=0)
    found = Evaluation(
        model="a",
        split="test",
        metrics=evaluate(made, genres=GENRES, training_labels=labels),
        comparisons=(compare(this, other, role="champion"),),
        leaks=Leaks(counts={"identical": 0, "artists": 1, "components": 1}, named=(leak,)),
        evaluated="2026-11-01T10:00:00+00:00",
        robustness=(
            DisturbedAccuracy(
                name="mp3",
                title="MP3 at 64 kbit/s",
                tracks=30,
                track_accuracy=0.5,
                interval=(0.25, 0.75),
                difference=-0.25,
                difference_interval=(-0.5, 0.0),
            ),
        ),
    )
    written: dict[str, Any] = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert Evaluation.from_dict(written, where="here").to_dict() == found.to_dict()
    return written


def test_the_schema_is_one_and_describes_what_is_written() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(stored(), SCHEMA)


def test_the_schema_names_the_keys_of_the_contract() -> None:
    contract = {
        *("model", "split", "tracks", "windows", "window_accuracy", "track_accuracy"),
        *("track_accuracy_interval", "balanced_accuracy", "macro_f1", "top2_accuracy"),
        *("log_loss", "calibration_error", "dummy_accuracy", "per_genre", "leaks"),
    }
    assert contract <= set(SCHEMA["required"])


def _set(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    *outer, last = path.split(".")

    def change(document: dict[str, Any]) -> None:
        for name in outer:
            document = document[name]
        document[last] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        _set("track_accuracy", 1.5),
        _set("log_loss", -1),
        _set("intervals.macro_f1", [0.1]),
        _set("per_genre.Folk.recall", None),
        _set("leaks.artists", "many"),
        _set("readings", 0),
        _set("surprise", 1),
        _set("robustness", [{"name": "mp3"}]),
        _set("robustness", None),
        lambda document: document.pop("resampling"),
    ],
)
def test_what_is_no_such_document_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    document = copy.deepcopy(stored())
    change(document)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)
