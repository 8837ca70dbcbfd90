"""`genre predict` of many songs: what a person sees, tables, lists, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import matplotlib.image as plt
import pytest
from command import Ended
from made_model import HIGH_HZ, LOW_HZ, made_model, tones

from flows.command import song_lines
from genre_model.hearing.prediction import Prediction
from genre_model.signal.status import Status
from storage.places.folder import Folder
from tasks.predicting.table import COLUMNS, SongTable
from tasks.worker import songs as songs_of_worker

Called = Callable[..., Ended]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_model(tmp_path_factory.mktemp("models") / "made", threshold=0.999_9)


@pytest.fixture(autouse=True)
def songs(tmp_path: Path) -> Path:
    """Give a folder with two songs, a broken one and a picture."""
    tones(tmp_path / "songs" / "high.wav", (HIGH_HZ, 5))
    tones(tmp_path / "songs" / "deep" / "mix.flac", (LOW_HZ, 40), (HIGH_HZ, 30))
    (tmp_path / "songs" / "broken.mp3").write_bytes(b"no audio")
    (tmp_path / "songs" / "cover.jpg").write_bytes(b"jpg")
    return tmp_path / "songs"


def table_of(model: str) -> SongTable:
    return SongTable(Folder(Path("kept.parquet").absolute()), model)


def test_a_person_sees_a_table_and_why_files_were_not_read(called: Called, model: Path) -> None:
    ended = called("predict", "songs", "gone.mp3", "--model", str(model))
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0].split() == ["file", "genre", "runner-up"]
    assert lines[1].startswith("songs/broken.mp3     not read, undecodable: ")
    assert lines[2].startswith("songs/deep/mix.flac  not sure (Low?)")
    assert lines[2].endswith("%")
    assert lines[3].split() == ["0:00–0:39", "Low,", "0:39–1:08", "High"]
    assert lines[4].startswith("songs/high.wav       High ")
    assert lines[5:] == [
        "gone.mp3             not read, missing: there is no file gone.mp3",
        "4 files, 2 named, of them 1 not sure, 2 not read (1 undecodable, 1 missing)",
        "left out: 1 .jpg",
        f"model: {model}",
    ]
    assert "predict: 4 of 4 files" in ended.err


def test_json_holds_timeline_and_passages(called: Called, model: Path) -> None:
    found = called("predict", "songs", "--model", str(model), "--json").json
    by_path = {each["path"]: each for each in found["predictions"]}
    mix = by_path["songs/deep/mix.flac"]
    assert [each["genre"] for each in mix["passages"]] == ["Low", "High"]
    assert mix["passages"][0]["end"] == mix["passages"][1]["start"] == pytest.approx(40, abs=3)
    assert (mix["sure"], by_path["songs/high.wav"]["sure"]) == (False, True)
    assert len(mix["timeline"]) == mix["windows"] == 23
    assert (found["reused"], found["left_out"]) == (0, {".jpg": 1})


def test_a_list_on_stdin_and_a_line_each_as_it_comes(
    called: Called, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "songs/high.wav\nsongs/broken.mp3\n"
    stdin = io.TextIOWrapper(io.BytesIO(lines.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    ended = called("predict", "-", "--model", str(model), "--jsonl", "--csv", "all.csv")
    assert ended.code == 0
    found = [json.loads(line) for line in ended.out.splitlines()]
    assert [(each["path"], each["genre"]) for each in found] == [
        ("songs/high.wav", "High"),
        ("songs/broken.mp3", None),
    ]
    rows = list(csv.DictReader(io.StringIO(Path("all.csv").read_text())))
    assert [row["status"] for row in rows] == ["partial", "undecodable"]
    assert float(rows[0]["High"]) == pytest.approx(found[0]["probabilities"]["High"])
    assert (rows[0]["runner_up"], rows[0]["sure"], rows[1]["genre"]) == ("Low", "true", "")


def test_an_empty_list_is_refused(
    called: Called, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n")))
    ended = called("predict", "-", "--model", str(model))
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.endswith("the list on stdin is empty; write a name a line\n")


def test_a_table_is_taken_up_by_the_next_run(
    called: Called, model: Path, songs: Path, tmp_path: Path
) -> None:
    arguments = ("predict", "songs", "--model", str(model), "--parquet", "kept.parquet", "--json")
    first = called(*arguments).json
    (songs / "broken.mp3").unlink()
    tones(songs / "high.wav", (LOW_HZ, 7))
    second = called(*arguments).json
    assert (first["reused"], second["reused"]) == (0, 1)
    genres = {each["path"]: each["genre"] for each in second["predictions"]}
    assert genres == {"songs/deep/mix.flac": "Low", "songs/high.wav": "Low"}
    assert second["predictions"][0]["passages"] == first["predictions"][1]["passages"]
    other = made_model(tmp_path / "other", model="made-2")
    third = called("predict", "songs", "--model", str(other), *arguments[4:]).json
    assert (third["reused"], third["predictions"][0]["sure"]) == (0, None)


@pytest.mark.parametrize("more", [(), ("--parquet", "kept.parquet")])
def test_a_name_that_is_none_is_a_line_too(
    called: Called, model: Path, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    names = ("songs/high.wav", "a\0b.mp3", "x" * 300 + ".mp3", "s3:///nobucket.mp3", "songs/deep")
    stdin = io.TextIOWrapper(io.BytesIO("\n".join(names).encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    ended = called("predict", "-", "--model", str(model), "--json", *more)
    assert ended.code == 0, ended.err
    found = {each["path"]: each for each in ended.json["predictions"]}
    assert list(found) == [*names[:4], "songs/deep/mix.flac"]
    assert [each["genre"] for each in found.values()] == ["High", None, None, None, "Low"]
    assert all(found[name]["detail"] for name in names[1:4])
    if more:
        assert set(table_of("made-1").lines()) == set(found)


def test_a_table_keeps_what_was_not_named_this_time(
    called: Called, model: Path, tmp_path: Path
) -> None:
    options = ("--model", str(model), "--parquet", "kept.parquet", "--json")
    called("predict", "songs", *options)
    other = called("predict", "songs/high.wav", *options).json
    assert (other["reused"], len(other["predictions"])) == (1, 1)
    assert called("predict", "songs", *options).json["reused"] == 3
    made_2 = made_model(tmp_path / "other", model="made-2")
    called("predict", "songs/high.wav", "--model", str(made_2), *options[2:])
    assert list(table_of("made-2").lines()) == ["songs/high.wav"]
    assert table_of("made-1").lines() == {}


def test_refresh_hears_again_what_was_named(called: Called, model: Path) -> None:
    arguments = ("--model", str(model), "--parquet", "kept.parquet", "--json")
    called("predict", "songs", *arguments)
    assert called("predict", "songs/high.wav", *arguments, "--refresh").json["reused"] == 0
    assert called("predict", "songs", *arguments).json["reused"] == 3


@pytest.mark.whole
@pytest.mark.parametrize("status", ["unreadable", "timeout", "crashed"])
def test_what_may_have_been_the_machines_fault_is_heard_again(
    called: Called, model: Path, status: str
) -> None:
    table = table_of("made-1")
    arguments = ("predict", "songs", "--model", str(model), "--parquet", "kept.parquet", "--json")
    called(*arguments)
    lines = table.lines()
    high = replace(lines["songs/high.wav"], status=status, genre=None, probability=None)
    table.write({**lines, high.path: high})
    found = called(*arguments).json
    assert found["reused"] == 2
    assert [each["genre"] for each in found["predictions"]] == [None, "Low", "High"]


def test_an_interrupted_run_keeps_what_it_has(
    called: Called, model: Path, songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = songs_of_worker._heard

    def stopped(*arguments: object) -> Prediction:
        found = real(*arguments)  # type: ignore[arg-type]
        if found.path.endswith("high.wav"):
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(songs_of_worker, "_heard", stopped)
    arguments = ("predict", "songs", "--model", str(model), "--parquet", "kept.parquet")
    assert called(*arguments).code == 130
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    table = table_of("made-1")
    found = table.lines()["songs/deep/mix.flac"]
    assert found.holds(Folder(songs / "deep" / "mix.flac").entry())
    assert "songs/high.wav" not in table.lines()


def test_songs_are_drawn(called: Called, model: Path, tmp_path: Path) -> None:
    ended = called("predict", "songs", "--model", str(model), "--plots", "drawn", "--strict")
    assert ended.code == 2  # one is broken
    names = sorted(each.name for each in (tmp_path / "drawn").iterdir())
    assert [name.rpartition("-")[0] for name in names] == ["high.wav", "mix.flac"]
    for each in (tmp_path / "drawn").iterdir():
        height, width, _ = plt.imread(each).shape
        assert (width, height) == (1200, 624)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["songs/broken.mp3", "gone.mp3"], "songs/broken.mp3 is undecodable: "),
        (["songs", "--strict"], "1 of 3 files give no genre (1 undecodable): songs/broken.mp3 is"),
        (["songs/high.wav", "--csv", "nowhere/all.csv"], "nowhere, which is not there; name a"),
        (["songs/high.wav", "--parquet", "songs"], "songs is a folder; name a file in"),
        (["songs/high.wav", "--parquet", "songs/cover.jpg"], "cover.jpg is not a readable parquet"),
        (["songs/high.wav", "--json", "--jsonl"], "leave --json or --jsonl out"),
    ],
)
def test_what_ends_with_2_says_why(
    called: Called, model: Path, arguments: list[str], says: str
) -> None:
    ended = called("predict", *arguments, "--model", str(model))
    assert ended.code == 2
    assert says in ended.err.splitlines()[-1]
    assert (ended.out == "") == ("--strict" not in arguments)


def test_a_program_has_its_object_of_files_that_are_all_bad(called: Called, model: Path) -> None:
    ended = called("predict", "songs/broken.mp3", "gone.mp3", "--model", str(model), "--json")
    assert ended.code == 2
    assert [each["status"] for each in ended.json["predictions"]] == ["undecodable", "missing"]
    assert len(ended.err.splitlines()[-1].split("gone.mp3 is missing")) == 2


def test_many_bad_files_are_counted_and_some_are_named() -> None:
    bad = [Prediction(f"{n}.mp3", Status.EMPTY, "it has 0 bytes") for n in range(9)]
    bad.append(Prediction("x.mp3", Status.MISSING, "there is no file x.mp3."))
    said = song_lines.refusal(bad, of=10)
    assert said.startswith("10 of 10 files give no genre (9 empty, 1 missing): 0.mp3 is empty: it ")
    assert said.endswith("2.mp3 is empty: it has 0 bytes; and 7 more")


def test_names_of_any_bytes_are_written() -> None:
    written = song_lines.as_csv([Prediction("caf\udce9\n.mp3", Status.EMPTY, "no byte")], ["Rock"])
    rows = list(csv.reader(io.StringIO(written.decode(), newline="")))
    assert rows[1][0] == "caf\\udce9\n.mp3"


def test_columns_are_what_the_docs_say() -> None:
    docs = (Path(__file__).parents[3] / "docs" / "predicting.md").read_text()
    assert all(f"`{column}`" in docs for column in COLUMNS)


def test_many_are_heard_at_once(called: Called, model: Path, songs: Path) -> None:
    for number in range(9):
        tones(songs / f"{number}.wav", (LOW_HZ if number % 2 else HIGH_HZ, 4))
    alone = called("predict", "songs", "--model", str(model), "--json").json
    many = called("predict", "songs", "--model", str(model), "--json", "--workers", "2").json
    assert many["predictions"] == alone["predictions"]
    assert len(many["predictions"]) == 12


def test_a_model_that_does_not_open_is_refused_by_several_as_by_one(
    called: Called, model: Path, tmp_path: Path
) -> None:
    spoilt = shutil.copytree(model, tmp_path / "spoilt")
    (spoilt / "model.onnx").write_bytes(b"no model")
    ended = [
        called("predict", "songs", "--model", str(spoilt), *more)
        for more in ((), ("--workers", "2"))
    ]
    assert [each.code for each in ended] == [2, 2]
    assert ended[0].err.splitlines()[-1] == ended[1].err.splitlines()[-1]


@pytest.mark.services
def test_a_cluster_that_runs_hears_the_songs_too(
    called: Called,
    model: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its workers run in another folder, and see the model and the songs by absolute paths."""
    from distributed import LocalCluster

    alone = called("predict", "songs", "gone.mp3", "--model", str(model), "--json").json
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        monkeypatch.chdir(tmp_path)
        address = cluster.scheduler_address
        options = ("--model", str(model), "--json", "--scheduler", address)
        joined = called("predict", "songs", "gone.mp3", *options).json
    assert joined["predictions"] == alone["predictions"]
