"""Decoders that are stopped, killed or broken while they start: replaced, or told in a sentence."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from fault_genre import Genre, sentences
from fault_processes import Started, nothing_left, wait_until
from fault_stores import FeaturesFolder, assert_same_features

pytestmark = pytest.mark.faults

SIGNALLED = """
import os, pathlib, sys
folder = pathlib.Path({folder!r})
if "tasks.worker.decoder_child" in sys.orig_argv and len(list(folder.iterdir())) < {times}:
    (folder / str(os.getpid())).touch()
    os.kill(os.getpid(), {signal})
"""
BROKEN = """
import sys
if "tasks.worker.decoder_child" in sys.orig_argv:
    sys.modules["soundfile"] = None
"""


@pytest.fixture
def started(tmp_path: Path) -> Path:
    """Give the folder in which each child that was sent a signal leaves its number."""
    (tmp_path / "started").mkdir()
    return tmp_path / "started"


@pytest.fixture
def with_code(genre: Genre, tmp_path: Path) -> Callable[[str], Genre]:
    """Give the command, whose processes run some code as they start."""

    def run(code: str) -> Genre:
        (tmp_path / "site").mkdir()
        (tmp_path / "site" / "sitecustomize.py").write_text(code)
        return Genre(genre.folder, {**genre.env, "PYTHONPATH": str(tmp_path / "site")})

    return run


@pytest.mark.parametrize("sent", [signal.SIGSTOP, signal.SIGKILL])
def test_a_decoder_that_is_stopped_or_killed_while_it_starts_is_replaced(
    sent: signal.Signals,
    started: Path,
    with_code: Callable[[str], Genre],
    data: Path,
    store: Path,
    undisturbed: FeaturesFolder,
) -> None:
    command = with_code(SIGNALLED.format(folder=str(started), times=2, signal=int(sent)))
    told = command("features", "--data", data, "--store", store, "--workers", "2")
    assert (told["tracks"], told["quarantined"]) == (384, 5)
    numbers = [int(each.name) for each in started.iterdir()]
    assert len(numbers) == 2
    assert not any(psutil.pid_exists(number) for number in numbers)
    assert_same_features(FeaturesFolder.only_one(store), undisturbed)


def test_a_decoder_that_is_stopped_amid_the_tracks_is_replaced(
    genre: Genre, data: Path, store: Path, undisturbed: FeaturesFolder
) -> None:
    arguments = ["features", "--data", data, "--store", store, "--workers", "2", "--json"]
    with nothing_left(genre.start(*arguments)) as run:
        wait_until(lambda: len(run.decoders()) == 2, every_s=0.05, what="two decoders")
        _stop_one(run)
        assert run.wait() == 0, run.said
    assert_same_features(FeaturesFolder.only_one(store), undisturbed)


def test_a_decoder_that_cannot_start_is_one_sentence_with_what_it_said(
    with_code: Callable[[str], Genre], data: Path, store: Path
) -> None:
    command = with_code(BROKEN)
    arguments = ["features", "--data", data, "--store", store, "--workers", "2", "--json"]
    with nothing_left(command.start(*arguments)) as run:
        assert run.wait() == 2, run.said
        (sentence,) = sentences(run)
    assert f"the decoder cannot start on {socket.gethostname()} (exit status 1: " in sentence
    assert "import of soundfile halted" in sentence
    assert "Traceback" not in run.said
    assert not list(FeaturesFolder.only_one(store).manifests)


def _stop_one(run: Started) -> None:
    os.kill(run.decoders()[0].pid, signal.SIGSTOP)
