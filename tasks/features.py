"""The feature stage in four steps: prepare, build each shard, finalise, count."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field

import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE

from genre_model.data.catalogue import CleanedGenre
from genre_model.data.drawing.draw import Drawn
from genre_model.data.left_out import LeftOut
from genre_model.frontends import Frontend
from genre_model.frontends.frontend import Extractor
from storage.array.feature_array import FeatureArray, Finalised
from storage.array.layout import ROWS_PER_SHARD, ArrayLayout, Attributes
from storage.array.plans import AudioState, WorkPlan, plan_work, tracks_to_hash
from storage.places.location import Location
from storage.store import Store
from tasks.backbones.presets import weights_of
from tasks.catalogue import FoundCatalogue
from tasks.worker.audio_files import hash_audio


@dataclass(frozen=True, kw_only=True)
class FeatureWork:
    """What one run of the feature stage has to do.

    Attributes
    ----------
    features : FeatureArray
        The array's folder.
    data : Location
        Where the audio is.
    spec : Frontend
        How audio becomes rows.
    plan : WorkPlan
        Rows and shards.
    weights : tuple[Location, ...]
        Of the frontend's files in the store, for the workers.
    repaired : tuple[str, ...]
        One sentence for each thing that verification found damaged.
    """

    features: FeatureArray
    data: Location
    spec: Frontend
    plan: WorkPlan
    weights: tuple[Location, ...] = ()
    repaired: tuple[str, ...] = ()

    @property
    def tracks(self) -> int:
        """How many tracks are to be decoded."""
        return sum(len(work.rows) for work in self.plan.shards)


@task(name="plan", task_run_name="plan rows of {spec.key}", cache_policy=NO_CACHE)
def prepare_features(
    store: Store,
    found: FoundCatalogue,
    spec: Frontend,
    *,
    refresh: bool = False,
    check_bytes: bool = False,
    retry_quarantined: bool = False,
) -> FeatureWork:
    """Plan rows for every track of the catalogue, store the plan, and make the array long enough.

    Parameters
    ----------
    store : Store
    found : FoundCatalogue
        The tracks, and which audio is there.
    spec : Frontend
    refresh : bool
        Write every shard of the catalogue again.
    check_bytes : bool
        Read all of the array, and make again what is not as it was written.
    retry_quarantined : bool
        Decode the tracks once more that were refused.

    Returns
    -------
    FeatureWork

    Raises
    ------
    StorageError
        If the store cannot be read or written.
    """
    layout, attributes = array_layout(spec), array_attributes(spec)
    place = {"data_set": found.catalogue.data_set, "name": spec.key}
    repaired: tuple[str, ...] = ()
    if check_bytes:
        problems = store.features.mend(**place, layout=layout, attributes=attributes)
        repaired = tuple(problem.sentence for problem in problems)
    features = store.features.create(**place, layout=layout, attributes=attributes)
    store.sweep()
    wanted = wanted_audio(found)
    plan = _plan(features, found.base, wanted, retry_quarantined=retry_quarantined)
    if refresh:
        features.begin_repair({row // ROWS_PER_SHARD for row in plan.reused.values()})
        plan = _plan(features, found.base, wanted, retry_quarantined=retry_quarantined)
    features.prepare(plan)
    return FeatureWork(
        features=features,
        data=found.base,
        spec=spec,
        plan=plan,
        weights=weights_of(store, spec),
        repaired=repaired,
    )


def check_array(store: Store, found: FoundCatalogue, spec: Frontend) -> None:
    """Refuse an array of another version or spec, before anything is written.

    Raises
    ------
    Mismatched, UnknownFormat
    """
    store.features.check_free(
        data_set=found.catalogue.data_set,
        name=spec.key,
        layout=array_layout(spec),
        attributes=array_attributes(spec),
    )


def array_attributes(spec: Frontend) -> Attributes:
    """Say what the numbers of a frontend's array mean."""
    return {"preset": spec.name, "spec": spec.to_dict()}


def array_layout(spec: Frontend) -> ArrayLayout:
    """Say what the rows of a frontend's array are."""
    return ArrayLayout(array=spec.array, dimensions=spec.dimensions, row_shape=spec.row_shape)


def wanted_audio(found: FoundCatalogue) -> list[AudioState]:
    """List the state of every track's audio, in the order of the catalogue."""
    tracks = found.catalogue.tracks
    states = []
    for track_id, path in zip(tracks["track_id"].tolist(), tracks["path"].tolist(), strict=True):
        entry = found.audio.get(path)
        size, etag = (entry.size, entry.etag) if entry is not None else (None, None)
        states.append(AudioState(track_id, path, size, etag))
    return states


def feature_extractor(spec: Frontend) -> Extractor:
    """Build what the workers need; imports librosa here, so that they need not."""
    return spec.build()


@task(name="finalise", task_run_name="gather the manifests", cache_policy=NO_CACHE)
def finalise_features(work: FeatureWork) -> Finalised:
    """Gather the manifests into `rows.parquet` and `quarantine.parquet`.

    Raises
    ------
    storage.errors.Incomplete
        If a shard of the plan is not there.
    """
    return work.features.finalise(work.plan.required, refresh=work.plan.refresh)


@dataclass(frozen=True, kw_only=True)
class FeatureCounts:
    """What became of a catalogue's tracks.

    `tracks` is the sum of `written`, `reused` and `quarantined`: a refused track is in
    `quarantined` in every run.

    Attributes
    ----------
    key : str
        `<data set>/<preset>-<digest>`.
    tracks, written, reused, quarantined : int
    quarantined_now : int
        Those of `quarantined` that were decoded in this run.
    unlabelled, derived : int
        Tracks left out since they have no genre, and those whose genre is derived.
    remarks : tuple[str, ...]
        What a reader of results must know about the tracks.
    windows, shards : int
        Whole windows of these tracks, and shards that hold them.
    reasons, statuses : Mapping[str, int]
        Status -> refused tracks, and -> all tracks.
    repaired : tuple[str, ...]
        A sentence for each thing that verification found damaged.
    left_out : LeftOut
        What lies in the data folder and became no track.
    drawn : Drawn, optional
        How the splits were drawn, where the data brings none; `groups` of the JSON.
    cleaned : tuple[CleanedGenre, ...]
        Genres that are called otherwise than the files have them.
    several_genres : int
        Tracks with several genres, of which one was taken.
    """

    key: str
    tracks: int
    written: int
    reused: int
    quarantined: int
    quarantined_now: int
    unlabelled: int
    derived: int
    remarks: tuple[str, ...]
    windows: int
    shards: int
    reasons: Mapping[str, int]
    statuses: Mapping[str, int]
    repaired: tuple[str, ...] = ()
    left_out: LeftOut = field(default_factory=LeftOut)
    drawn: Drawn | None = None
    cleaned: tuple[CleanedGenre, ...] = ()
    several_genres: int = 0

    def to_dict(self) -> dict[str, object]:
        """Return plain values, ready for JSON; names of files are in it as they lie there."""
        own = {name: value for name, value in vars(self).items() if name != "drawn"}
        return {
            **own,
            "cleaned": [asdict(each) for each in self.cleaned],
            "groups": self.drawn.to_dict() if self.drawn else None,
            "remarks": list(self.remarks),
            "repaired": list(self.repaired),
            **self.left_out.to_dict(),
            "no_genre": list(self.left_out.folders),
        }


def count_features(work: FeatureWork, found: FoundCatalogue, rows: pd.DataFrame) -> FeatureCounts:
    """Count what became of the catalogue's tracks.

    Parameters
    ----------
    work : FeatureWork
    found : FoundCatalogue
    rows : pd.DataFrame
        `rows.parquet`.
    """
    current = work.plan.current.merge(rows[["row", "status", "windows"]], on="row")
    refused = current["windows"] == 0
    reused = current["action"] == "reuse"
    return FeatureCounts(
        key=work.features.key,
        tracks=len(work.plan.current),
        written=int((~refused & ~reused).sum()),
        reused=int((~refused & reused).sum()),
        quarantined=int(refused.sum()),
        quarantined_now=int((refused & ~reused).sum()),
        unlabelled=found.catalogue.unlabelled,
        derived=found.catalogue.derived,
        remarks=found.catalogue.remarks,
        windows=int(current["windows"].sum()),
        shards=len(work.plan.required),
        reasons=_counts(current.loc[refused, "status"]),
        statuses=_counts(current["status"]),
        repaired=work.repaired,
        left_out=found.catalogue.left_out,
        drawn=found.catalogue.drawn,
        cleaned=found.catalogue.cleaned,
        several_genres=found.catalogue.several_genres,
    )


def _counts(statuses: pd.Series[str]) -> dict[str, int]:
    return {str(status): int(count) for status, count in statuses.value_counts().items()}


def _plan(
    features: FeatureArray, data: Location, wanted: list[AudioState], *, retry_quarantined: bool
) -> WorkPlan:
    known = features.inventory().known
    hashes = _hash_all(data, tracks_to_hash(known, wanted))
    return plan_work(known, wanted, hashes=hashes, retry_quarantined=retry_quarantined)


def _hash_all(data: Location, states: list[AudioState]) -> dict[int, str]:
    """Hash audio whose time changed but not its size, in threads: hashing frees the lock."""
    if not states:
        return {}
    one: Callable[[AudioState], str | None] = lambda state: hash_audio(  # noqa: E731
        data, state.path, size=state.size
    )
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        hashes = zip(states, pool.map(one, states), strict=True)
        return {state.track_id: sha256 for state, sha256 in hashes if sha256 is not None}
