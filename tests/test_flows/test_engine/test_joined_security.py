"""What is said before a Dask scheduler is talked to: in clear, or without the right settings."""

from __future__ import annotations

from pathlib import Path

import dask
import pytest

from flows.engine.joined_security import joined_security
from flows.errors import UsageError

ELSEWHERE = "198.51.100.77:8786"  # of a range that nobody has (RFC 5737)


def said(scheduler: str) -> list[str]:
    sentences: list[str] = []
    joined_security(scheduler, say=sentences.append)
    return sentences


@pytest.mark.parametrize("address", ["127.0.0.1:8786", "tcp://localhost:8786", "tcp://[::1]:1"])
def test_nothing_is_said_of_ones_own_machine(address: str) -> None:
    assert said(address) == []


@pytest.mark.parametrize("address", [ELSEWHERE, f"tcp://{ELSEWHERE}"])
def test_another_host_in_clear_is_one_line(address: str) -> None:
    (sentence,) = said(address)
    assert sentence.startswith(f"the Dask scheduler at {address} is talked to in clear: ")
    assert "or use tls://" in sentence


@pytest.mark.parametrize(
    ("settings", "address", "says"),
    [
        ({}, f"tls://{ELSEWHERE}", "but Dask has no certificate; set DASK_DISTRIBUTED__COMM__TLS_"),
        ({"distributed.comm.require-encryption": True}, f"tcp://{ELSEWHERE}", "allows tls:// only"),
        (
            {
                "distributed.comm.tls.ca-file": "/nowhere/ca.pem",
                "distributed.comm.tls.client.cert": "/nowhere/cert.pem",
            },
            f"tls://{ELSEWHERE}",
            "distributed.comm.tls name cannot be used: ",
        ),
    ],
)
def test_settings_that_let_nobody_connect(
    settings: dict[str, object], address: str, says: str
) -> None:
    with dask.config.set(settings), pytest.raises(UsageError) as caught:
        said(address)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_certificate(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    named = {"ca-file": str(tmp_path / "ca.pem"), "client.cert": str(tmp_path / "ca.pem")}
    settings = {f"distributed.comm.tls.{name}": value for name, value in named.items()}
    with dask.config.set(settings), pytest.raises(UsageError, match="cannot be used"):
        said(f"tls://{ELSEWHERE}")
