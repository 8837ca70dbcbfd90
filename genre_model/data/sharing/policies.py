"""Split policies: what a catalogue's splits become for one training.

official     training | validation | test       as the catalogue has them
components   train··· | validation | test       ·: what hangs together with the others
random       a tenth of all tracks for test, a tenth for validation: leaky
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from genre_model.data.sharing.components import crosses_splits
from genre_model.specs import LEAKY_POLICIES, SPLIT_POLICIES

SHARE = 10
"""One track in so many is a test track of the policy `random`, and one a validation track."""


def under_policy(tracks: pd.DataFrame, policy: str) -> pd.DataFrame:
    """Return the tracks that take part, in the splits that they are in.

    Parameters
    ----------
    tracks : pd.DataFrame
        A catalogue's frame.
    policy : {"official", "components", "random"}
        `random` deals all tracks anew, whoever their artists are, with one seed for all trainings.

    Returns
    -------
    pd.DataFrame
    """
    official, components, _ = SPLIT_POLICIES
    if policy == official:
        return tracks
    if policy == components:
        return tracks[~crosses_splits(tracks)]
    return tracks.assign(split=_dealt(tracks["track_id"].to_numpy(np.int64)))


def leak_remark(policy: str) -> str:
    """Say what is wrong with the figures of a leaky policy; nothing of another."""
    if policy not in LEAKY_POLICIES:
        return ""
    return (
        f"--split-policy {policy} is leaky: tracks of one artist are in training and in test, so "
        "that figures are higher than on music that the model does not know, and not to be "
        "compared with those of the official split"
    )


def _dealt(track_ids: np.ndarray) -> np.ndarray:
    """Deal tracks to splits, whatever order they stand in."""
    share = max(1, len(track_ids) // SHARE)
    by_number = np.argsort(track_ids, kind="stable")
    order = by_number[np.random.default_rng(0).permutation(len(track_ids))]
    dealt = np.full(len(track_ids), "training", object)
    dealt[order[:share]] = "test"
    dealt[order[share : 2 * share]] = "validation"
    return dealt
