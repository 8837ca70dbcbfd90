"""A layer that holds windows, and gives those that are asked for."""

from __future__ import annotations

import keras

from genre_model.learning.feeding.resident import Resident


class KeptRows(keras.layers.Layer):  # type: ignore[misc]
    """Gives windows or crops by where they are; used in training only, and never saved.

    Parameters
    ----------
    resident : Resident
    shape : tuple[int, ...]
        Of what is given: (bands, frames) or (values,).
    """

    def __init__(self, resident: Resident, shape: tuple[int, ...]) -> None:
        super().__init__(name="kept_rows", trainable=False)
        # a weight, as what a step merely closes over is a constant of its program to JAX
        self._frames = self.add_weight(
            name="frames",
            shape=resident.frames.shape,
            dtype="float16",
            initializer=lambda _shape, dtype: keras.ops.convert_to_tensor(resident.frames, dtype),
            trainable=False,
            autocast=False,
        )
        self._shape = shape

    def call(self, where: keras.KerasTensor) -> keras.KerasTensor:
        """Gather.

        Parameters
        ----------
        where : tensor [shape=(batch, 3), int32]
            First frame of each one's track, start within it, and the track's length; what reaches
            over its end goes on at its beginning.

        Returns
        -------
        tensor [shape=(batch, *shape), float16]
        """
        if not self._shape[1:]:
            return keras.ops.take(self._frames, where[:, 0], axis=0)
        first, start, length = (where[:, number : number + 1] for number in range(3))
        steps = keras.ops.arange(self._shape[1], dtype="int32")
        at = first + keras.ops.mod(start + steps, length)
        return keras.ops.swapaxes(keras.ops.take(self._frames, at, axis=0), 1, 2)

    def compute_output_spec(self, where: keras.KerasTensor) -> keras.KerasTensor:
        """Tell what is given, without asking for it."""
        return keras.KerasTensor((where.shape[0], *self._shape), dtype="float16")
