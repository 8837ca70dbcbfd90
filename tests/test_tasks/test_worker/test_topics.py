"""What workers send is heard meanwhile; a scheduler that is gone does not hide why it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from distributed import Client
from distributed.comm.core import CommClosedError
from fault_processes import wait_until

from tasks.worker.topics import heard


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(processes=False, n_workers=1, dashboard_address=":0") as client:
        yield client


def test_what_is_sent_meanwhile(client: Client) -> None:
    said: list[str] = []

    def is_heard() -> bool:
        client.log_event("topic", "meanwhile")  # again: the subscription may arrive after it
        return bool(said)

    with heard(client, "topic", lambda event: said.append(event[1])):
        wait_until(is_heard, every_s=0.1, what="an event")
    assert set(said) == {"meanwhile"}


def test_a_closed_client_does_not_hide_what_was_raised(client: Client) -> None:
    with pytest.raises(CommClosedError, match="gone"), heard(client, "topic", print):  # noqa: PT012
        client.close()
        raise CommClosedError("gone")
