"""Nets of Keras's applications whose weights a training begins with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genre_model.errors import InvalidSpec, ModelError
from genre_model.printable import printable
from genre_model.recipe import ModelSpec

if TYPE_CHECKING:
    import keras

LARGEST_FILE = 2**30
LICENCE = "Apache-2.0"
"""Of the code and weights of `keras.applications`."""
CITATION = (
    "M. Tan and Q. V. Le, EfficientNetV2: Smaller models and faster training, ICML 2021, "
    "arXiv 2104.00298"
)
_SUFFIXES = (".weights.h5", ".h5")


@dataclass(frozen=True)
class Pretrained:
    """Which net of `keras.applications`, and where its weights are.

    Parameters
    ----------
    application : str
        Its name there.
    weights : Path, optional
        A file that Keras saved of it, without its top; by default Keras downloads what was
        trained on ImageNet, into its own folder.
    """

    application: str = "EfficientNetV2B0"
    weights: Path | None = None

    @classmethod
    def of(cls, model: ModelSpec) -> Pretrained:
        """Return what a recipe names."""
        return cls(model.application, Path(model.weights) if model.weights else None)

    def digest(self) -> str:
        """Return what the weights are known by: the file's sha256, or that they are Keras's.

        Raises
        ------
        InvalidSpec
            If there is no such file, or it cannot be read.
        """
        if self.weights is None:
            return "imagenet"
        return hashlib.sha256(self._content()).hexdigest()

    def licence(self) -> dict[str, str]:
        """Say whose net it is, as a model's params.json does: its name, licence, source."""
        of_keras = f"keras.applications.{self.application}"
        if self.weights is None:
            licence, source = LICENCE, f"{of_keras}, weights of ImageNet's pictures from Keras"
        else:
            licence = f"{LICENCE} if the weights are those of Keras, else that of their file"
            source = f"{of_keras}, weights of the file {printable(self.weights.name)}"
        return {
            "name": self.application,
            "sha256": "" if self.weights is None else self.digest(),
            "licence": licence,
            "source": source,
            "citation": CITATION,
        }

    def net(self) -> keras.Model:
        """Build the net with its weights, without its top.

        Raises
        ------
        InvalidSpec
            If the weights are not to be had, or another net's.
        """
        if self.weights is None:
            return self._downloaded()
        self._check(self._content())
        try:
            return self._build(str(self.weights))
        except Exception as error:  # Keras and h5py raise all kinds of errors
            raise InvalidSpec(
                f"the weights {self.weights} are not those of {self.application} without its top "
                f"({_first_line(error)}); save them as "
                f"`keras.applications.{self.application}(include_top=False).save_weights(FILE)`"
            ) from error

    def behind(self, picture: keras.KerasTensor) -> keras.Model:
        """Build the same net behind a tensor, layer by layer: no model within a model.

        Parameters
        ----------
        picture : keras.KerasTensor [batch, height, width, 3, 0 to 255]
        """
        net = self._build(None, input_tensor=picture)
        for layer in self.net().layers:
            if layer.weights:
                net.get_layer(layer.name).set_weights(layer.get_weights())
        return net

    def _build(self, weights: str | None, **options: object) -> keras.Model:
        import keras  # an id is made of the weights where no Keras is loaded yet

        kind = getattr(keras.applications, self.application)
        shape = {} if options else {"input_shape": (None, None, 3)}
        return kind(include_top=False, weights=weights, pooling="avg", **shape, **options)

    def _downloaded(self) -> keras.Model:
        try:
            return self._build("imagenet")
        except Exception as error:  # of urllib's own kind, or what a damaged file makes
            raise InvalidSpec(
                f"Keras could not download the weights of {self.application} "
                f"({_first_line(error)}); have a machine with a network save them, and say "
                "--set model.weights=FILE"
            ) from error

    def _content(self) -> bytes:
        file = self.weights
        assert file is not None
        if not file.name.endswith(_SUFFIXES):
            raise InvalidSpec(
                f"model.weights is {str(file)!r}; it must be a file that Keras saved, "
                f"{' or '.join('*' + each for each in _SUFFIXES)}"
            )
        try:
            if not file.is_file():
                raise InvalidSpec(f"model.weights is {str(file)!r}, which is no file; name another")
            if file.stat().st_size > LARGEST_FILE:
                raise InvalidSpec(
                    f"model.weights is {str(file)!r}, which is larger than 1 GiB and no such "
                    "net's; name another"
                )
            return file.read_bytes()
        except OSError as error:
            raise InvalidSpec(
                f"model.weights is {str(file)!r}, which cannot be read ({error.strerror}); see to "
                "its permissions"
            ) from error

    def _check(self, content: bytes) -> None:
        from genre_model.learning.opening.keras_weights import check_weights

        try:
            check_weights(content)
        except ModelError as error:
            raise InvalidSpec(f"the file {self.weights} {error}; name another") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).partition("\n")[0].rstrip(".")[:200]
