"""What a worker lacks is said in a sentence, whatever it answers with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from flows.engine.crew.requirements import lacks, same_installation, sees
from tasks.worker.installed import CODE, DISTRIBUTION, installed


class Answering:
    """A worker that answers questions as it likes."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    async def ask(self, question: Callable[..., Any], *_arguments: object) -> Any:
        answer = self.answers[question.__name__]
        if isinstance(answer, Exception):
            raise answer
        return answer


def lack_of(told: Mapping[str, str]) -> str:
    worker: Any = Answering(resolve_name=None, installed=dict(told))
    return asyncio.run(_awaited(same_installation(), worker))


async def _awaited(requirement: Any, worker: Any) -> str:
    return str(await requirement(worker))


def test_the_same_is_fit() -> None:
    assert lack_of(installed()) == ""


def test_a_checkout_on_the_path_needs_no_version_where_its_code_is_the_same() -> None:
    told = {name: version for name, version in installed().items() if name != DISTRIBUTION}
    assert lack_of(told) == ""


@pytest.mark.parametrize(
    ("name", "version"),
    [
        (DISTRIBUTION, "0.0.9"),
        (CODE, "0123456789ab"),
        ("python", "3.12"),
        *[(name, "0.1") for name in ("numpy", "scipy", "soundfile", "libsndfile", "soxr")],
        ("numcodecs", "0.1"),
    ],
)
def test_what_differs_is_named_with_both_versions(name: str, version: str) -> None:
    ours = installed()[name]
    assert lack_of({**installed(), name: version}) == (
        f"has {name} {version} where this command has {ours}; "
        "install the same there, and start it again"
    )


def test_an_older_version_that_tells_less_is_another_one() -> None:
    assert lack_of({CODE: installed()[CODE]}).startswith("has python (none) where this command")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ModuleNotFoundError("No module named 'tasks'", name="tasks"), "lacks fma-genre ("),
        (
            ModuleNotFoundError("No module named 'tasks.worker'", name="tasks.worker"),
            "has another version of fma-genre (",
        ),
        (AttributeError("no attribute 'installed'"), "has another version of fma-genre ("),
        (ModuleNotFoundError("No module named 'soxr'", name="soxr"), "lacks soxr ("),
        (ImportError("sndfile library not found"), "lacks what its work needs (sndfile"),
        (RuntimeError("strange"), "cannot be asked what it has (RuntimeError: strange)"),
    ],
    ids=lambda value: value.split(" (")[0] if isinstance(value, str) else "",
)
def test_an_error_is_a_lack(error: Exception, said: str) -> None:
    assert lacks(error).startswith(said)


def test_a_folder_that_is_not_seen_is_named(tmp_path: Path) -> None:
    for is_seen, said in ((True, ""), (False, "does not see /data; workers on other machines")):
        worker: Any = Answering(isfile=is_seen)
        lack = asyncio.run(_awaited(sees(tmp_path / "x", below="/data"), worker))
        assert lack.startswith(said)
        assert bool(lack) is not is_seen
