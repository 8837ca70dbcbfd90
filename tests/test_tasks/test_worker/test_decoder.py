"""A decoder that dies or hangs costs one clip, never the process that asked."""

from __future__ import annotations

import errno
import io
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import soundfile
from fault_processes import wait_until
from limits import STEP_S

from genre_model.frontends import preset
from genre_model.mel import clip_windows
from genre_model.signal.status import Status
from tasks.worker.decoder import Decoder
from tasks.worker.errors import DecoderBroken, DecoderStalled

# Stands in for the feature path where a test needs one that dies: each "clip" is evaluated.
EVALUATED = SimpleNamespace(windows=eval, prepare=bool)
GOOD = b"__import__('genre_model.mel', fromlist=['*']).ClipWindows('silent', 'so quiet', None, 2.0)"


@pytest.fixture
def row() -> np.ndarray:
    return np.zeros(preset("default").row_shape, np.float16)


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder(preset("default").build()) as decoder:
        yield decoder


def tone(seconds: float, *, rate: int = 22_050) -> bytes:
    file = io.BytesIO()
    time_s = np.arange(int(seconds * rate)) / rate
    soundfile.write(file, 0.5 * np.sin(2 * np.pi * 440 * time_s), rate, format="WAV")
    return file.getvalue()


@pytest.mark.parametrize("seconds", [30.0, 7.0])
def test_a_clip_through_the_child_is_the_clip_itself(
    decoder: Decoder, row: np.ndarray, seconds: float
) -> None:
    audio = tone(seconds)
    expected = clip_windows(audio, preset="default")
    clip = decoder.decode(audio, into=row)
    assert expected.windows is not None
    assert (clip.status, clip.windows) == (expected.status, len(expected.windows))
    np.testing.assert_array_equal(row[: clip.windows], expected.windows)
    assert not row[clip.windows :].any()


def test_a_file_by_its_path_is_the_same_as_by_its_bytes(
    decoder: Decoder, row: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "tone.wav"
    path.write_bytes(tone(30.0))
    by_path = row.copy()
    assert decoder.decode(path, into=by_path) == decoder.decode(path.read_bytes(), into=row)
    np.testing.assert_array_equal(by_path, row)


@pytest.mark.parametrize(
    ("clip", "status", "says"),
    [
        (b"__import__('os').abort()", Status.CRASHED, "signal 6"),
        (b"__import__('os')._exit(3)", Status.CRASHED, "exit status 3"),
        (b"__import__('time').sleep(60)", Status.TIMEOUT, "past 0.5 s"),
    ],
)
def test_a_clip_that_ends_or_hangs_the_decoder_gets_its_status_and_the_next_one_is_decoded(
    row: np.ndarray, clip: bytes, status: Status, says: str
) -> None:
    limit_s = 0.5 if status is Status.TIMEOUT else STEP_S
    with Decoder(EVALUATED, time_limit_s=limit_s) as decoder:  # type: ignore[arg-type]
        bad = decoder.decode(clip, into=row)
        assert bad.status is status
        assert says in bad.detail
        assert decoder.decode(GOOD, into=row).status is Status.SILENT


def test_a_child_that_somebody_kills_between_clips_is_no_fault_of_the_clip(
    row: np.ndarray,
) -> None:
    with Decoder(EVALUATED) as decoder:  # type: ignore[arg-type]
        decoder.decode(GOOD, into=row)
        psutil.Process(decoder._process.pid).kill()  # type: ignore[union-attr]
        assert decoder.decode(GOOD, into=row).status is Status.SILENT


def test_a_child_that_is_stopped_between_clips_is_replaced_however_large_the_clip(
    row: np.ndarray,
) -> None:
    large = GOOD + b"#" + b"x" * 2**22
    with Decoder(EVALUATED, time_limit_s=1.0) as decoder:  # type: ignore[arg-type]
        decoder.decode(GOOD, into=row)
        psutil.Process(decoder._process.pid).suspend()  # type: ignore[union-attr]
        assert decoder.decode(large, into=row).status is Status.SILENT


@pytest.mark.parametrize("sent", [signal.SIGSTOP, signal.SIGKILL])
def test_a_child_that_is_stopped_or_killed_while_it_starts_is_replaced(
    row: np.ndarray, tmp_path: Path, sent: signal.Signals
) -> None:
    once = Signalled(tmp_path, sent, times=1)
    with Decoder(once, stopped_limit_s=0.2) as decoder:  # type: ignore[arg-type]
        assert decoder.decode(GOOD, into=row).status is Status.SILENT


@pytest.mark.parametrize(
    ("sent", "says"),
    [(signal.SIGSTOP, "was stopped for 0.2 s"), (signal.SIGKILL, "was ended by signal 9")],
)
def test_children_that_are_all_stopped_or_killed_end_in_a_sentence(
    row: np.ndarray, tmp_path: Path, sent: signal.Signals, says: str
) -> None:
    always = Signalled(tmp_path, sent, times=9)
    limits_s = (STEP_S, STEP_S)
    with (
        Decoder(always, start_limits_s=limits_s, stopped_limit_s=0.2) as decoder,  # type: ignore[arg-type]
        pytest.raises(DecoderStalled) as caught,
    ):
        decoder.decode(GOOD, into=row)
    assert f"no decoder starts on {socket.gethostname()}: 2 were tried" in str(caught.value)
    assert f"the last one {says}; see" in str(caught.value)
    assert isinstance(caught.value, TimeoutError)


def test_a_child_that_says_nothing_is_replaced(row: np.ndarray) -> None:
    says = "2 were tried, and the last one said nothing for 0 s"
    with (
        Decoder(EVALUATED, start_limits_s=(0.1, 0.0)) as decoder,  # type: ignore[arg-type]
        pytest.raises(DecoderStalled, match=says),
    ):
        decoder.decode(GOOD, into=row)


def test_a_decoder_that_cannot_start_says_why_at_once(
    row: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    spawn = subprocess.Popen

    def counted(*arguments: object, **keywords: object) -> subprocess.Popen[bytes]:
        started.append(arguments)
        return spawn(*arguments, **keywords)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(subprocess, "Popen", counted)
    host = re.escape(socket.gethostname())
    says = rf"cannot start on {host} \(exit status 1: ModuleNotFoundError: No module named"
    with Decoder(_Unknown()) as decoder, pytest.raises(DecoderBroken, match=says):  # type: ignore[arg-type]
        decoder.decode(GOOD, into=row)
    assert len(started) == 1


def test_no_memory_for_another_process_is_said_at_once(
    row: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    monkeypatch.setattr(subprocess, "Popen", refused)
    with Decoder(EVALUATED) as decoder, pytest.raises(DecoderBroken, match="Cannot allocate mem"):  # type: ignore[arg-type]
        decoder.decode(GOOD, into=row)


def test_the_child_ends_when_its_owner_does(row: np.ndarray) -> None:
    decoder = Decoder(EVALUATED)  # type: ignore[arg-type]
    decoder.decode(GOOD, into=row)
    process = psutil.Process(decoder._process.pid)  # type: ignore[union-attr]
    decoder.close()
    wait_until(lambda: not process.is_running(), what="the child has ended")


class Signalled:
    """Sends a signal to the process that unpickles it, so many times; then it is `EVALUATED`."""

    def __init__(self, folder: Path, sent: signal.Signals, *, times: int) -> None:
        self.folder, self.sent, self.times = folder, sent, times

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, (
            "[(p, o) for o in [__import__('os')] for p in [__import__('pathlib').Path"
            f"({str(self.folder)!r})] if len(list(p.iterdir())) < {self.times} and "
            "(p / str(o.getpid())).touch() is None and "
            f"o.kill(o.getpid(), {int(self.sent)})] and None "
            "or __import__('types').SimpleNamespace(windows=eval, prepare=bool)",
        )


class _Unknown:
    """Can be pickled here, but not be made again in a process that lacks this module."""
