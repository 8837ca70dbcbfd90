"""The surest mistakes are those, and their picture shows what was heard of them."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib import image

from genre_model.judging.failing.mistakes import HeardMistake, mistakes_png, surest_mistakes

TABLE = pd.DataFrame(
    {
        "track_id": [1, 2, 3, 4, 5],
        "genre": ["Rock", "Rock", "Pop", "Pop", "Rock"],
        "predicted": ["Pop", "Rock", "Rock", "Rock", "Pop"],
        "probability": [0.5, 0.99, 0.8, 0.9, 0.8],
    }
)


def test_wrong_tracks_stand_in_the_order_of_their_probability() -> None:
    assert surest_mistakes(TABLE, 10)["track_id"].tolist() == [4, 3, 5, 1]
    assert surest_mistakes(TABLE, 2)["track_id"].tolist() == [4, 3]
    right = TABLE[TABLE["genre"] == TABLE["predicted"]]
    assert surest_mistakes(right, 2).empty


def heard(shape: tuple[int, ...], said: int, *, loud: int = 0) -> HeardMistake:
    """Make a track of which one window is loud, and one genre was said throughout."""
    windows = np.full(shape, -80, np.float16)
    windows[loud] = 0
    probabilities = np.zeros((shape[0], 3), np.float32)
    probabilities[:, said] = 1
    title = "rock/$x$ \x1b[31m.mp3: Rock, taken for Pop (99%)"
    return HeardMistake(
        title=title, windows=windows, probabilities=probabilities, step=3.0, length=3.0
    )


@pytest.mark.parametrize("shape", [(10, 16, 12), (1, 16, 12), (10, 20)])
def test_windows_and_probabilities_are_drawn(shape: tuple[int, ...]) -> None:
    genres = ("Folk", "Pop $", "Rock")
    one = mistakes_png([heard(shape, 1)], genres)
    drawn = image.imread(io.BytesIO(one))
    two = image.imread(io.BytesIO(mistakes_png([heard(shape, 1), heard(shape, 2)], genres)))
    assert two.shape[0] == 2 * drawn.shape[0]
    other = mistakes_png([heard(shape, 2)], genres)
    assert other != one
    assert mistakes_png([heard(shape, 1)], genres) == one
    if shape[0] > 1:
        assert mistakes_png([heard(shape, 1, loud=5)], genres) != one
