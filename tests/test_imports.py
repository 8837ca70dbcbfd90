"""What imports what, where it costs: the command line, and the process that decodes."""

from __future__ import annotations

import json
import subprocess
import sys

from limits import COMMAND_S

HEAVY = ("tensorflow", "keras", "librosa", "numba", "prefect", "dask", "zarr", "matplotlib")


def _imported_by(code: str, *, of: tuple[str, ...] = HEAVY) -> set[str]:
    """Return which of these a fresh interpreter has imported after `code`."""
    tail = f"; import json, sys; print(json.dumps([m for m in {of!r} if m in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", code + tail],
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_packages_and_the_command_line_import_nothing_heavy() -> None:
    assert _imported_by("import flows, tasks, storage, genre_model") == set()
    assert _imported_by("import flows.command.cli") == set()


def test_options_are_made_for_the_command_line_without_what_flows_need_of_them() -> None:
    heavy = ("numpy", "pandas", "pydantic", "pydantic_core", "yaml", "rich", "fsspec")
    assert _imported_by("import flows.command.cli", of=heavy) == set()


def test_a_decode_worker_never_imports_tensorflow_or_prefect_or_librosa() -> None:
    worker = "import tasks.worker.shards, tasks.worker.decoder, tasks.worker.decoder_child"
    assert _imported_by(worker).isdisjoint(
        {"tensorflow", "keras", "librosa", "numba", "prefect", "matplotlib"}
    )


def test_the_child_that_decodes_imports_neither_zarr_nor_dask() -> None:
    assert _imported_by("import tasks.worker.decoder_child") == set()
