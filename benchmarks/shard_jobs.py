"""The shards of a data folder, planned as the flow plans them, without the flow."""

from __future__ import annotations

from pathlib import Path

from flows.command import environment
from tasks.worker.shards import ShardJob


def plan_jobs(data: Path, store: Path) -> list[ShardJob]:
    """Store the plan of a data folder of FMA's layout, and return each shard's job.

    Parameters
    ----------
    data : Path
    store : Path
        Where there is no store yet.
    """
    environment.prepare()
    from genre_model.specs import FeatureSpec
    from storage.places.address import parse_location
    from storage.store import Store
    from tasks.catalogue import find_catalogue
    from tasks.features import feature_extractor, prepare_features

    spec = FeatureSpec.preset("default")
    found = find_catalogue.fn(parse_location(data))
    work = prepare_features.fn(Store.create(store), found, spec)
    extractor = feature_extractor(spec)
    return [
        ShardJob(features=work.features, data=work.data, work=shard, extractor=extractor)
        for shard in work.plan.shards
    ]
