"""What the fault tests share: a data set, an undisturbed store, and a tally of the kills."""

from __future__ import annotations

from pathlib import Path

import pytest
from fault_data import track_ids, write_data
from fault_kills import TALLIES

from genre_model.catalogue import audio_path
from genre_model.mel import FeatureExtractor
from genre_model.specs import FeatureSpec
from storage.locations import Location
from storage.plans import AudioState

TRACKS = 384


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say for every suite what its kills hit."""
    for suite, found in TALLIES.items():
        terminalreporter.write_line(f"{suite}: {found.sentence}")


@pytest.fixture(scope="session")
def extractor() -> FeatureExtractor:
    return FeatureExtractor.build(FeatureSpec.preset("default"))


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a data set of six shards."""
    folder = tmp_path_factory.mktemp("data")
    write_data(folder, TRACKS, seed=12)
    return folder


@pytest.fixture(scope="session")
def wanted(data: Path) -> tuple[AudioState, ...]:
    entries = {entry.name: entry for entry in Location.parse(data).list(recursive=True)}
    states = []
    for track_id in track_ids(TRACKS):
        found = entries.get(audio_path(track_id))
        size, stamp = (found.size, found.stamp) if found else (None, None)
        states.append(AudioState(track_id, audio_path(track_id), size, stamp))
    return tuple(states)
