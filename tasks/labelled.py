"""Rows of an array joined with a catalogue's labels and splits."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from genre_model.data.layouts import remedies_of
from genre_model.data.remedies import Remedies, check_split, check_usable, unjudged_genres
from genre_model.data.sharing.policies import leak_remark, under_policy
from genre_model.data.splits import label_rows, split_rows
from genre_model.frontends import Frontend
from genre_model.recipe import TrainSpec
from genre_model.specs import SPLIT_POLICIES, SPLITS
from storage.array.feature_array import FeatureArray
from storage.errors import NotFound
from storage.store import Store

if TYPE_CHECKING:
    from genre_model.learning.batches import RowIndex

_MADE_OF = ("track_id", "sha256", "windows", "genre", "split")


@dataclass(frozen=True, kw_only=True)
class LabelledFeatures:
    """Features with what their tracks are.

    Attributes
    ----------
    features : FeatureArray
    spec : Frontend
    catalogue_id : str
    tracks : pd.DataFrame
        The catalogue.
    rows : pd.DataFrame
        One line a track with windows: `row`, `track_id`, `windows`, `genre`, `label`, `split`,
        `sha256`.
    genres : tuple[str, ...]
        In the order of the labels.
    refused : Mapping[str, int]
        Status -> tracks of the catalogue without windows.
    split_policy : str
        One of `genre_model.specs.SPLIT_POLICIES`.
    unmade : int
        Tracks of the catalogue that have no row: features were not made of them, or their shard
        is not whole.
    """

    features: FeatureArray
    spec: Frontend
    catalogue_id: str
    tracks: pd.DataFrame
    rows: pd.DataFrame
    genres: tuple[str, ...]
    refused: Mapping[str, int]
    split_policy: str = SPLIT_POLICIES[0]
    unmade: int = 0

    def digest(self) -> str:
        """Return the sha256 of the tracks' audio, labels and splits, whatever rows they have."""
        content = self.rows.sort_values("track_id")[list(_MADE_OF)]
        return hashlib.sha256(content.to_csv(index=False).encode()).hexdigest()

    def split(self, split: str) -> RowIndex:
        """Return the rows of one split.

        Raises
        ------
        CatalogueError
            If there is none.
        """
        from genre_model.learning.batches import RowIndex

        rows = split_rows(self.rows, split=split)
        check_split(self.rows, split=split, catalogue=self.catalogue_id, remedies=self.remedies)
        return RowIndex.from_frame(rows)

    def artists(self, rows: RowIndex) -> np.ndarray:
        """Return whose track each row is [n], int64; who is not known has one track."""
        return self.artists_of(rows.track_ids)

    def artists_of(self, track_ids: np.ndarray) -> np.ndarray:
        """Return whose some tracks are [n], int64; negative, and one's own, where not known."""
        known = self.tracks.set_index("track_id")["artist_id"].reindex(track_ids)
        alone = -1 - track_ids
        return np.where(known.isna(), alone, known.fillna(0)).astype(np.int64)

    def artists_digest(self) -> str:
        """Return the sha256 of whose the tracks of the training split are."""
        rows = self.split("training")
        pairs = sorted(zip(rows.track_ids.tolist(), self.artists(rows).tolist(), strict=True))
        return hashlib.sha256(repr(pairs).encode()).hexdigest()

    def check_trainable(self) -> None:
        """Refuse rows from which nothing can be learned, before anything is written.

        Raises
        ------
        CatalogueError
            If training or validation has none, or there is one genre to learn only.
        """
        check_usable(self.rows, catalogue=self.catalogue_id, remedies=self.remedies)

    def remarks(self, spec: TrainSpec) -> list[str]:
        """Say what a training on these rows had better know."""
        windows = int(self.rows.loc[self.rows["split"] == "training", "windows"].sum())
        found = [self._of_unmade, unjudged_genres(self.rows), leak_remark(self.split_policy)]
        if windows < spec.batch_size:
            found.append(
                f"an epoch is a single step of {windows:,} windows, which are fewer than "
                f"training.batch_size, {spec.batch_size:,}"
            )
        return [sentence for sentence in found if sentence]

    @property
    def told(self) -> tuple[str, ...]:
        """Return what a reader of figures on these tracks had better know, a sentence each."""
        own = [each for each in (leak_remark(self.split_policy), self._of_unmade) if each]
        return (*self.tracks.attrs.get("remarks", ()), *(f"{each}." for each in own))

    @property
    def _of_unmade(self) -> str | None:
        if not self.unmade:
            return None
        return (
            f"{self.unmade:,} of the {len(self.tracks):,} tracks of {self.catalogue_id} have no "
            f"{self.spec.name} features and take no part; `genre features --preset "
            f"{self.spec.name}` makes them"
        )

    @property
    def remedies(self) -> Remedies:
        """What helps where there is too little, in the words of the data set's layout."""
        about = self.tracks.attrs
        return remedies_of(about.get("layout"), subset=str(about.get("subset", "")))

    def counts(self) -> dict[str, int]:
        """Return split -> tracks with windows, in the order of use."""
        counts = self.rows["split"].value_counts()
        return {split: int(counts[split]) for split in SPLITS if split in counts}


def load_labelled(
    store: Store,
    spec: Frontend,
    *,
    catalogue_id: str | None = None,
    split_policy: str = SPLIT_POLICIES[0],
) -> LabelledFeatures:
    """Join an array's rows with a catalogue.

    Parameters
    ----------
    store : Store
    spec : Frontend
        Which array of the catalogue's data set.
    catalogue_id : str, optional
        By default the catalogue that was written last.
    split_policy : {"official", "components", "random"}
        With `components`, training tracks that hang together with one of another split, by artists
        and albums, take no part; with `random`, all tracks are dealt to the splits anew.

    Returns
    -------
    LabelledFeatures

    Raises
    ------
    NotFound
        If there is no such catalogue or array, or it is not finished.
    """
    catalogue_id, tracks, features = catalogue_and_array(store, spec, catalogue_id=catalogue_id)
    return _labelled(catalogue_id, tracks, features, spec, split_policy)


def label_with(
    store: Store,
    spec: Frontend,
    *,
    catalogue_id: str,
    tracks: pd.DataFrame,
    split_policy: str = SPLIT_POLICIES[0],
) -> LabelledFeatures:
    """Join an array's rows with a catalogue that the store does not hold yet.

    Parameters
    ----------
    store, spec, split_policy
        As for `load_labelled`.
    catalogue_id : str
    tracks : pd.DataFrame
        The catalogue, with the attributes that it is to be written with.

    Raises
    ------
    NotFound
        If there is no such array.
    """
    features = _open(store, spec, str(tracks.attrs["data_set"]))
    return _labelled(catalogue_id, tracks, features, spec, split_policy)


def _labelled(
    catalogue_id: str,
    tracks: pd.DataFrame,
    features: FeatureArray,
    spec: Frontend,
    split_policy: str,
) -> LabelledFeatures:
    rows = features.rows()
    genres = tuple(sorted(tracks["genre"].unique()))
    used = under_policy(tracks, split_policy)
    labelled = label_rows(rows, used, genres=genres)
    return LabelledFeatures(
        features=features,
        spec=spec,
        catalogue_id=catalogue_id,
        tracks=tracks,
        rows=labelled.merge(rows[["row", "sha256"]], on="row"),
        genres=genres,
        refused=_refused(rows, used, labelled),
        split_policy=split_policy,
        unmade=int((~used["track_id"].isin(rows["track_id"])).sum()),
    )


def catalogue_and_array(
    store: Store, spec: Frontend, *, catalogue_id: str | None = None
) -> tuple[str, pd.DataFrame, FeatureArray]:
    """Open a catalogue and the array of its data set, of which no row is read yet.

    Parameters
    ----------
    store, spec, catalogue_id
        As for `load_labelled`.

    Returns
    -------
    str
        The catalogue's id.
    pd.DataFrame
        The catalogue.
    FeatureArray

    Raises
    ------
    NotFound
        If there is no such catalogue or array.
    """
    catalogue_id = catalogue_id or store.catalogues.newest()
    tracks = store.catalogues.read(catalogue_id)
    return catalogue_id, tracks, _open(store, spec, str(tracks.attrs["data_set"]))


def _open(store: Store, spec: Frontend, data_set: str) -> FeatureArray:
    try:
        return store.features.open(data_set=data_set, name=spec.key)
    except NotFound as error:
        raise NotFound(
            f"{store.uri} has no {spec.name!r} features of {data_set!r}; "
            f"run `genre features --preset {spec.name}` first"
        ) from error


def _refused(rows: pd.DataFrame, tracks: pd.DataFrame, labelled: pd.DataFrame) -> dict[str, int]:
    newest = rows.sort_values("row").drop_duplicates("track_id", keep="last")
    wanted = newest["track_id"].isin(tracks["track_id"])
    kept = newest["track_id"].isin(labelled["track_id"])
    counts = newest.loc[wanted & ~kept, "status"].value_counts()
    return {str(status): int(count) for status, count in counts.items()}
