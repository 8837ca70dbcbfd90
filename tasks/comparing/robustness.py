"""Which clips of a split are disturbed, and what a model's hearing of them comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from genre_model.disturbing.disturbances import DISTURBANCES, PLAIN
from genre_model.errors import CatalogueError
from genre_model.judging.evaluation import WindowPredictions
from genre_model.judging.failing.robustness import DisturbedAccuracy, measure_robustness
from storage.places.address import parse_location
from storage.places.location import Location
from storage.places.options import StorageOptions
from tasks.labelled import LabelledFeatures
from tasks.worker.disturbed import DisturbedClip

Heard = Mapping[str, WindowPredictions]
"""Name of a disturbance -> what was predicted of a split's tracks."""


@dataclass(frozen=True, kw_only=True)
class Clips:
    """The audio of a split.

    Attributes
    ----------
    data : Location
        Its folder.
    tracks : tuple[tuple[int, str], ...]
        Each track's number, and its path below the folder, or an address.
    """

    data: Location
    tracks: tuple[tuple[int, str], ...]


def clips_of(data: LabelledFeatures, *, split: str, options: StorageOptions | None = None) -> Clips:
    """List the clips of a split's tracks, where their catalogue says that they lie."""
    index = data.split(split)
    paths = data.tracks.set_index("track_id")["path"]
    tracks = tuple((int(each), str(paths[each])) for each in sorted(index.track_ids.tolist()))
    return Clips(data=_folder(str(data.tracks.attrs["data"]), options), tracks=tracks)


def _folder(address: str, options: StorageOptions | None) -> Location:
    """Return what paths are relative to: of a table the folder that it lies in."""
    place = parse_location(address, options)
    is_table = place.exists()
    return parse_location(address.rpartition("/")[0] or "/", options) if is_table else place


def join_heard(
    heard: Iterable[DisturbedClip], data: LabelledFeatures, *, split: str
) -> tuple[Heard, list[str]]:
    """Put what was heard of single clips together.

    Returns
    -------
    Heard
    list[str]
        A sentence for each clip that could not be heard.

    Raises
    ------
    CatalogueError
        If none could.
    """
    index = data.split(split)
    labels = dict(zip(index.track_ids.tolist(), index.labels.tolist(), strict=True))
    clips = sorted(heard, key=lambda each: each.track_id)
    parts: dict[str, list[WindowPredictions]] = {}
    for clip in clips:
        for name, probabilities in clip.probabilities.items():
            ids = np.full(len(probabilities), clip.track_id, np.int64)
            of_label = np.full(len(probabilities), labels[clip.track_id], np.int64)
            parts.setdefault(name, []).append(WindowPredictions(probabilities, of_label, ids))
    unheard = [clip.detail for clip in clips if not clip.probabilities]
    if PLAIN not in parts:
        raise CatalogueError(
            f"none of the {len(clips):,} clips of the {split} split can be heard, the first not "
            f"for this: {unheard[0] if unheard else 'no whole window'}; have the data where the "
            f"catalogue {data.catalogue_id} names it, {data.tracks.attrs.get('data')}"
        )
    joined = {name: WindowPredictions.join(parts[name]) for name in DISTURBANCES if name in parts}
    return joined, unheard


def robustness_of(
    heard: Heard | None, data: LabelledFeatures, *, rule: str
) -> tuple[DisturbedAccuracy, ...]:
    """Measure what was heard, with intervals over the data's artists; nothing of nothing."""
    if heard is None:
        return ()
    titles = {name: each.title for name, each in DISTURBANCES.items()}
    return measure_robustness(heard, titles, plain=PLAIN, rule=rule, artists=data.artists_of)
