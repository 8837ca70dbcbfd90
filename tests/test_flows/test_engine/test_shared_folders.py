"""Workers of other machines that do not see a folder are refused before they are sent anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.engine.shared_folders import check_seen
from flows.errors import UsageError


class Workers:
    """Workers of which some are on a machine without the folder."""

    def __init__(self, *blind: str) -> None:
        self.blind = blind

    def run(self, question: Callable[[str], bool], path: str) -> dict[str, bool]:
        names = ("tcp://10.0.0.1:1", "tcp://10.0.0.2:1")
        return {name: question(path) and name not in self.blind for name in names}


def test_what_all_see_is_taken(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    workers: Any = Workers()
    check_seen(workers, tmp_path / "there", below="/data")


def test_a_blind_worker_is_named_with_the_folder(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    workers: Any = Workers("tcp://10.0.0.2:1")
    with pytest.raises(
        UsageError, match=r"worker at tcp://10.0.0.2:1 does not see /data; .* s3://"
    ):
        check_seen(workers, tmp_path / "there", below="/data")
