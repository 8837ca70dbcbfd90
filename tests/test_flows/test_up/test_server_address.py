"""Where `genre up` has its server listen: on loopback, unless an address is named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_URL,
    PREFECT_SERVER_API_AUTH_STRING,
    temporary_settings,
)

from flows.errors import UsageError
from flows.up import local_server

ELSEWHERE = "198.51.100.77"  # of a range that nobody has (RFC 5737)


@pytest.fixture(autouse=True)
def _unset() -> Iterator[None]:
    unset = {PREFECT_API_URL, PREFECT_API_AUTH_STRING, PREFECT_SERVER_API_AUTH_STRING}
    with temporary_settings(restore_defaults=unset):
        yield


@pytest.mark.parametrize(
    ("host", "port", "address"),
    [
        (None, None, "http://127.0.0.1:4200/api"),
        (None, 4300, "http://127.0.0.1:4300/api"),
        ("10.0.0.2", None, "http://10.0.0.2:4200/api"),
        ("fd00::2", 4300, "http://[fd00::2]:4300/api"),
        ("music.example.org", None, "http://music.example.org:4200/api"),
    ],
)
def test_the_address_is_told_to_everybody(host: str | None, port: int | None, address: str) -> None:
    assert local_server.api_address(host=host, port=port) == address


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_every_address_at_once_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match="which other machines cannot be told; name the address"):
        local_server.api_address(host=host, port=None)


def test_a_configured_address_must_agree() -> None:
    with temporary_settings({PREFECT_API_URL: "http://10.0.0.2:4200/api"}):
        asked = local_server.api_address(host="10.0.0.2", port=4200)
        assert asked == "http://10.0.0.2:4200/api"
        with pytest.raises(UsageError, match=r"--host is 10.0.0.3, but PREFECT_API_URL is http://"):
            local_server.api_address(host="10.0.0.3", port=None)


def test_an_address_of_another_machine_is_refused() -> None:
    api = f"http://{ELSEWHERE}:4200/api"
    with pytest.raises(UsageError, match=f"--host is {ELSEWHERE}, which is no address of this"):
        local_server.check_place(api, is_shared=True)
    with pytest.raises(UsageError, match=f"another machine; .*--host {ELSEWHERE} if that is this"):
        local_server.check_place(api)


def test_the_password_is_the_clients_or_the_servers() -> None:
    assert local_server.password() is None
    with temporary_settings({PREFECT_SERVER_API_AUTH_STRING: "genre:sesame"}):
        assert local_server.password() == "genre:sesame"
        with temporary_settings({PREFECT_API_AUTH_STRING: "genre:open"}):
            assert local_server.password() == "genre:open"
