"""How much windows of a genre weigh in the loss."""

import numpy as np

from genre_model.learning.batches import RowIndex
from genre_model.recipe import TrainSpec


def class_weights(training: RowIndex, classes: int, spec: TrainSpec) -> dict[int, float] | None:
    """Return each genre's weight, None where all windows weigh the same.

    Parameters
    ----------
    training : RowIndex
    classes : int
        Genres.
    spec : TrainSpec

    Returns
    -------
    dict or None
        Genre's place -> weight; a window weighs 1 on average, every genre that has any the same.
    """
    if spec.class_weights == "none":
        return None
    windows = np.bincount(training.labels, training.windows, minlength=classes)
    equal = windows.sum() / (windows > 0).sum()
    return {genre: equal / count if count else 1.0 for genre, count in enumerate(windows.tolist())}
