"""Data folders as they come: FMA's layout, folders of genres, and neither."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from moto.server import ThreadedMotoServer

from genre_model.data.fma.tracks_csv import COLUMNS
from genre_model.data.folder import CatalogueOptions
from genre_model.errors import CatalogueError
from genre_model.frontends import preset
from storage.errors import Refused
from storage.places.address import parse_location
from storage.places.bucket import Bucket
from storage.places.location import Location
from storage.places.s3_requests import Requests
from storage.store import Store
from tasks.catalogue import FoundCatalogue, find_catalogue, store_catalogue
from tasks.features import prepare_features
from tasks.finding.data_folder import open_data_folder
from tasks.worker import shards
from tasks.worker.shards import ShardJob, write_shard

GENRES_CSV = "genre_id,#tracks,parent,title,top_level\n12,2,0,Rock,12\n25,1,12,Punk,12\n"
KINDS = {"wav": 22_050, "au": 22_050, "FLAC": 48_000, "ogg": 32_000, "mp3": 44_100, "aiff": 8_000}


def sound(kind: str, rate: int, *, seconds: float = 30.0) -> bytes:
    """Render a tone in noise, mono or (FLAC) stereo."""
    shape = (round(seconds * rate), 2) if kind == "FLAC" else round(seconds * rate)
    file = io.BytesIO()
    noise = np.random.default_rng(rate).normal(0, 0.1, shape)
    soundfile.write(file, noise.clip(-1, 1), rate, format=kind.upper())
    return file.getvalue()


def as_flac(wav: bytes) -> bytes:
    """Encode the same samples in another file."""
    samples, rate = soundfile.read(io.BytesIO(wav), dtype="int16")
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="FLAC")
    return file.getvalue()


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """Give two genres of every kind of audio, and what lies around in such folders."""
    found = {
        f"{genre}/{'live/' if kind == 'ogg' else ''}{number}.{kind}": sound(kind, rate)
        for genre in ("pop", "rock'n'roll")
        for number, (kind, rate) in enumerate(KINDS.items())
    }
    found["pop/same as 0.flac"] = as_flac(found["pop/0.wav"])
    clutter = ("README.md", "pop/cover.png", "pop/.hidden.wav", ".trash/old/a.wav", "rock.csv")
    return found | dict.fromkeys(clutter, b"x")


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    options = {"endpoint_url": f"http://{host}:{port}", "key": "key", "secret": "secret-value"}
    try:
        place = Bucket("music", "", options)
        Requests("music", options).send("CREATE", place.uri, "create_bucket")
        yield place
    finally:
        server.stop()


def write(place: Location, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (place / name).write_bytes(content)


def tracks_csv(artists: Mapping[int, str] = MappingProxyType({})) -> str:
    """Write four tracks: one of Rock, one of Punk (which is Rock), one of two roots, one of Pop.

    The last one is of the test split; tracks have the artists that are given.
    """
    cells = {2: ("Rock", "[12]"), 3: ("", "[25]"), 5: ("", "[12, 10]"), 7: ("Pop", "[10]")}
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["", *(level for level, _ in COLUMNS)])
    table.writerow(["", *(name for _, name in COLUMNS)])
    table.writerow(["track_id"] + [""] * len(COLUMNS))
    for track_id, (genre, genres) in cells.items():
        known = {
            ("set", "split"): "test" if track_id == 7 else "training",
            ("set", "subset"): "small",
            ("track", "genre_top"): genre,
            ("track", "genres"): genres,
            ("artist", "id"): artists.get(track_id, ""),
            ("artist", "name"): f"Artist {artists.get(track_id, '')}",
        }
        table.writerow([track_id, *(known.get(column, "") for column in COLUMNS)])
    return text.getvalue()


def find(place: Location, subset: str | None = None) -> FoundCatalogue:
    return find_catalogue.fn(place, options=CatalogueOptions(subset=subset))


def test_folders_of_genres_from_files_to_windows(tmp_path: Path, files: dict[str, bytes]) -> None:
    data = parse_location(tmp_path / "My Music")
    write(data, files)
    (tmp_path / "My Music" / "empty").mkdir()
    found = find(data)
    assert found.catalogue.genres == ["pop", "rock'n'roll"]
    assert found.catalogue.id.startswith("my-music-")
    assert set(found.catalogue.tracks["path"]) == set(found.audio)
    assert len(found.audio) == 2 * len(KINDS) + 1
    summary = found.summary()
    assert summary.licences == {"not stated": 13}
    assert sum(sum(counts.values()) for counts in summary.genres.values()) == 13
    assert any("No artists are known" in remark for remark in summary.remarks)
    store = Store.create(tmp_path / "store")
    stored = store.catalogues.read(store_catalogue.fn(store, found))
    assert stored.attrs["remarks"] == list(summary.remarks)
    spec = preset("notebook")
    work = prepare_features.fn(store, found, spec)
    assert work.features.key.startswith("my-music/notebook-")
    (shard,) = work.plan.shards
    job = ShardJob(features=work.features, data=data, work=shard, extractor=spec.build())
    try:
        outcome = write_shard(job)
    finally:
        if shards._kept.decoder is not None:
            shards._kept.decoder.close()
            shards._kept.decoder = None
    assert (outcome.statuses, outcome.windows) == ({"ok": 13}, 130)
    rows = work.features.rows()
    assert set(rows["track_id"]) == set(found.catalogue.tracks["track_id"])
    _equal_samples_are_equal_chunks(rows.set_index("path"))


def _equal_samples_are_equal_chunks(rows: pd.DataFrame) -> None:
    """Check what `genre_model.data.known_defects` takes identical PCM by."""
    one, other = rows.loc["pop/0.wav"], rows.loc["pop/same as 0.flac"]
    assert one["sha256"] != other["sha256"]
    assert tuple(one[["stored", "checksum"]]) == tuple(other[["stored", "checksum"]])
    assert rows.drop_duplicates(["stored", "checksum"])["sha256"].nunique() == len(
        set(KINDS.values())
    )


def test_a_bucket_gives_the_same_catalogue_as_a_folder(
    tmp_path: Path, bucket: Bucket, files: dict[str, bytes]
) -> None:
    small = {name: content[:10] for name, content in files.items()}
    write(bucket / "sets/My Music", small)
    write(parse_location(tmp_path / "My Music"), small)
    found = find(bucket / "sets/My Music")
    assert found.catalogue.id == find(parse_location(tmp_path / "My Music")).catalogue.id
    assert all(found.audio[path].etag for path in found.catalogue.tracks["path"])


def test_top_genres_are_derived_where_genres_csv_is_there(tmp_path: Path) -> None:
    data = parse_location(tmp_path)
    write(
        data, {"fma_metadata/tracks.csv": tracks_csv().encode(), "fma_small/000/000002.mp3": b"x"}
    )
    assert (find(data).catalogue.unlabelled, find(data).catalogue.derived) == (2, 0)
    write(data, {"fma_metadata/genres.csv": GENRES_CSV.encode()})
    found = find(data).catalogue
    assert (found.unlabelled, found.derived) == (1, 1)
    write(data, {"fma_metadata/genres.csv": b"<html>"})
    with pytest.raises(CatalogueError, match=r"genres\.csv is not FMA's genres\.csv"):
        find(data)


@pytest.mark.parametrize(
    ("artists", "shared", "said"),
    [
        (
            {2: "1", 3: "5", 7: "1"},
            1,
            "1 artist has tracks in several splits (as Artist 1: training, test), which flatters "
            "the accuracy: 1 of the 1 test tracks is by an artist of the training split.",
        ),
        ({2: "1", 3: "1", 7: "2"}, 0, None),
        ({2: "1"}, 0, None),
        (
            {},
            0,
            "No artists are known: tracks of one artist may be in several splits, which flatters "
            "the accuracy.",
        ),
    ],
)
def test_every_catalogue_says_whether_its_splits_share_artists(
    tmp_path: Path, artists: dict[int, str], shared: int, said: str | None
) -> None:
    data = parse_location(tmp_path / "data")
    table = tracks_csv(artists).encode()
    write(data, {"fma_metadata/tracks.csv": table, "fma_small/000/000002.mp3": b"x"})
    found = find(data)
    summary = found.summary()
    assert summary.shared_artists == shared
    assert summary.remarks == (said,) * (said is not None)
    store = Store.create(tmp_path / "store")
    attributes = store.catalogues.read(store_catalogue.fn(store, found)).attrs
    assert attributes["shared_artists"] == shared
    assert attributes["remarks"] == list(summary.remarks)


def test_a_bucket_is_asked_nothing_twice(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    music = {"fma_metadata/tracks.csv": tracks_csv().encode(), "fma_small/000/000002.mp3": b"x"}
    write(bucket / "fma", music)
    write(bucket / "folders", {"rock/a.mp3": b"x", "pop/a.mp3": b"x"})
    asked: list[str] = []
    send = Requests.send

    def count(self: Requests, operation: str, uri: str, method: str, **more: Any) -> Any:
        asked.append(f"{operation} {uri.removeprefix('s3://music/')}")
        return send(self, operation, uri, method, **more)

    monkeypatch.setattr(Requests, "send", count)
    open_data_folder(bucket / "fma")
    assert asked == ["HEAD fma/fma_metadata/tracks.csv", "LIST fma"]
    asked.clear()
    assert set(find(bucket / "fma").audio) == {"fma_small/000/000002.mp3"}
    assert sorted(asked) == [
        "GET fma/fma_metadata/genres.csv",
        "GET fma/fma_metadata/tracks.csv",
        "HEAD fma/demo.json",
        "HEAD fma/fma_metadata/tracks.csv",
        "LIST fma",
        "LIST fma/fma_small",
    ]
    asked.clear()
    find(bucket / "folders")
    # the names of the folders, then all files
    assert asked == ["HEAD folders/fma_metadata/tracks.csv", "LIST folders", "LIST folders"]


def test_what_people_have_in_their_folders_is_accounted_for(tmp_path: Path) -> None:
    data = tmp_path / "music"
    names = ("rock/a.wav", "rock/new\nline.wav", "ska/a.wav", "pop/b.m4a", "folk/c.wma", "d.txt")
    write(parse_location(data), dict.fromkeys(names, b"x"))
    os.mkfifo(data / "rock" / "pipe.wav")
    (data / "rock" / "loop").symlink_to("..")
    (data / "rock" / os.fsdecode(b"caf\xe9.wav")).write_bytes(b"x")
    (data / "ska" / os.fsdecode(b"ni\xf1o.wav")).write_bytes(b"x")
    found = find(parse_location(data))
    assert sorted(found.catalogue.tracks["path"]) == sorted(names[:3])
    left_out = found.summary().left_out
    assert left_out.counts == {
        **{".m4a": 1, ".txt": 1, ".wma": 1},
        **{"name": 2, "link_loop": 1, "no_regular_file": 1},
    }
    assert list(left_out.folders) == ["folk", "pop"]
    said = "\n".join(left_out.sentences)
    assert r"rename it): rock/caf\xe9.wav, ska/ni\xf1o.wav" in said
    assert (
        "2 folders become no genre, as nothing there is taken: folk (1 .wma), pop (1 .m4a)" in said
    )
    store = Store.create(tmp_path / "store")
    assert store.catalogues.read(store_catalogue.fn(store, found))["path"].tolist()


def test_a_key_with_an_empty_part_makes_no_genre_without_a_name(bucket: Bucket) -> None:
    write(
        bucket / "odd keys",
        dict.fromkeys(("rock/a.wav", "pop/a.wav", "/b.wav", "jazz//c.wav"), b"x"),
    )
    found = find(bucket / "odd keys").catalogue
    assert found.genres == ["pop", "rock"]
    assert found.left_out.counts == {"name": 2}
    assert found.left_out.paths == {"name": ["/b.wav", "jazz//c.wav"]}
    assert list(found.left_out.folders) == ["jazz"]


def test_a_pipe_in_fmas_layout_is_left_out_and_its_track_missing(tmp_path: Path) -> None:
    data = parse_location(tmp_path)
    names = ("fma_small/000/000002.mp3", "fma_small/checksums", "fma_small/000/000007.mp3.part")
    write(data, {"fma_metadata/tracks.csv": tracks_csv().encode(), **dict.fromkeys(names, b"x")})
    os.mkfifo(tmp_path / "fma_small" / "000" / "000007.mp3")
    os.mkfifo(tmp_path / "fma_metadata" / "genres.csv")
    with pytest.raises(Refused, match=r"genres\.csv is no regular file; put a file in its place"):
        find(data)
    (tmp_path / "fma_metadata" / "genres.csv").unlink()
    found = find(data)
    assert found.catalogue.left_out.counts == {".part": 1, "no_suffix": 1, "no_regular_file": 1}
    assert set(found.audio) == {"fma_small/000/000002.mp3"}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "is empty or not there; name a folder of FMA's layout or with a table of paths and"),
        (["README"], "has neither fma_metadata/tracks.csv (FMA's layout) nor a table tracks.csv"),
        (["README"], "nor one folder a genre with audio in it (rock/song.mp3; WAV,"),
        (["a.mp3", "b.mp3"], "none of the 2 audio files of"),
        (["rock/a.m4a", "pop/b.txt"], "nor one folder a genre"),
        (["fma_small/000/000002.mp3"], "has fma_small but no fma_metadata/tracks.csv"),
        (["fma_metadata/genres.csv"], "has fma_metadata but no fma_metadata/tracks.csv"),
        (["000/000002.mp3", "001/001000.mp3"], "beside fma_metadata"),
        (["genres/rock/a.au", "genres/pop/a.au"], "/genres)"),
    ],
)
def test_another_layout_is_one_sentence_of_what_was_looked_for(
    tmp_path: Path, names: list[str], said: str
) -> None:
    data = parse_location(tmp_path / "data")
    write(data, dict.fromkeys(names, b"x"))
    with pytest.raises(CatalogueError) as refusal:
        find(data)
    assert said in str(refusal.value)
    assert str(tmp_path / "data") in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_folders_of_genres_have_no_subsets(tmp_path: Path) -> None:
    data = parse_location(tmp_path)
    write(data, {"rock/a.mp3": b"x", "pop/a.mp3": b"x"})
    with pytest.raises(CatalogueError, match="--subset small is for FMA's layout"):
        find(data, "small")


def test_the_data_set_has_the_name_of_the_folder_however_it_is_written(tmp_path: Path) -> None:
    write(parse_location(tmp_path / "My Set"), {"rock/a.mp3": b"x", "pop/a.mp3": b"x"})
    for written in ("My Set", "My Set/", "My Set/rock/..", "./My Set/."):
        place = parse_location(f"{tmp_path}/{written}")
        assert find(place).catalogue.data_set == "my-set", written
