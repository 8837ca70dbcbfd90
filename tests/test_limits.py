"""Limits in tests end hangs and stand in one place; what one cause breaks is one failure."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import limits
import pytest

TESTS = Path(__file__).parent
KEYWORDS = {"timeout", "limit_s"}
WAITS = {"wait", "join", "result", "acquire"}
CLOCKS = {"monotonic", "perf_counter"}


def test_each_limit_is_generous_and_holds_the_one_below() -> None:
    assert 30 <= limits.TRY_S < limits.STEP_S < limits.COMMAND_S < limits.TEST_S
    assert limits.STEP_S >= 600


def test_every_test_has_the_one_limit(request: pytest.FixtureRequest) -> None:
    for item in request.session.items:
        assert [mark.args for mark in item.iter_markers("timeout")] == [(limits.TEST_S,)]


def test_no_limit_stands_elsewhere_and_no_test_is_about_speed() -> None:
    found = [
        f"{path.relative_to(TESTS)}:{line} {what}"
        for path in sorted(TESTS.rglob("*.py"))
        if path.name != "limits.py"
        for line, what in offences(ast.parse(path.read_text()))
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "subprocess.run(command, timeout=240)",
        "process.wait(30)",
        "until(lambda: done, limit_s=1.5 * 60, what='')",
        "def run(*, limit_s: float = 240.0) -> None: ...",
        "START_LIMIT_S, STOP_LIMIT_S = 60, 30",
        "pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]",
        "assert 1 < time.monotonic() - began < 5",
    ],
)
def test_what_counts_as_a_limit(code: str) -> None:
    assert len(list(offences(ast.parse(code)))) == 1


def offences(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Find numbers that say how long to wait (0 is no wait), and upper bounds of durations."""
    for node in ast.walk(tree):
        given: list[tuple[str, ast.expr]] = []
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            given = [(each.arg, each.value) for each in node.keywords if each.arg in KEYWORDS]
            given += [(name, each) for each in node.args[:1] if name in WAITS | {"timeout"}]
        elif isinstance(node, ast.FunctionDef):
            both = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            given = [(each.arg, value) for each, value in both if value and each.arg in KEYWORDS]
        elif isinstance(node, ast.Assign) and "LIMIT_" in ast.unparse(node.targets[0]):
            given = [(ast.unparse(node.targets[0]), node.value)]
        elif isinstance(node, ast.Assert):
            yield from ((node.lineno, each) for each in upper_bounds(node.test))
        yield from ((node.lineno, name) for name, value in given if is_number(value))


def is_number(value: ast.expr) -> bool:
    """Return whether an expression is made of numbers alone, and not 0."""
    try:
        return bool(eval(compile(ast.Expression(value), "", "eval"), {"__builtins__": {}}))
    except NameError:
        return False


def upper_bounds(test: ast.expr) -> Iterator[str]:
    """Find comparisons by which a duration must be less than something."""
    for node in ast.walk(test):
        if isinstance(node, ast.Compare):
            terms = [node.left, *node.comparators]
            for less, operator in zip(terms, node.ops, strict=False):
                if isinstance(operator, ast.Lt | ast.LtE) and is_duration(less):
                    yield ast.unparse(node)


def is_duration(term: ast.expr) -> bool:
    """Return whether a clock is subtracted from."""
    return any(
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Sub)
        and any(clock in ast.unparse(node.left) for clock in CLOCKS)
        for node in ast.walk(term)
    )


SHARED_FIXTURES = """
    import pytest

    @pytest.fixture(scope="session")
    def server():
        raise TimeoutError("no answer\\nfrom the server")

    @pytest.fixture(scope="module")
    def run(server):
        return 1

    @pytest.fixture
    def own():
        assert 1 == 2

    @pytest.fixture(scope="module")
    def hung():
        pytest.fail("Timeout (>7200.0s)")

    @pytest.fixture(scope="session")
    def absent():
        pytest.skip("no clips here")

    def test_first(run): ...
    def test_second(run): ...
    def test_third(server): ...
    def test_own_1(own): ...
    def test_own_2(own): ...
    def test_hung_1(hung): ...
    def test_hung_2(hung): ...
    def test_absent_1(absent): ...
    def test_absent_2(absent): ...
"""


@pytest.mark.whole
def test_one_cause_is_one_failure_and_the_others_name_it(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(textwrap.dedent(SHARED_FIXTURES))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "one_failure", "-rs", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(TESTS), "PYTEST_ADDOPTS": "", "COLUMNS": "400"},
        capture_output=True,
        text=True,
        timeout=limits.COMMAND_S,
        check=False,
    )
    # one of the server, two of own, which is made anew for each, and one that hung
    assert done.stdout.splitlines()[-1].strip("= ").startswith("5 skipped, 4 errors in"), (
        done.stdout
    )
    said = "a fixture that it shares failed in test_it.py::test_first (TimeoutError: no answer)"
    skipped = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED")]
    assert sum(said in line for line in skipped) == 1
    assert any(line.startswith("SKIPPED [2]") and said in line for line in skipped)
    assert any("test_hung_1 (Failed: Timeout (>7200.0s))" in line for line in skipped)
    assert any(line.endswith("no clips here") for line in skipped)
