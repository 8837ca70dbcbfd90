"""A model that dies or hangs on a file costs that file, and what it says is what it says here."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
from limits import STEP_S
from made_model import HIGH_HZ, LOW_HZ, made_model, tones

from genre_model.errors import ModelError
from genre_model.predict import load_model
from genre_model.signal.status import Status
from tasks.worker.errors import DecoderEnded
from tasks.worker.predicting import PredictingChild


class Evaluated(PredictingChild):
    """Its "files" are evaluated in the child."""

    module = "evaluated_child"


@pytest.fixture
def evaluated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Evaluated, Path]]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    with Evaluated(tmp_path) as child:
        yield child, tmp_path


def file(folder: Path, code: str) -> Path:
    (folder / code).touch()
    return folder / code


def test_what_a_child_says_is_what_the_model_says(tmp_path: Path) -> None:
    folder = made_model(tmp_path / "model", threshold=0.5)
    song = tones(tmp_path / "song.wav", (LOW_HZ, 20), (HIGH_HZ, 15))
    expected = load_model(folder).predict(song, overview=True)
    with PredictingChild(folder) as child:
        found = child.predict(song, overview=True)
        assert child.predict(tmp_path / "song.wav").overview is None
    assert found == expected
    assert [each["genre"] for each in found.passages] == ["Low", "High"]
    assert found.overview is not None
    assert expected.overview is not None
    np.testing.assert_array_equal(found.overview.decibels, expected.overview.decibels)


def test_no_process_is_started_for_a_file_that_is_not_there(tmp_path: Path) -> None:
    with PredictingChild(tmp_path / "no model") as child:
        found = child.predict(tmp_path / "gone.mp3")
        assert (found.status, child._process) == (Status.MISSING, None)


def test_a_model_that_does_not_open_is_the_models_own_sentence(tmp_path: Path) -> None:
    folder = made_model(tmp_path / "model")
    (folder / "model.onnx").write_bytes(b"something else")
    song = tones(tmp_path / "song.wav", (LOW_HZ, 5))
    with (
        PredictingChild(folder) as child,
        pytest.raises(ModelError, match=r"model\.onnx is not the file that was written there"),
    ):
        child.predict(song)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("__import__('os').abort()", "the decoder died (signal 6)"),
        ("__import__('os')._exit(3)", "the decoder died (exit status 3)"),
    ],
)
def test_a_file_that_ends_the_child_is_crashed_and_the_next_one_is_heard(
    evaluated: tuple[Evaluated, Path], code: str, says: str
) -> None:
    child, folder = evaluated
    found = child.predict(file(folder, code))
    assert (found.status, found.detail, found.genre) == (Status.CRASHED, says, None)
    assert child.predict(file(folder, "6 * 7")).detail == "42"


def test_a_file_that_hangs_the_child_is_a_timeout(evaluated: tuple[Evaluated, Path]) -> None:
    child, folder = evaluated
    assert child.predict(file(folder, "1")).genre == "Rock"
    child.time_limit_s = 0.3
    found = child.predict(file(folder, f"__import__('time').sleep({STEP_S})"))
    assert (found.status, found.detail) == (Status.TIMEOUT, "decoding ran past 0.3 s")
    child.time_limit_s = STEP_S
    assert child.predict(file(folder, "2")).detail == "2"


def test_a_child_that_somebody_kills_is_no_fault_of_the_file(
    evaluated: tuple[Evaluated, Path],
) -> None:
    child, folder = evaluated
    child.predict(file(folder, "1"))
    assert child._process is not None
    psutil.Process(child._process.pid).kill()
    assert child.predict(file(folder, "2")).detail == "2"


def test_who_waits_for_a_child_that_is_ended_waits_no_longer_and_no_other_starts(
    evaluated: tuple[Evaluated, Path],
) -> None:
    child, folder = evaluated
    child.predict(file(folder, "1"))
    assert child._process is not None
    process = psutil.Process(child._process.pid)
    with ThreadPoolExecutor(1) as threads:
        process.send_signal(signal.SIGSTOP)
        waits = threads.submit(child.predict, file(folder, "2"))
        child.end()
        with pytest.raises(DecoderEnded, match="the decoder was ended"):
            waits.result(STEP_S)
    assert not psutil.pid_exists(process.pid)
    with pytest.raises(DecoderEnded):
        child.predict(file(folder, "3"))
    assert child._process is None


def test_a_child_that_is_ended_while_it_starts_is_not_started_again(tmp_path: Path) -> None:
    is_spawned = threading.Event()

    class Starting(PredictingChild):
        """Tells when it has a process, which has not said yet that it is ready."""

        module = "tasks.worker.predicting_child"

        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, value)
            if name == "_process" and value is not None:
                is_spawned.set()
                is_ended.wait(STEP_S)

    is_ended = threading.Event()
    song = tones(tmp_path / "song.wav", (LOW_HZ, 5))
    with Starting(made_model(tmp_path / "model")) as child, ThreadPoolExecutor(1) as threads:
        waits = threads.submit(child.predict, song)
        assert is_spawned.wait(STEP_S)
        child.end()
        is_ended.set()
        with pytest.raises(DecoderEnded):
            waits.result(STEP_S)
