"""`genre predict` of files wherever they lie: one that cannot be had is a line, not the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from genre_model.hearing.prediction import Prediction
from genre_model.signal.status import Status
from storage.errors import CredentialsRefused
from storage.places.bucket import Bucket
from storage.places.folder import Folder
from tasks.predicting.given import given_files
from tasks.worker.songs import Hears, Song, heard


def _model() -> Hears:
    def predict(path: str) -> Prediction:
        Path(path).read_bytes()
        return Prediction(path, Status.OK, "")

    return cast(Hears, SimpleNamespace(predict=predict))


def _lines(*files: str) -> list[Prediction]:
    return list(heard(_model(), [Song.of(file) for file in files]))


def test_a_file_that_cannot_be_had_is_a_line(tmp_path: Path) -> None:
    (tmp_path / "song.mp3").write_bytes(b"audio")
    good = (tmp_path / "song.mp3").as_uri()
    gone = (tmp_path / "gone.mp3").as_uri()
    found = _lines(good, gone, "ftp://host/song.mp3", good)
    assert [line.path for line in found] == [good, gone, "ftp://host/song.mp3", good]
    assert [str(line.status) for line in found] == ["ok", "missing", "unreadable", "ok"]
    assert "'ftp'" in found[2].detail


def test_so_is_one_that_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: Folder) -> None:
        raise CredentialsRefused("reading (AccessDenied) for bucket 'b': check the credentials.")

    monkeypatch.setattr(Folder, "local_copy", refuse)
    (line,) = _lines((tmp_path / "song.mp3").as_uri())
    assert (str(line.status), "bucket 'b'" in line.detail) == ("unreadable", True)


def test_a_folder_stands_for_its_audio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "new" / "deep").mkdir(parents=True)
    for name in ("new/b.wav", "new/deep/a\n.mp3", "new/c.m4a", "new/cover.jpg", "song.mp3"):
        (tmp_path / name).write_bytes(b"audio")
    (tmp_path / "new" / os.fsdecode(b"caf\xe9.wav")).write_bytes(b"audio")
    os.mkfifo(tmp_path / "new" / "pipe.wav")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    given = given_files(["song.mp3", "new", "gone.mp3", "new/", "empty", ""])
    files, left_out = list(given.files), given.left_out
    below = ["new/b.wav", "new/deep/a\n.mp3"]
    assert files == ["song.mp3", *below, "gone.mp3", *below, "empty", ""]
    assert left_out.counts == {".jpg": 2, ".m4a": 2, "name": 2, "no_regular_file": 2}
    assert set(left_out.paths["name"]) == {"new/caf\udce9.wav"}
    (line,) = _lines("empty")
    assert (str(line.status), line.detail[:30]) == ("missing", "there is no audio file in it; ")


def test_so_does_a_prefix_of_a_bucket(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.places.bucket.given_options", lambda: bucket.options)
    for name in ("new/b.wav", "new/deep/a.mp3", "new/c.m4a", "song.mp3"):
        (bucket / name).write_bytes(b"audio")
    given = given_files([f"{bucket.uri}/{name}" for name in ("song.mp3", "new", "gone")])
    names = ("song.mp3", "new/b.wav", "new/deep/a.mp3", "gone")
    assert list(given.files) == [f"{bucket.uri}/{name}" for name in names]
    assert given.left_out.counts == {".m4a": 1}


def test_a_dash_stands_for_the_lines_of_stdin(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "a.mp3").write_bytes(b"audio")
    lines = ["b c.mp3\r\n", "\n", f"{tmp_path}/new\n", os.fsdecode(b"caf\xe9.mp3")]
    found = given_files(["first.mp3", "-", "last.mp3"], stdin=iter(lines))
    assert found.files == (
        *("first.mp3", "b c.mp3", f"{tmp_path}/new/a.mp3"),
        *("caf\udce9.mp3", "last.mp3"),
    )
    assert set(found.entries) == {f"{tmp_path}/new/a.mp3"}
    assert found.entries[f"{tmp_path}/new/a.mp3"].size == 5


def test_stdin_is_left_alone_where_it_is_not_asked_for() -> None:
    def read() -> Iterator[str]:
        pytest.fail("stdin was read")
        yield ""

    assert given_files(["song.mp3"], stdin=read()).files == ("song.mp3",)
