"""The shards of a data folder, planned as the flow plans them, without the flow."""

from __future__ import annotations

from pathlib import Path

from flows.command import environment
from tasks.worker.shards import ShardJob


def plan_jobs(data: Path, store: Path, *, preset: str = "default") -> list[ShardJob]:
    """Store the plan of a data folder of FMA's layout, and return each shard's job.

    Parameters
    ----------
    data : Path
    store : Path
        Where there is no store yet, or one that has the backbone which `preset` names.
    preset : str
    """
    environment.prepare()
    from storage.places.address import parse_location
    from storage.store import Store
    from tasks.backbones.presets import find_preset, weights_of
    from tasks.catalogue import find_catalogue
    from tasks.features import feature_extractor, prepare_features

    kept = Store.create(store)
    spec = find_preset(kept, preset)
    found = find_catalogue.fn(parse_location(data))
    work = prepare_features.fn(kept, found, spec)
    extractor = feature_extractor(spec)
    return [
        ShardJob(
            features=work.features,
            data=work.data,
            work=shard,
            extractor=extractor,
            weights=weights_of(kept, spec),
        )
        for shard in work.plan.shards
    ]
