"""How a command ends is told by its exit status and one sentence."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import signal
import subprocess
import sys
import textwrap

import click
import pytest
from limits import COMMAND_S

from flows.command import console
from flows.errors import UsageError
from storage.errors import Full, NotFound

WAITS = """
    import sys, time
    import click
    from flows.command import console

    @click.command()
    def waiting():
        print("waits", flush=True)
        while True:  # a signal just before a long sleep would wait for its end
            time.sleep(0.1)

    sys.exit(console.run(lambda: waiting.main([], standalone_mode=False)))
"""
FLOW_WAITS = """
    import sys, time
    from flows.command import console, environment
    environment.prepare()
    from prefect import flow
    from flows.dashboard import temporary_server
    from flows.engine.interrupts import sigint_blocked

    @flow
    def waiting():
        print("waits", flush=True)
        while True:  # a signal just before a long sleep would wait for its end
            time.sleep(0.1)

    temporary_server.start(sigint_blocked=sigint_blocked)
    sys.exit(console.run(waiting))
"""


ODD = ("caf\udce9.wav", "new\nline.wav", "ctrl\x07\x1b[31m.wav", "日本語 🎸.wav")
EMITS = """
    import sys
    from flows.command import console, song_lines
    from flows.results import PredictResult
    from genre_model.data.left_out import LeftOut
    from genre_model.predict import Prediction
    from genre_model.signal.status import Status

    names = {names!r}
    lines = tuple(Prediction(name, Status.MISSING, "there is no file " + name) for name in names)
    result = PredictResult(model="m", predictions=lines, left_out=LeftOut())
    with console.result_stream() as out:
        show = lambda to: song_lines.table(result, to)
        console.emit(result.to_dict(), as_json={as_json}, show=show, to=out)
"""


@pytest.mark.parametrize("as_json", [False, True])
def test_names_are_shown_escaped_and_come_back_in_json_as_they_were_given(as_json: bool) -> None:
    program = textwrap.dedent(EMITS.format(names=ODD, as_json=as_json))
    out = subprocess.check_output([sys.executable, "-c", program]).decode()
    if as_json:
        assert tuple(line["path"] for line in json.loads(out)["predictions"]) == ODD
        return
    assert all(line.isprintable() for line in out.split("\n"))
    for name in (r"caf\xe9.wav ", r"new\nline.wav ", r"ctrl\x07\x1b[31m.wav", "日本語 🎸.wav "):
        assert f"\n{name}" in f"\n{out}"


@pytest.mark.parametrize("error", [NotFound, UsageError, ValueError, click.UsageError])
def test_an_error_is_shown_escaped(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)

    def fail() -> None:
        raise error("no caf\udce9\x07\u202e.wav is there")

    assert console.run(fail) == (1 if error is ValueError else 2)
    assert r"no caf\xe9\x07\u202e.wav is there" in stderr.getvalue()
    assert all(line.isprintable() for line in stderr.getvalue().split("\n"))


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ENOSPC, "No space left", "/full/a.keras"), "is left for /full/a.keras; "),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "is left on a disk that is written to; "),
        (RuntimeError("a.keras; No space left on device"), "is left on a disk that is written"),
        (FileNotFoundError(2, "No usable temporary directory found in ['/tmp']"), "(TMPDIR)"),
        (Full("writing /s/a failed: No space left on device; free some."), "writing /s/a failed"),
    ],
)
def test_a_full_disk_is_a_sentence_whoever_met_it(
    error: Exception, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)

    def fail() -> None:
        raise RuntimeError("the model is not saved") from error

    assert console.run(fail) == 2
    (line,) = stderr.getvalue().splitlines()
    assert says in line


@pytest.mark.parametrize(
    ("interruption", "status"), [(KeyboardInterrupt, 130), (console.Terminated, 143)]
)
def test_what_fails_because_of_a_signal_is_an_interruption(
    interruption: type[KeyboardInterrupt], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        try:
            raise interruption
        finally:
            raise ConnectionError("the server has gone, too")

    assert console.run(fail) == status
    assert "the same command goes on" in capsys.readouterr().err


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(WAITS, id="command"),
        pytest.param(FLOW_WAITS, marks=pytest.mark.services, id="flow"),
    ],
)
@pytest.mark.parametrize(
    ("sent", "status", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_signal_is_an_interruption(program: str, sent: int, status: int, word: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PREFECT_LOGGING_LEVEL": "CRITICAL"},
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "waits\n"
        process.send_signal(sent)
        _, said = process.communicate(timeout=COMMAND_S)
    finally:
        process.kill()
    assert process.returncode == status, said
    assert f"genre: {word}; the same command goes on where it stopped\n" in said
    assert not {"TerminationSignal", "KeyboardInterrupt", "Abort"} & set(re.findall(r"\w+", said))
