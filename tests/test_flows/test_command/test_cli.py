"""What the command says when what it is given must change: one sentence, status 2."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest
from command import Genre

from flows.command.cli import genre as commands
from storage.store import Store


def sentence(err: str) -> str:
    """Return the one sentence, and check that it is all there is but for progress."""
    lines = [line for line in err.splitlines() if line.startswith("genre: ")]
    assert len(lines) == 1, err
    assert "Traceback" not in err
    return lines[0]


IN_ORDER = ("fetch", "run", "features", "train", "evaluate", "predict", "status", "up", "down")


def test_help_names_every_command_in_the_order_of_use(genre: Genre) -> None:
    shown = genre("--help")
    assert shown.code == 0
    listed = shown.out.split("Commands:\n")[1]
    assert tuple(re.findall(r"^  (\w+) ", listed, re.M)) == IN_ORDER
    assert "..." not in listed
    for command in IN_ORDER:
        assert "--json" in genre(command, "--help").out


@pytest.mark.parametrize("name", IN_ORDER)
def test_every_option_has_a_sentence_and_its_default(name: str) -> None:
    command = commands.commands[name]
    context = click.Context(command)
    for option in command.params:
        if isinstance(option, click.Option):
            assert (option.help or "").endswith("."), option.name
            assert {"default", "required"} & set(option.get_help_extra(context)), option.name


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["features", "--preset", "loud"], "'loud' is not one of 'default', 'seed'"),
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
        (
            ["run", "--start-at", "evaluation", "--catalogue", "zzz"],
            "--catalogue has no use with --start-at evaluation; leave it out",
        ),
        (["run", "--start-at", "evaluation", "--data", "demo"], "--data has no use"),
        (
            ["run", "--start-at", "training", "--workers", "2", "--verify", "--model", "m"],
            "--workers and --verify and --model have no use with --start-at training",
        ),
        (["run", "--model", "m"], "--model has no use with --start-at features"),
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


def test_what_the_environment_sets_for_other_commands_is_not_refused(genre: Genre) -> None:
    others = {"GENRE_WORKERS": "2", "GENRE_MODEL": "m", "GENRE_DATA": "data"}
    ended = genre("run", "--start-at", "training", "--store", "nowhere", **others)
    assert ended.code == 2
    assert "no store at" in sentence(ended.err)


@pytest.mark.parametrize(
    ("aloud", "says"),
    [
        (["--preset", "default"], "has no model of preset 'default'"),
        (["--network", "default"], "has no model of network 'default'"),
        (["--seed", "0"], "has no model of seed 0"),
    ],
)
def test_a_default_said_aloud_is_meant(genre: Genre, aloud: list[str], says: str) -> None:
    Store.create(genre.folder / "store")
    _write_model(genre.folder / "store" / "models" / "other-1")
    ended = genre("run", "--start-at", "evaluation", "--store", "store", *aloud)
    assert ended.code == 2
    assert says in sentence(ended.err)
    assert not list(genre.folder.rglob("*.db")), "a server was started for it"


def _write_model(folder: Path) -> None:
    folder.mkdir(parents=True)
    params = {"id": folder.name, "network": "other", "seed": 7, "features": {"name": "other"}}
    (folder / "params.json").write_text(json.dumps(params))
    (folder / "model.keras").write_bytes(b"-")
