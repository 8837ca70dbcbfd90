"""What the command says when what it is given must change: one sentence, status 2."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from command import Ended, Genre
from limits import COMMAND_S

from flows.command.cli import genre as commands
from genre_model.networks import NETWORKS
from storage.store import Store


def sentence(err: str) -> str:
    """Return the one sentence, and check that it is all there is but for progress."""
    lines = [line for line in err.splitlines() if line.startswith("genre: ")]
    assert len(lines) == 1, err
    assert "Traceback" not in err
    return lines[0]


IN_ORDER = (
    *("fetch", "run", "features", "train", "sweep", "evaluate", "predict"),
    *("serve", "models", "backbone", "status", "up", "down"),
)
BACKBONE = ("add", "list", "remove")
MODELS = ("promote", "compare", "export")


def test_help_names_every_command_in_the_order_of_use(called: Callable[..., Ended]) -> None:
    shown = called("--help")
    assert shown.code == 0
    listed = shown.out.split("Commands:\n")[1]
    assert tuple(re.findall(r"^  (\w+) ", listed, re.M)) == IN_ORDER
    assert "..." not in listed
    own = [[command] for command in IN_ORDER if command != "backbone"]
    deeper = [*(["backbone", name] for name in BACKBONE), *(["models", name] for name in MODELS)]
    for command in (*own, *deeper):
        assert "--json" in called(*command, "--help").out


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
        (
            ["features", "--preset", "loud"],
            "no preset 'loud': the presets are default, notebook,",
        ),
        (["features", "--workers", "0"], "0 is not in the range"),
        (
            ["run", "--colour", "blue"],
            "no such option '--colour'; did you mean one of: '--catalogue', '--layout'; `gen",
        ),
        (["run", "--stor", "s"], "no such option '--stor'; did you mean one of: "),
        (["run", "--data"], "option '--data' requires an argument; `genre run --help` tells what"),
        (["run", "again"], "got unexpected extra argument (again); `genre run --help` tells"),
        (["stats"], "no such command 'stats'; did you mean 'status'; `genre --help` tells what"),
        (["predict"], "missing argument 'FILE…'; `genre predict --help` tells what there is"),
        (["fetch"], "missing argument 'DATASET'; choose from: fma_metadata, fma_small,"),
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
        (["models", "export", "m", "--to", "out", "--store", "nowhere"], "no store at"),
        (["serve", "--store", "nowhere"], "no store at"),
        (["serve", "--port", "65536"], "65536 is not in the range"),
        (["serve", "--max-mb", "0"], "0 is not in the range"),
        (["up", "--port", "0"], "0 is not in the range"),
        (["up", "--pool", "tpu"], "'tpu' is not one of 'cpu', 'gpu'"),
        (["up", "--port", "4299", "--webhook", "hooks.example.org"], "that starts with https://"),
        (["fetch", "fma_tiny", "--to", "data"], "value for 'DATASET': 'fma_tiny' is not one of"),
        (["fetch", "fma_small"], "missing option '--to'"),
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
def test_a_wrong_option_ends_with_2_one_sentence_and_nothing_written(
    called: Callable[..., Ended], tmp_path: Path, arguments: list[str], says: str
) -> None:
    ended = called(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert says in sentence(ended.err)
    assert ended.err.count("\n") == 1
    assert not re.search(r"\. |\.;|Usage:|Error:", ended.err), "more than a sentence"
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_option_of_the_command_itself(genre: Genre) -> None:
    ended = genre("train", "--network", "loud")
    assert (ended.code, ended.out) == (2, "")
    networks = ", ".join(map(repr, sorted(NETWORKS)))
    assert ended.err == (
        "genre: invalid value for '--network' (env var: 'GENRE_NETWORK'): 'loud' is not one of "
        f"{networks}; `genre train --help` tells what there is\n"
    )


def test_without_a_command_there_is_the_help_and_the_sentence(
    called: Callable[..., Ended],
) -> None:
    ended = called()
    assert (ended.code, ended.out) == (2, "")
    assert sentence(ended.err) == "genre: no command is named; name one, as `genre run`"
    assert all(name in ended.err for name in IN_ORDER)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("fea", "plain,features"),
        ("features --pre", "plain,--preset"),
        ("features --preset no", "plain,notebook"),
        ("fetch fma_sm", "plain,fma_small"),
        ("run --data mus", "dir,mus"),
        ("status --store mus", "dir,mus"),
        ("predict --model mus", "dir,mus"),
        ("predict so", "file,so"),
    ],
)
def test_the_shell_completes(
    called: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch, typed: str, offered: str
) -> None:
    monkeypatch.setenv("_GENRE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", f"genre {typed}")
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split())))
    ended = called()
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [offered]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_is_given_what_it_reads(genre: Genre, shell: str) -> None:
    if shell == "bash" and shutil.which("bash") is None:
        pytest.skip("no bash here, whose version click asks for")
    ended = genre(_GENRE_COMPLETE=f"{shell}_source")
    assert (ended.code, ended.err) == (0, "")
    assert f"_GENRE_COMPLETE={shell}_complete" in ended.out


@pytest.mark.whole
def test_nothing_is_sent_to_prefect_and_no_notice_of_it_is_shown(genre: Genre) -> None:
    """Prefect shows it on a terminal alone, the first time that it is imported."""
    code = (
        "from flows.command import environment; environment.prepare(); import prefect; "
        "from prefect._internal.analytics import is_telemetry_enabled; "
        "print(is_telemetry_enabled())"
    )
    apart = {name: word for name, word in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    ours, terminal = pty.openpty()
    subprocess.run(
        [sys.executable, "-c", code],
        env={**apart, "PREFECT_HOME": str(genre.folder / "prefect")},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        check=True,
        timeout=COMMAND_S,
    )
    os.close(terminal)
    assert os.read(ours, 10_000).decode().split() == ["False"]
    os.close(ours)


@pytest.mark.parametrize("arguments", [["up", "--webhook", "nobody"], ["predict", "a.mp3"]])
def test_every_command_that_imports_prefect_sends_nothing(
    called: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.delenv("DO_NOT_TRACK", raising=False)
    assert called(*arguments).code == 2
    assert os.environ["DO_NOT_TRACK"] == "1"


def test_data_that_is_not_there_or_not_fma_is_named(
    called: Callable[..., Ended], tmp_path: Path
) -> None:
    (tmp_path / "data" / "fma_metadata").mkdir(parents=True)
    (tmp_path / "data" / "fma_small").mkdir()
    table = tmp_path / "data" / "fma_metadata" / "tracks.csv"
    table.write_text("track,title\n1,Song\n")
    ended = called("features", "--data", "data", "--store", "store")
    assert ended.code == 2
    assert str(table) in sentence(ended.err)
    assert not (tmp_path / "store").exists()
    nothing = called("features", "--data", "elsewhere", "--store", "store")
    assert nothing.code == 2
    assert "elsewhere" in sentence(nothing.err)
    assert not (tmp_path / "store").exists()


def test_a_store_of_another_format_is_refused(called: Callable[..., Ended], tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / "store.json").write_text('{"format": 99}')
    ended = called("status", "--store", str(store))
    assert ended.code == 2
    assert "99" in sentence(ended.err)
    assert str(store) in ended.err


def test_the_environment_sets_options(
    called: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENRE_STORE", "from-the-environment")
    ended = called("status")
    assert ended.code == 2
    assert "from-the-environment" in sentence(ended.err)


def test_what_the_environment_sets_for_other_commands_is_not_refused(
    called: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    others = {"GENRE_WORKERS": "2", "GENRE_MODEL": "m", "GENRE_DATA": "data"}
    for variable, value in others.items():
        monkeypatch.setenv(variable, value)
    ended = called("run", "--start-at", "training", "--store", "nowhere")
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
def test_a_default_said_aloud_is_meant(
    called: Callable[..., Ended], tmp_path: Path, aloud: list[str], says: str
) -> None:
    Store.create(tmp_path / "store")
    _write_model(tmp_path / "store" / "models" / "other-1")
    ended = called("run", "--start-at", "evaluation", "--store", "store", *aloud)
    assert ended.code == 2
    assert says in sentence(ended.err)


def _write_model(folder: Path) -> None:
    folder.mkdir(parents=True)
    params = {"id": folder.name, "network": "other", "seed": 7, "features": {"name": "other"}}
    (folder / "params.json").write_text(json.dumps(params))
    (folder / "model.keras").write_bytes(b"-")
