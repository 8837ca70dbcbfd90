"""What the command says when what it is given must change: one sentence, status 2."""

from __future__ import annotations

import re

import pytest
from command import Genre

from flows.command.cli import ARCHIVES, NETWORKS, POOLS, PRESETS, SPLITS, SUBSETS


def sentence(err: str) -> str:
    """Return the one sentence, and check that it is all there is but for progress."""
    lines = [line for line in err.splitlines() if line.startswith("genre: ")]
    assert len(lines) == 1, err
    assert "Traceback" not in err
    return lines[0]


def test_choices_are_those_of_the_domain() -> None:
    from flows.up import registration
    from genre_model import frontends, networks
    from genre_model.data import catalogue, fma_archives

    assert set(PRESETS) == set(frontends.PRESETS)
    assert set(NETWORKS) == set(networks.NETWORKS)
    assert SUBSETS == catalogue.SUBSETS
    assert set(ARCHIVES) == set(fma_archives.SHA1)
    assert SPLITS == catalogue.SPLITS
    assert set(POOLS) == set(registration.POOLS)


def test_help_names_every_command_and_its_options(genre: Genre) -> None:
    commands = ("run", "features", "train", "evaluate", "predict", "status", "up", "down", "fetch")
    shown = genre("--help")
    assert shown.code == 0
    assert all(re.search(rf"^  {command} ", shown.out, re.M) for command in commands)
    for command in commands:
        assert "--json" in genre(command, "--help").out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["features", "--preset", "loud"], "'loud' is not one of 'default', 'notebook'"),
        (["features", "--workers", "0"], "0 is not in the range"),
        (["run", "--colour", "blue"], "No such option"),
        (["status", "--store", "nowhere"], "no store at"),
        (["train", "--store", "nowhere"], "no store at"),
        (["evaluate", "--store", "nowhere"], "no store at"),
        (["run", "--start-at", "training", "--store", "nowhere"], "no store at"),
        (["run", "--start-at", "testing"], "'testing' is not one of"),
        (["run", "--data", "nowhere"], "nowhere is empty or not there"),
        (["features", "--scheduler", "tcp://127.0.0.1:1"], "no Dask scheduler answers at tcp"),
        (["features", "--scheduler", "here"], "no Dask scheduler answers at here"),
        (["predict", "song.mp3", "--store", "nowhere"], "no store at"),
        (["status", "--store", "ftp://host/store"], "'ftp'"),
        (["up", "--port", "0"], "0 is not in the range"),
        (["up", "--pool", "tpu"], "'tpu' is not one of 'cpu', 'gpu'"),
        (["up", "--port", "4299", "--webhook", "hooks.example.org"], "that starts with https://"),
        (["fetch", "fma_tiny", "--to", "data"], "'fma_tiny' is not one of"),
        (["fetch", "fma_small"], "Missing option '--to'"),
        (["fetch", "fma_small", "--to", "data", "--sha1", "abc"], "give NAME=HEX"),
    ],
)
def test_a_wrong_option_ends_with_2_and_nothing_written(
    genre: Genre, arguments: list[str], says: str
) -> None:
    ended = genre(*arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert says in ended.err
    assert "Traceback" not in ended.err
    assert not list(genre.folder.rglob("store.json"))
    assert not list(genre.folder.rglob("*.db")), "a server was started for it"


def test_data_that_is_not_there_or_not_fma_is_named(genre: Genre) -> None:
    (genre.folder / "data" / "fma_metadata").mkdir(parents=True)
    (genre.folder / "data" / "fma_small").mkdir()
    table = genre.folder / "data" / "fma_metadata" / "tracks.csv"
    table.write_text("track,title\n1,Song\n")
    ended = genre("features", "--data", "data", "--store", "store")
    assert ended.code == 2
    assert str(table) in sentence(ended.err)
    assert not (genre.folder / "store").exists()
    nothing = genre("features", "--data", "elsewhere", "--store", "store")
    assert nothing.code == 2
    assert "elsewhere" in sentence(nothing.err)
    assert not (genre.folder / "store").exists()


def test_a_store_of_another_format_is_refused(genre: Genre) -> None:
    store = genre.folder / "store"
    store.mkdir()
    (store / "store.json").write_text('{"format": 99}')
    ended = genre("status", "--store", store)
    assert ended.code == 2
    assert "99" in sentence(ended.err)
    assert str(store) in ended.err


def test_the_environment_sets_options(genre: Genre) -> None:
    ended = genre("status", GENRE_STORE="from-the-environment")
    assert ended.code == 2
    assert "from-the-environment" in sentence(ended.err)
