"""Which rows a network is trained on: those that it takes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from genre_model.errors import InvalidSpec
from genre_model.frontends import PRESETS
from genre_model.recipe import ModelSpec, TrainSpec
from storage.store import Store
from tasks import training
from tasks.training import identify_model, train_network


def test_rows_that_the_network_does_not_take_are_refused_before_anything_is_done(
    tmp_path: Path,
) -> None:
    store = Store.create(tmp_path / "store")
    before = sorted(tmp_path.rglob("*"))
    data = SimpleNamespace(spec=SimpleNamespace(name="mfcc", array="embedding"))
    with pytest.raises(InvalidSpec, match=r"'notebook' takes rows of log_mel.* 'mfcc' makes rows"):
        train_network.fn(store, data, ModelSpec(network="notebook"), TrainSpec())  # type: ignore[arg-type]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("model", "spec", "name"),
    [
        (ModelSpec(), TrainSpec(), "default-4f59044e"),
        (ModelSpec(network="linear"), TrainSpec(seed=3), "linear-ffafa026"),
        (
            ModelSpec(network="notebook"),
            TrainSpec(epochs=3, learning_rate=3e-4),
            "notebook-3b425799",
        ),
    ],
)
def test_models_keep_the_ids_of_the_version_that_knew_no_optimiser(
    model: ModelSpec, spec: TrainSpec, name: str
) -> None:
    data = SimpleNamespace(
        digest=lambda: "rows",
        spec=SimpleNamespace(digest=lambda: "features"),
        artists_digest=lambda: "artists",
    )
    assert identify_model(data, model, spec) == name  # type: ignore[arg-type]


def test_whose_net_imagenet_begins_with_goes_into_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Enough(Exception):  # noqa: N818
        """Nothing need be trained."""

    told: list[dict[str, str]] = []

    def trained(*_: object, licences: list[dict[str, str]], **__: object) -> None:
        told.extend(licences)
        raise Enough

    monkeypatch.setattr(training, "_train", trained)
    data = SimpleNamespace(
        spec=PRESETS["default"], digest=lambda: "rows", check_trainable=lambda: None
    )
    for network in ("imagenet", "default"):
        with pytest.raises(Enough):
            train_network.fn(
                Store.create(tmp_path / "store"),
                data,  # type: ignore[arg-type]
                ModelSpec(network=network),
                TrainSpec(),
            )
    assert [(each["name"], each["licence"]) for each in told] == [
        ("EfficientNetV2B0", "Apache-2.0")
    ]
