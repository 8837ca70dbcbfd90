"""`genre predict` of files wherever they lie: one that cannot be had is a line, not the end."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from genre_model.predict import Prediction, Predictor
from genre_model.signal.status import Status
from storage.errors import CredentialsRefused
from storage.places.folder import Folder
from tasks.prediction import predict_files


def _predictor() -> Predictor:
    def predict(path: str) -> Prediction:
        Path(path).read_bytes()
        return Prediction(path, Status.OK, "")

    return cast(Predictor, SimpleNamespace(predict=predict))


def _lines(*files: str) -> list[Prediction]:
    return predict_files(_predictor(), files)


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


def test_what_the_decoder_says_is_told_with_its_file_only(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Mpg123 writes to stderr below Python, and names no file."""

    def predict(path: str) -> Prediction:
        for _ in range(3):
            os.write(2, b"Warning: Xing stream size off by more than 1%\n")
        return Prediction(path, Status.OK, "")

    predictor = cast(Predictor, SimpleNamespace(predict=predict))
    caplog.set_level("INFO")
    predict_files(predictor, [str(tmp_path / "song.mp3")])
    os.write(2, b"ours\n")
    assert capfd.readouterr().err == "ours\n"
    assert caplog.messages == [
        f"{tmp_path}/song.mp3: Warning: Xing stream size off by more than 1%"
    ]
