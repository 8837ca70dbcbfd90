"""Split policies: who takes part in which split."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genre_model.data.sharing.policies import leak_remark, under_policy
from genre_model.specs import LEAKY_POLICIES, SPLIT_POLICIES, policy_in_words


def frame(count: int) -> pd.DataFrame:
    """Make tracks of which two share an artist, the first of all splits and a neighbour."""
    return pd.DataFrame(
        {
            "track_id": 7 * np.arange(count),
            "artist_id": pd.array(np.maximum(np.arange(count), 1), dtype="Int64"),
            "split": ["training", "test", *["training"] * (count - 2)],
        }
    )


def test_official_leaves_the_tracks_as_they_are_and_components_leaves_some_out() -> None:
    tracks = frame(5)
    assert under_policy(tracks, "official") is tracks
    assert under_policy(tracks, "components")["track_id"].tolist() == [7, 14, 21, 28]


@settings(max_examples=25, deadline=None)
@given(count=st.integers(3, 300), seed=st.integers(0, 5))
def test_random_deals_a_tenth_each_whatever_the_order_of_the_tracks(count: int, seed: int) -> None:
    tracks = frame(count)
    before = tracks["split"].tolist()
    dealt = under_policy(tracks, "random")
    tenth = max(1, count // 10)
    counts = dealt["split"].value_counts().to_dict()
    assert counts == {"training": count - 2 * tenth, "validation": tenth, "test": tenth}
    assert tracks["split"].tolist() == before
    shuffled = under_policy(tracks.sample(frac=1, random_state=seed), "random")
    assert shuffled.sort_index()["split"].tolist() == dealt["split"].tolist()


@pytest.mark.parametrize("policy", SPLIT_POLICIES)
def test_a_leaky_policy_is_called_so(policy: str) -> None:
    is_leaky = policy in LEAKY_POLICIES
    assert ("leaky" in policy_in_words(policy)) == is_leaky == ("leaky" in leak_remark(policy))
    assert policy_in_words(policy).startswith(policy)
