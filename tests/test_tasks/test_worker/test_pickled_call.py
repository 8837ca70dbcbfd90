"""A call as bytes: what Dask's scheduler holds needs none of what the call needs."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from tasks.worker import pickled_call


def test_a_its_call_is_the_call() -> None:
    assert pickled_call.call(pickled_call.pickled(divmod, 17, 5)) == (3, 2)


def test_what_the_call_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        pickled_call.call(pickled_call.pickled(divmod, 1, 0))


def test_it_does_not_show_what_is_in_it() -> None:
    """Dask's workers log the arguments of a call that failed."""
    its_call = pickled_call.pickled(str, "secret-value")
    assert "secret" not in repr(its_call)
    assert b"secret-value" in its_call.content


def test_what_cannot_be_imported_cannot_be_packed() -> None:
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickled_call.pickled(lambda: None)


def test_the_one_who_passes_it_on_imports_nothing_for_it() -> None:
    program = (
        "import sys, tasks.worker.pickled_call\n"
        "heavy = {'numpy', 'pandas', 'zarr', 'prefect', 'tasks.worker.shards'}\n"
        "sys.exit(str(heavy & sys.modules.keys() or ''))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.stderr.strip() == b""
