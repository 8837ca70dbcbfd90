"""Folders named by genre: stable numbers, splits that hold when tracks come, clear refusals."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import pandas as pd
import pytest
import soundfile
from hypothesis import example, given, settings
from hypothesis import strategies as st

from genre_model.data import genre_folders
from genre_model.data.audio_suffixes import AUDIO_SUFFIXES
from genre_model.data.catalogue import COLUMNS, Catalogue
from genre_model.data.drawing import path_hash
from genre_model.data.drawing.path_hash import track_id
from genre_model.data.fma.subset_tracks import locate_audio
from genre_model.data.fma.tracks_csv import read_tracks
from genre_model.data.folder import Oddity
from genre_model.data.genre_folders import catalogue_folders, is_audio
from genre_model.data.naming import data_set_name
from genre_model.data.sharing.artists import artists_in_several_splits
from genre_model.data.splits import label_rows
from genre_model.errors import CatalogueError

GENRES = "blues classical country disco hiphop jazz metal pop reggae rock"
GTZAN = [f"{genre}/{genre}.{number:05d}.wav" for genre in GENRES.split() for number in range(100)]


def catalogue(paths: list[str], *, data: str = "music") -> Catalogue:
    return catalogue_folders(paths, data_set="music", data=data)


def splits(paths: list[str]) -> dict[str, str]:
    """Give each path its split."""
    tracks = catalogue(paths).tracks
    return dict(zip(tracks["path"], tracks["split"], strict=True))


def test_gtzans_form() -> None:
    found = catalogue(GTZAN)
    assert len(found.tracks) == 1_000
    assert len(found.genres) == 10
    assert found.unlabelled == 0
    assert tuple(found.tracks.columns) == COLUMNS
    assert found.tracks["track_id"].is_monotonic_increasing
    counts = found.tracks["split"].value_counts()
    assert 760 < counts["training"] < 840
    assert (found.tracks.groupby("genre")["split"].nunique() == 3).all()
    assert found.tracks[["artist_id", "artist", "license"]].isna().all(axis=None)
    assert found.tracks.set_index("path")["title"]["pop/pop.00007.wav"] == "pop.00007"
    assert any("No artists are known" in remark for remark in found.remarks)


def test_its_columns_have_the_types_of_fmas(real_music: Path) -> None:
    fma = read_tracks(real_music / "fma_metadata" / "tracks.csv")
    ours = catalogue(GTZAN).tracks
    for column in ("track_id", "split", "subset", "artist_id", "artist", "title", "license"):
        assert ours[column].dtype == fma[column].dtype, column


def test_it_is_a_catalogue_like_any_other() -> None:
    found = catalogue(GTZAN)
    rows = found.tracks[["track_id"]].assign(row=range(1_000), windows=10)
    labelled = label_rows(rows, found.tracks)
    assert labelled["label"].nunique() == 10
    assert artists_in_several_splits(found.tracks).empty
    assert found.id == catalogue(GTZAN[::-1]).id
    assert found.id.startswith("music-")
    assert locate_audio(found, []).id != found.id  # its paths are no rule of FMA's


def test_the_numbers_stay_the_same_between_versions() -> None:
    assert track_id("blues/blues.00000.wav") == 4_730_580_936_037_364
    assert splits(GTZAN)["blues/blues.00000.wav"] == "training"


@given(st.text(min_size=1))
def test_numbers_fit_a_double(path: str) -> None:
    assert 0 <= track_id(path) < 2**53
    assert int(float(track_id(path))) == track_id(path)


def test_composed_and_decomposed_letters_are_one_name() -> None:
    one, other = "rock/caf\u00e9.mp3", "rock/cafe\u0301.mp3"
    assert track_id(one) == track_id(other)
    assert catalogue([other, "pop/a.mp3"]).tracks["title"].tolist().count("caf\u00e9") == 1
    with pytest.raises(CatalogueError, match=r"have the same track id; rename one of them"):
        catalogue([one, other, "pop/a.mp3"])


def test_two_files_with_one_number_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(genre_folders, "track_id", lambda path: len(path))
    with pytest.raises(CatalogueError, match=r"^music/pop/a.mp3 and music/pop/b.mp3 have the same"):
        catalogue(["pop/a.mp3", "pop/b.mp3", "rock/long.mp3"])


PLACES = st.lists(st.floats(0, 1, exclude_max=True), unique=True, min_size=1, max_size=12)


@given(places=PLACES, more=PLACES)
@example(places=[0.9375, 0.90625, 0.96875], more=[0.0])
@example(places=[0.0, 0.9375, 0.90625], more=[0.0])
@example(places=[0.81, 0.95, 0.96], more=[0.0])
@settings(max_examples=100, deadline=None)
def test_adding_tracks_takes_none_from_training(places: list[float], more: list[float]) -> None:
    first = pd.Series(places, index=[f"track {place}" for place in places])
    added = sorted({*places, *more})
    before = path_hash.split_by_place(first)
    after = path_hash.split_by_place(pd.Series(added, index=[f"track {place}" for place in added]))
    trained = before.index[before == "training"]
    assert len(trained) >= 1
    if len(trained) > 1:
        assert set(after[trained]) == {"training"}
    assert before.nunique() == min(3, len(first))
    if {"test", "validation"} <= set(_natural(first)):
        assert (after[before.index] == before).all() or first.min() >= 0.8


def _natural(places: pd.Series[float]) -> pd.Series[str]:
    """Give the splits that the places alone name."""
    borders = [0, path_hash.VALIDATION_FROM, path_hash.TEST_FROM, 1]
    return pd.cut(places, borders, right=False, labels=["training", "validation", "test"])


def test_a_large_genre_keeps_every_split_when_tracks_are_added() -> None:
    before = splits(GTZAN)
    after = splits(
        [*GTZAN, *(f"{genre}/new.{n}.mp3" for genre in ("pop", "ska") for n in range(9))]
    )
    assert {path: after[path] for path in before} == before


def test_one_file_is_trained_on_and_two_are_trained_and_tested() -> None:
    for number in range(40):
        assert splits([f"a/{number}.mp3", "b/1.mp3"])[f"a/{number}.mp3"] == "training"
        two = splits([f"a/{number}.mp3", "a/x.mp3", "b/1.mp3"])
        assert {two[f"a/{number}.mp3"], two["a/x.mp3"]} == {"training", "test"}


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("rock/a.wav", True),
        ("rock/A.AU", True),
        ("rock/live/deep/a.flac", True),
        ("rock.mp3", False),
        ("rock/cover.png", False),
        ("rock/a.mp3.part", False),
        ("rock/mp3", False),
        ("rock/._a.mp3", False),
        ("rock/.cache/a.mp3", False),
        (".git/a.wav", False),
    ],
)
def test_what_counts_as_a_track(path: str, counts: bool) -> None:
    assert is_audio(path) is counts
    assert (path in splits([path, "pop/a.mp3", "ska/a.mp3"])) is counts


def test_the_suffixes_are_libsndfiles() -> None:
    known = {f".{name.lower()}" for name in soundfile.available_formats()}
    known |= {".aif", ".aifc", ".oga", ".opus", ".snd", ".mp1", ".mp2", ".mp3"}
    assert known >= AUDIO_SUFFIXES
    assert {".wav", ".au", ".mp3", ".flac", ".ogg"} <= AUDIO_SUFFIXES


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        (["rock/a.mp3", "rock/b.mp3"], "one folder only, 'rock'"),
        (["all/rock/a.mp3", "all/pop/b.mp3"], "(if pop, rock … are the genres, give music/all)"),
        (["000/000002.mp3", "155/155066.mp3"], "beside fma_metadata"),
        (
            ["rock/a.mp3", "pop/b.m4a"],
            "1 folder becomes no genre, as nothing there is taken: pop (1",
        ),
    ],
)
def test_what_is_no_folder_of_genres_is_refused_in_one_sentence(
    paths: list[str], said: str
) -> None:
    with pytest.raises(CatalogueError) as refusal:
        catalogue(paths)
    message = str(refusal.value)
    assert said in message
    assert re.fullmatch(r"[^\n]+\.", message)
    message.encode()


def test_what_becomes_no_track_is_counted_and_folders_without_one_are_named() -> None:
    odd = [
        Oddity(path="rock/pipe.wav", reason="no_regular_file", why="it is no file"),
        Oddity(path="folk/caf\udce9.wav", reason="name", why="its name is not UTF-8 (rename it)"),
        Oddity(path="caf\udce9", reason="name", why="its name is not UTF-8 (rename it)", files=3),
        Oddity(path="loop", reason="link_loop", why="the link leads back (remove it)"),
    ]
    paths = ["rock/a.mp3", "ska/a.mp3", "pop/b.m4a", "pop/deep/c.M4A", "rock/cover.PNG", "b.wav"]
    found = catalogue_folders(
        [*paths, "README"],
        data_set="music",
        data="music",
        folders=["rock", "ska", "pop", "folk", "empty", "caf\udce9", "loop"],
        oddities=odd,
    )
    left_out = found.left_out
    assert found.tracks["path"].tolist() == ["ska/a.mp3", "rock/a.mp3"]
    assert left_out.suffixes == {".m4a": 2, ".png": 1, ".wav": 1, "no_suffix": 1}
    reasons = {"name": 4, "link_loop": 1, "no_regular_file": 1}
    assert left_out.counts == left_out.suffixes | reasons
    assert left_out.beside == ("b.wav",)
    told = {name: each.counts for name, each in left_out.folders.items()}
    assert told == {"empty": {}, "folk": {"name": 1}, "pop": {".m4a": 2}}
    assert sum(left_out.counts.values()) == len(paths) + 1 - 2 + 6
    assert left_out.sentences[0] == (
        "3 folders become no genre, as nothing there is taken: "
        "empty (empty), folk (1 name), pop (2 .m4a)"
    )
    assert found.id == catalogue(["rock/a.mp3", "ska/a.mp3"]).id


def test_years_are_genres_too() -> None:
    assert catalogue(["1980/a.mp3", "1990/b.mp3"]).genres == ["1980", "1990"]


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("genres", "genres"),
        ("GTZAN (genres_original)", "gtzan-genres-original"),
        ("Fête de la Musique", "fete-de-la-musique"),
        ("fma", "fma-folders"),
        ("Demo", "demo-folders"),
        ("x" * 99, "x" * 40),
        ("музыка", "set-0b20a759"),
    ],
)
def test_the_data_set_is_called_after_its_folder(folder: str, name: str) -> None:
    assert data_set_name(folder) == name


@given(st.text())
def test_the_name_fits_a_path_and_an_address(folder: str) -> None:
    name = data_set_name(PurePosixPath(folder).name)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", name)
    assert len(name) <= 48
    assert name not in ("fma", "demo")


def test_splits_are_near_their_shares() -> None:
    places = pd.Series([path_hash.place(f"rock/{number}.wav") for number in range(20_000)])
    shares = _natural(places).value_counts(normalize=True)
    assert shares.to_dict() == pytest.approx(
        {"training": 0.8, "validation": 0.1, "test": 0.1}, abs=0.01
    )
