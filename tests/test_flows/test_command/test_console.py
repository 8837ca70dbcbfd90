"""How a command ends is told by its exit status and one sentence."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap

import pytest
from limits import COMMAND_S

WAITS = """
    import sys, time
    import click
    from flows.command import console

    @click.command()
    def waiting():
        print("waits", flush=True)
        time.sleep(3_600)

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
        time.sleep(3_600)

    temporary_server.start(sigint_blocked=sigint_blocked)
    sys.exit(console.run(waiting))
"""


@pytest.mark.parametrize("program", [WAITS, FLOW_WAITS], ids=["command", "flow"])
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
