"""`--scheduler tls://…` joins a cluster by the certificates that Dask itself is told of."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from distributed.security import Security
from fault_genre import Genre, sentences
from fault_processes import nothing_left, start, wait_until
from fault_stores import FeaturesFolder, assert_same_features

pytestmark = pytest.mark.faults


@dataclass(frozen=True)
class Files:
    """A certificate and its key, each in a file."""

    certificate: Path
    key: Path

    @classmethod
    def made(cls, folder: Path) -> Files:
        folder.mkdir()
        security = Security.temporary()
        files = cls(folder / "certificate.pem", folder / "key.pem")
        files.certificate.write_text(security.tls_ca_file)
        files.key.write_text(security.tls_client_key)
        return files

    @property
    def options(self) -> tuple[str, ...]:
        """Of `dask scheduler` and `dask worker`."""
        certificate, key = str(self.certificate), str(self.key)
        return ("--tls-ca-file", certificate, "--tls-cert", certificate, "--tls-key", key)

    @property
    def settings(self) -> dict[str, str]:
        """Of a command that joins, as docs/operations.md has them."""
        return {
            "DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(self.certificate),
            "DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT": str(self.certificate),
            "DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY": str(self.key),
        }


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files.made(tmp_path / "certificates")


@pytest.fixture
def scheduler_with_tls(tmp_path: Path, files: Files) -> Iterator[str]:
    """Run a scheduler and a worker that let in who has the files; give the address."""
    told = tmp_path / "scheduler.json"
    with ExitStack() as stack:

        def dask(*arguments: str) -> None:
            command = [sys.executable, "-m", "dask", *arguments, *files.options]
            stack.enter_context(nothing_left(start(command, folder=tmp_path / "dask")))

        listens = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        dask("scheduler", "--protocol", "tls", *listens, "--scheduler-file", str(told))
        wait_until(lambda: _address(told) != "", what="the scheduler's address")
        dask("worker", _address(told), "--no-nanny", "--nthreads", "1", "--no-dashboard")
        yield _address(told)


def test_who_has_the_certificate_is_let_in(
    scheduler_with_tls: str,
    files: Files,
    tmp_path: Path,
    data: Path,
    store: Path,
    genre: Genre,
    undisturbed: FeaturesFolder,
) -> None:
    assert scheduler_with_tls.startswith("tls://")
    arguments = ("features", "--data", data, "--store", store, "--scheduler", scheduler_with_tls)
    others = Files.made(tmp_path / "others")
    # the session's own cluster has a certificate, too, which what is started would take
    bare = {name: None for name in os.environ if name.startswith("DASK_DISTRIBUTED__COMM")}
    for env, says in (({}, "but Dask has no certificate; set"), (others.settings, "no Dask sche")):
        refused = Genre(genre.folder, {**genre.env, **bare, **env}).start(*arguments)
        with nothing_left(refused):
            assert refused.wait() == 2, refused.said
        (sentence,) = sentences(refused)
        assert says in sentence
        assert not store.exists()
    let_in = Genre(genre.folder, {**genre.env, **bare, **files.settings})
    assert let_in(*arguments)["written"] == 379
    assert_same_features(FeaturesFolder.only_one(store), undisturbed)


def test_ones_own_cluster_needs_none_of_it(
    files: Files, data: Path, store: Path, genre: Genre, undisturbed: FeaturesFolder
) -> None:
    """Settings for a joined cluster, also such as allow nothing in clear, are not for one's own."""
    settings = {**files.settings, "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "true"}
    own = Genre(genre.folder, {**genre.env, **settings})
    assert own("features", "--data", data, "--store", store)["written"] == 379
    assert_same_features(FeaturesFolder.only_one(store), undisturbed)


def _address(told: Path) -> str:
    try:
        return str(json.loads(told.read_text())["address"])
    except (FileNotFoundError, ValueError):
        return ""
