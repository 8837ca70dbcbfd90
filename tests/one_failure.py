"""One cause is one failure: whoever shares a fixture that failed is skipped, and says why.

pytest raises the error of a shared fixture anew in every test that asks for it, so that one hung
command would count as ten errors. The first test has it; the others are skipped.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

Failure = Exception | pytest.fail.Exception

_failures: list[tuple[Failure, str]] = []
"""Each error of a fixture, and the test that met it first."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Skip a test whose fixture has failed in another one: that is the very same error."""
    try:
        return (yield)
    except pytest.skip.Exception:
        raise
    except (Exception, pytest.fail.Exception) as error:
        met_first = [test for known, test in _failures if known is error]
        if not met_first:
            _failures.append((error, item.nodeid))
            raise
        said = str(error).strip().splitlines() or [""]
        cause = f"{type(error).__name__}: {said[0]}"
        pytest.skip(f"a fixture that it shares failed in {met_first[0]} ({cause})")
