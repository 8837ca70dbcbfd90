"""What a converted net must say of a patch that is the same everywhere."""

import numpy as np

from genre_model.errors import ModelError

CLOSE = 1e-3
"""How far the values of a converted net may be from those that were written down."""


def fixed_patch(frames: int, bands: int) -> np.ndarray:
    """Return a patch that is the same everywhere: a tone that goes up and down [frames, bands]."""
    frame, band = np.arange(frames)[:, None], np.arange(bands)[None]
    middle = bands * (0.5 + 0.3 * np.sin(frame / 15))
    power = 0.3 * np.exp(-(((band - middle) / 6) ** 2))
    return np.log10(1 + 10_000 * power).astype(np.float32)


def check_values(found: np.ndarray, expected: tuple[float, ...], *, what: str) -> None:
    """Refuse a converted net that says another thing of `fixed_patch` than it should.

    Parameters
    ----------
    found : np.ndarray [shape=(values,)]
    expected : tuple[float, ...]
        The first of them; if there are none, they must be finite, and none below zero, as means of
        what a ReLU gives are.
    what : str
        The net's name.

    Raises
    ------
    ModelError
    """
    if not expected:
        if not (np.isfinite(found).all() and (found >= 0).all()):
            raise ModelError(
                f"{what} was converted and says of a fixed patch what is not finite or is below "
                "zero; the file is damaged, or another net's"
            )
        return
    off = float(np.abs(found[: len(expected)] - expected).max())
    if not off <= CLOSE:
        raise ModelError(
            f"{what} was converted and says of a fixed patch what is {off:.2g} off; a limit is "
            f"{CLOSE:g}. The libraries that convert (tensorflow, tf2onnx, onnx) are not those of "
            "requirements.lock, or the processor computes otherwise"
        )
