"""A trained network as an ONNX file: a row's windows in, each one's probabilities out."""

from __future__ import annotations

import numpy as np

from genre_model.errors import ModelError
from genre_model.portable.session import first_line, open_session

LOGITS, PROBABILITIES = "logits", "probabilities"
"""Names of what it gives, both [windows, genres]."""

BATCH = 128


class Classifier:
    """Runs such a file, on one thread.

    Parameters
    ----------
    content : bytes
        The whole file.

    Attributes
    ----------
    window_shape : tuple[int, ...]
        Of what it takes.
    genres : int
        Of which it gives probabilities.

    Raises
    ------
    ModelError
        If it is no such file; the text goes on from its name.
    """

    def __init__(self, content: bytes) -> None:
        self._session = open_session(content)
        inputs = self._session.get_inputs()
        gives = {each.name: each.shape for each in self._session.get_outputs()}
        shape = list(inputs[0].shape[1:]) if len(inputs) == 1 else []
        is_fixed = all(isinstance(each, int) and each > 0 for each in shape)
        found = gives.get(PROBABILITIES, [])
        if not shape or not is_fixed or len(found) != 2 or not isinstance(found[1], int):
            raise ModelError(
                f"is no network of this project: those take one input of windows, and give "
                f"{LOGITS} and {PROBABILITIES}"
            )
        self._input = inputs[0].name
        self.window_shape: tuple[int, ...] = tuple(shape)
        self.genres: int = found[1]

    def probabilities(self, windows: np.ndarray) -> np.ndarray:
        """Give each window's probability of each genre.

        Parameters
        ----------
        windows : np.ndarray [shape=(n, *window_shape), float]
            n may be 0.

        Returns
        -------
        np.ndarray [shape=(n, genres), float32, each row sums to 1]

        Raises
        ------
        ModelError
            If the network gives what is no finite number.
        """
        return self._run(windows, PROBABILITIES)

    def logits(self, windows: np.ndarray) -> np.ndarray:
        """Give each window's logits [n, genres]; otherwise as `probabilities`."""
        return self._run(windows, LOGITS)

    def _run(self, windows: np.ndarray, output: str) -> np.ndarray:
        parts = [np.zeros((0, self.genres), np.float32)]
        for at in range(0, len(windows), BATCH):
            given = np.ascontiguousarray(windows[at : at + BATCH], np.float32)
            try:
                parts += self._session.run([output], {self._input: given})
            except Exception as error:
                raise ModelError(f"the network fails on a window: {first_line(error)}") from error
        found: np.ndarray = np.concatenate(parts)
        if not np.isfinite(found).all():
            raise ModelError(
                f"the network gives {output} that are not finite numbers: its training diverged, "
                "or its file is not as it was written; train it again, at a lower learning rate"
            )
        return found
