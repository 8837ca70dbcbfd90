"""Artists with tracks in several splits: a model that knows them flatters its accuracy.

Flexer, "A closer look on artist filters for musical genre classification", ISMIR 2007, measured it.
"""

from __future__ import annotations

import pandas as pd

from genre_model.specs import SPLITS

_LONGEST_NAME = 60


def artists_in_several_splits(tracks: pd.DataFrame) -> pd.DataFrame:
    """Find the artists whose tracks are spread over several splits.

    Parameters
    ----------
    tracks : pd.DataFrame
        A catalogue's frame: `artist_id` (those that are NA are not looked at), `split`.

    Returns
    -------
    pd.DataFrame
        One line such an artist, sorted: `artist_id`, `splits` (their names, comma-separated, in
        the order of use).
    """
    pairs = tracks[["artist_id", "split"]].dropna(subset="artist_id").drop_duplicates()
    spread = pairs[pairs["artist_id"].duplicated(keep=False)]
    splits: dict[int, set[str]] = {}
    for artist, split in zip(spread["artist_id"].tolist(), spread["split"].tolist(), strict=True):
        splits.setdefault(artist, set()).add(split)
    names = [", ".join(name for name in SPLITS if name in splits[each]) for each in sorted(splits)]
    return pd.DataFrame({"artist_id": sorted(splits), "splits": names})


def artist_remark(tracks: pd.DataFrame) -> str | None:
    """Say in one sentence how far artists are shared between splits; None if none is.

    Parameters
    ----------
    tracks : pd.DataFrame
        A catalogue's frame: `artist_id`, `artist`, `split`.
    """
    if tracks["artist_id"].isna().all():
        return (
            "No artists are known: tracks of one artist may be in several splits, which "
            "flatters the accuracy."
        )
    shared = artists_in_several_splits(tracks)
    if shared.empty:
        return None
    artists = "1 artist has" if len(shared) == 1 else f"{len(shared):,} artists have"
    example = f"{_name(tracks, shared['artist_id'].iloc[0])}: {shared['splits'].iloc[0]}"
    return f"{artists} tracks in several splits (as {example}){_known_in_test(tracks)}"


def _known_in_test(tracks: pd.DataFrame) -> str:
    """End the sentence with how many test tracks are by artists that were trained on."""
    trained = tracks.loc[tracks["split"] == "training", "artist_id"].dropna()
    tested = tracks.loc[tracks["split"] == "test", "artist_id"]
    known = int(tested.isin(trained).sum())
    if not known:
        return f"; none of the {len(tested):,} test tracks is by an artist of the training split."
    return (
        f", which flatters the accuracy: {known:,} of the {len(tested):,} test tracks "
        f"{'is by an artist' if known == 1 else 'are by artists'} of the training split."
    )


def _name(tracks: pd.DataFrame, artist_id: int) -> str:
    """Name an artist on one line, by number where no name is known."""
    names = tracks.loc[tracks["artist_id"] == artist_id, "artist"].dropna()
    name = " ".join(str(names.iloc[0]).split()) if len(names) else ""
    return name[:_LONGEST_NAME] or f"artist {artist_id}"
