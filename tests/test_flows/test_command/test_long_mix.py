"""Two hours of a mix are heard to their end, in bounded memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from made_model import HIGH_HZ, LOW_HZ, RATE, made_model

pytestmark = pytest.mark.slow  # it takes minutes

MINUTES = 120
MOST_MB = 500


@pytest.fixture(scope="module")
def mix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Encode a low first half and a high second one, minute by minute."""
    path = tmp_path_factory.mktemp("mix") / "mix.mp3"
    time_s = np.arange(60 * RATE) / RATE
    with soundfile.SoundFile(path, "w", samplerate=RATE, channels=1, format="MP3") as file:
        for minute in range(MINUTES):
            pitch = LOW_HZ if minute < MINUTES // 2 else HIGH_HZ
            file.write(0.3 * np.sin(2 * np.pi * pitch * time_s))
    return path


def test_two_hours_are_named_in_passages_with_a_picture(mix: Path, tmp_path: Path) -> None:
    model, plots = made_model(tmp_path / "model"), tmp_path / "plots"
    command = ["predict", str(mix), "--model", str(model), "--plots", str(plots), "--json"]
    answer = tmp_path / "answer.json"  # longer than a pipe holds
    with (
        answer.open("w") as file,
        subprocess.Popen(
            [sys.executable, "-m", "flows.command.cli", *command],
            stdout=file,
            start_new_session=True,
        ) as process,
    ):
        most = 0.0
        while process.poll() is None:
            most = max(most, session_mb(process.pid))
            time.sleep(0.2)
    (found,) = json.loads(answer.read_text())["predictions"]
    print(f"most: {most:.0f} MB")  # noqa: T201 - for who runs it by hand
    assert found["seconds"] == pytest.approx(60 * MINUTES, abs=1)
    named = [(each["genre"], each["start"], each["end"]) for each in found["passages"]]
    half = pytest.approx(30 * MINUTES, abs=5)
    assert named == [("Low", 0, half), ("High", half, pytest.approx(60 * MINUTES, abs=5))]
    assert [each.suffix for each in plots.rglob("*.*")] == [".png"]
    assert 0 < most < MOST_MB


def session_mb(leader: int) -> float:
    """Add up what the processes of a session hold in memory that is theirs alone or shared."""
    held = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(folder.name)) == leader:
                rollup = (folder / "smaps_rollup").read_text()
                held += int(rollup.partition("\nPss:")[2].split()[0])
        except OSError:  # it has ended
            continue
    return held / 1_024
