"""A model's folder: what it says, and its parts, opened as they are asked for.

<network>.keras   opens with Keras alone, in safe mode; written last
model.onnx        the same network, run without TensorFlow: windows to probabilities
filters.npy       mel filters of its features, so that nothing has to make them
*.onnx            nets of the backbone that its features are made with
*.licence.txt     the licences of these nets, in full where their texts are known
params.json       the network's file, genres, features, specs, where it comes from, files' sha256
history.csv       one line an epoch
logs/             the same for TensorBoard
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genre_model.errors import InvalidSpec, ModelError
from genre_model.frontends import Frontend, frontend_from_dict
from genre_model.frontends.backbone import LICENCE_ENDING
from genre_model.learning.opening.params import PARAMS_FILE, read_params
from genre_model.learning.opening.plain_json import Json
from genre_model.learning.opening.whole_file import read_whole

if TYPE_CHECKING:
    import keras

    from genre_model.frontends.frontend import Extractor
    from genre_model.portable.classifier import Classifier

HISTORY_FILE = "history.csv"
LOGS_FOLDER = "logs"
ONNX_FILE = "model.onnx"
FILTERS_FILE = "filters.npy"
MOST_ONNX = 2**31 - 1
MOST_FILTERS = 2**28


@dataclass(frozen=True)
class Bundle:
    """What a model's folder says; whoever made it, nothing in it runs code or leads out of it.

    Parameters
    ----------
    folder : Path
    params : Json
        The content of params.json.
    genres : tuple[str, ...]
        In the order of the network's outputs.
    features : Frontend
        How its features are made.
    """

    folder: Path
    params: Json
    genres: tuple[str, ...]
    features: Frontend

    @property
    def licences(self) -> list[dict[str, str]]:
        """Return whose nets it is made of: `name`, `licence`, `source` …; none for most."""
        return list(self.params.get("licences", ()))

    @property
    def licence_files(self) -> list[str]:
        """Name the files that hold the whole texts of these licences."""
        return [name for name in self.params["files"] if name.endswith(LICENCE_ENDING)]

    def network(self) -> keras.Model:
        """Open the network: raw windows [batch, ...] to logits [batch, genres]; imports Keras.

        Raises
        ------
        ModelError
            If its file is gone, not what it should be, or does not fit genres and features.
        """
        from genre_model.learning.opening.keras_archive import MOST_BYTES
        from genre_model.learning.opening.keras_file import open_keras

        path = self.folder / str(self.params["file"])
        data = self._read(path.name, most=MOST_BYTES)
        try:
            model = open_keras(data)
        except ModelError as error:
            raise ModelError(f"{path} {error}; train the model again") from error
        takes, gives = model.input_shape[1:], model.output_shape[-1]
        check_fit(takes, gives, genres=self.genres, features=self.features, where=self.folder)
        return model

    def classifier(self) -> Classifier:
        """Open the network as it is run without TensorFlow.

        Raises
        ------
        ModelError
            As for `network`.
        """
        from genre_model.portable.classifier import Classifier

        path = self.folder / ONNX_FILE
        data = self._read(ONNX_FILE, most=MOST_ONNX)
        try:
            found = Classifier(data)
        except ModelError as error:
            raise ModelError(f"{path} {error}; train the model again") from error
        check_fit(
            found.window_shape,
            found.genres,
            genres=self.genres,
            features=self.features,
            where=self.folder,
        )
        return found

    def extractor(self) -> Extractor:
        """Make the extractor of its features, of the filters and nets that lie in the folder.

        Raises
        ------
        ModelError
            If one is gone, or not what it should be.
        """
        from genre_model.signal.filters import MelBank

        path = self.folder / FILTERS_FILE
        try:
            bank = MelBank.of_bytes(self._read(FILTERS_FILE, most=MOST_FILTERS), self.features.mel)
        except ModelError:
            raise
        except ValueError as error:
            raise ModelError(f"{path} {error}; train the model again") from error
        nets = [self._read(name, most=MOST_ONNX) for name in self.features.files]
        return self.features.with_filters(bank).given(nets)

    def content(self, name: str) -> bytes:
        """Read a file whose sha256 params.json tells.

        Raises
        ------
        ModelError
            If it is gone, or another one.
        """
        return self._read(name, most=MOST_ONNX)

    def _read(self, name: str, *, most: int) -> bytes:
        """Read a file that is the one which was written there."""
        try:
            data = read_whole(self.folder / name, most=most)
        except FileNotFoundError as error:
            what = ", a backbone of its features" if name in self.features.files else ""
            raise ModelError(
                f"{self.folder} has no {name}{what}; copy the whole folder, or train the model "
                "again"
            ) from error
        if hashlib.sha256(data).hexdigest() != self.params["files"].get(name):
            raise ModelError(
                f"{self.folder / name} is not the file that was written there (another sha256); "
                "copy the whole folder again, or train the model again"
            )
        return data


def model_id(network: str, made_of: Mapping[str, Any]) -> str:
    """Name a model after all that makes it.

    Parameters
    ----------
    network : str
        First part of the name.
    made_of : Mapping
        Plain values: rows' sha256, labels, splits, specs, seed, version of the code.

    Returns
    -------
    str
        `<network>-<8 hex digits>`; equal mappings give equal names, in whatever order.

    Examples
    --------
    >>> model_id("default", {"a": 1, "b": [2]}) == model_id("default", {"b": [2], "a": 1})
    True
    """
    text = json.dumps(made_of, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f"{network}-{hashlib.sha256(f'{network} {text}'.encode()).hexdigest()[:8]}"


def load_bundle(folder: Path) -> Bundle:
    """Read what a model's folder says; imports neither TensorFlow nor librosa.

    Parameters
    ----------
    folder : Path
        As `saving.save_bundle` wrote it.

    Raises
    ------
    ModelError
        If params.json is missing, or not what it should be.
    """
    params = read_params(folder)
    try:
        genres = tuple(params["genres"])
        features = frontend_from_dict(params["features"])
        _ = params["file"], params["files"]
    except (KeyError, InvalidSpec) as error:
        raise ModelError(
            f"{folder / PARAMS_FILE} does not say what the network takes and gives ({error}); "
            "train the model again"
        ) from error
    return Bundle(folder, params, genres, features)


def check_fit(
    takes: tuple[int, ...],
    gives: int,
    *,
    genres: tuple[str, ...],
    features: Frontend,
    where: Path,
) -> None:
    """Refuse a network that takes other windows, or tells other genres apart.

    Parameters
    ----------
    takes : tuple[int, ...]
        Shape of a window.
    gives : int
        Outputs.
    genres, features
        What they are to fit.
    where : Path
        The model's folder, for the sentence.

    Raises
    ------
    ModelError
    """
    if tuple(takes) != features.row_shape[1:]:
        raise ModelError(
            f"the model of {where} takes windows of {tuple(takes)}, but its features are "
            f"{features.row_shape[1:]} ({', '.join(features.dimensions[1:])}); train it again"
        )
    if gives != len(genres):
        raise ModelError(
            f"the model of {where} tells {gives} genres apart, but {len(genres)} are named; "
            "train it again"
        )
