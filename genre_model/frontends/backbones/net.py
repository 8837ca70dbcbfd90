"""One net of a backbone: an ONNX file, run on one thread."""

from __future__ import annotations

from hashlib import sha256

import numpy as np

from genre_model.errors import ModelError
from genre_model.portable.onnx_runtime import onnxruntime
from genre_model.portable.session import first_line, open_session

INPUT_DIMENSIONS = (3, 4)
"""[batch, frames, bands], or with a channel at the end."""
_TRIED = 2
"""Patches of the first run: of one alone a missing batch cannot be told."""
_AT_ONCE = 1
"""Patches of every other run: ten take musicnn's pair 800 MB in place of 150, and no less time."""


class Net:
    """Runs an ONNX file; one a thread.

    Parameters
    ----------
    content : bytes
        The whole file, without external data or operators of others.
    output : str
        Name of the tensor that is kept.

    Attributes
    ----------
    patch : tuple[int, int]
        (frames, bands) of what it takes.
    values : int
        Of what it gives a patch.

    Raises
    ------
    ModelError
        If it is no ONNX file that runs here, takes other than patches, has no such output, or
        gives there other than a row of numbers a patch.
    """

    def __init__(self, content: bytes, *, output: str) -> None:
        try:
            self._session = open_session(content)
        except ModelError as error:
            raise ModelError(f"it {error}") from error
        self._output = output
        self._batch, self.patch, self._has_channel = _input(self._session)
        self.values = self._check_output()

    @property
    def outputs(self) -> list[str]:
        """Name the tensors that it gives."""
        return [each.name for each in self._session.get_outputs()]

    def run(self, patches: np.ndarray) -> np.ndarray:
        """Give what the net says of patches; of each the same, whatever others there are.

        Parameters
        ----------
        patches : np.ndarray [shape=(n, frames, bands), float32]

        Returns
        -------
        np.ndarray [shape=(n, values), float32]

        Raises
        ------
        ModelError
            If it fails, or gives other than a row of numbers a patch.
        """
        step = self._batch or _AT_ONCE
        parts = [self._run(patches[at : at + step]) for at in range(0, len(patches), step)]
        return np.concatenate(parts)

    def _run(self, patches: np.ndarray) -> np.ndarray:
        given = patches[..., None] if self._has_channel else patches
        if self._batch and len(given) < self._batch:  # it takes whole batches only
            spare = np.zeros((self._batch - len(given), *given.shape[1:]), np.float32)
            given = np.concatenate([given, spare])
        name = self._session.get_inputs()[0].name
        try:
            (found,) = self._session.run([self._output], {name: given})
            return self._rows(found, patches=len(given))[: len(patches)]
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(f"the net fails on a patch: {first_line(error)}") from error

    def _rows(self, found: object, *, patches: int) -> np.ndarray:
        """Take an output as rows [patches, values], if it is so many rows of numbers."""
        output = f"its output {self._output!r}"
        if not isinstance(found, np.ndarray) or found.dtype.kind not in "fiu":
            raise ModelError(f"{output} is no tensor of numbers; name another one with --output")
        if found.ndim < 2 or len(found) != patches or not found.size:
            raise ModelError(
                f"{output} is of shape {list(found.shape)} for {patches} "
                f"patch{'' if patches == 1 else 'es'}; a backbone gives [batch, values], a row for "
                "each patch"
            )
        return found.reshape(patches, -1).astype(np.float32)

    def _check_output(self) -> int:
        if self._output not in self.outputs:
            raise ModelError(
                f"it has no output {self._output!r}; its outputs are {', '.join(self.outputs)}"
            )
        found = self._run(np.zeros((self._batch or _TRIED, *self.patch), np.float32))
        if not np.isfinite(found).all():
            raise ModelError(f"its output {self._output!r} is not finite for a silent patch")
        return int(found.shape[1])


def checked_sha256(content: bytes, *, expected: str, what: str) -> bytes:
    """Return the content of a file that is the one that was meant.

    Raises
    ------
    ModelError
        If it is another.
    """
    found = sha256(content).hexdigest()
    if found != expected:
        raise ModelError(f"{what} has the sha256 {found[:16]}…, and should have {expected[:16]}…")
    return content


def _input(session: onnxruntime.InferenceSession) -> tuple[int, tuple[int, int], bool]:
    """Return its batch (0: any), (frames, bands), and whether there is a channel behind them."""
    inputs = session.get_inputs()
    shape = list(inputs[0].shape) if inputs else []
    written = f"[{', '.join(str(each) for each in shape)}]"
    has_channel = len(shape) == max(INPUT_DIMENSIONS) and shape[-1] == 1
    sizes = shape[1:3]
    fits = len(inputs) == 1 and (len(shape) == min(INPUT_DIMENSIONS) or has_channel)
    if not fits or not all(isinstance(each, int) and each > 0 for each in sizes):
        raise ModelError(
            f"it takes {len(inputs)} input{'' if len(inputs) == 1 else 's'}, the first of shape "
            f"{written}; a backbone takes one, [batch, frames, bands] with fixed frames and bands, "
            "or with a channel behind them"
        )
    if inputs[0].type != "tensor(float)":
        raise ModelError(f"its input is {inputs[0].type}, and must be tensor(float)")
    batch = shape[0] if isinstance(shape[0], int) and shape[0] > 0 else 0
    return batch, (sizes[0], sizes[1]), has_channel
