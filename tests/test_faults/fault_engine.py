"""The feature stage on the engine below Prefect: plan, one Dask call a shard, finalise.

As a program (``python fault_engine.py ORDER``) it is the driver that the tests kill.
"""

from __future__ import annotations

import importlib
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path

from distributed import Client

from flows.engine.cluster import dask_client
from genre_model.frontends.frontend import Extractor
from storage.array.feature_array import FeatureArray
from storage.array.plans import AudioState, WorkPlan, plan_work, tracks_to_hash
from storage.claims import Claim
from storage.places.address import parse_location
from storage.store import Store
from tasks.features import array_layout
from tasks.worker.audio_files import hash_audio
from tasks.worker.shards import ShardJob, write_shard
from tests.limits import STEP_S

WORKERS = 2


@dataclass(frozen=True, kw_only=True)
class Order:
    """What one run is to do.

    Attributes
    ----------
    store, data : Path
    wanted : tuple[AudioState, ...]
        The catalogue's tracks.
    extractor : Extractor
    """

    store: Path
    data: Path
    wanted: tuple[AudioState, ...]
    extractor: Extractor

    @property
    def what(self) -> str:
        """The claim's name."""
        return f"features/fma/{self.extractor.spec.key}"

    @property
    def features(self) -> Path:
        """The folder of the features in the store."""
        return self.store / self.what


def build(order: Order, client: Client) -> WorkPlan:
    """Do what the flow `build-features` does, without Prefect.

    Parameters
    ----------
    order : Order
    client : Client
        Of a cluster with workers.

    Returns
    -------
    WorkPlan
        What there was to do.
    """
    store, data = Store.create(order.store), parse_location(order.data)
    with Claim(store.location, order.what) as claim:
        features = _open(store, order.extractor)
        store.sweep()
        known = features.inventory().known
        doubtful = tracks_to_hash(known, order.wanted)
        found = {s.track_id: hash_audio(data, s.path, size=s.size) for s in doubtful}
        hashes = {track_id: sha256 for track_id, sha256 in found.items() if sha256}
        plan = plan_work(known, order.wanted, hashes=hashes)
        features.prepare(plan)
        jobs = [
            ShardJob(features=features, data=data, work=work, extractor=order.extractor)
            for work in plan.shards
        ]
        futures = [client.submit(write_shard, job, pure=False) for job in jobs]
        client.gather(futures)
        claim.check()
        features.finalise(plan.required, refresh=plan.refresh)
    return plan


def warm(client: Client) -> None:
    """Have the workers import what they need, so that a moment of a run is one of its work."""
    client.wait_for_workers(WORKERS, timeout=STEP_S)
    client.run(importlib.import_module, "tasks.worker.shards")


def _open(store: Store, extractor: Extractor) -> FeatureArray:
    spec = extractor.spec
    return store.features.create(
        data_set="fma",
        name=spec.key,
        layout=array_layout(spec),
        attributes={"preset": spec.name, "spec": spec.to_dict()},
    )


if __name__ == "__main__":
    wanted_order = pickle.loads(Path(sys.argv[1]).read_bytes())
    with dask_client(workers=WORKERS) as of_this_run:
        warm(of_this_run)
        build(wanted_order, of_this_run)
