"""What becomes of the run that trains elsewhere when the one that waits for it ends."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.states import Completed, Failed, Running

from flows.engine import handover
from flows.errors import ChildFailed, UsageError

CHILD = SimpleNamespace(id=uuid.UUID(int=7), name="keen-owl")


class Server:
    """A server that answers each question for the child's state with the next of its answers."""

    def __init__(self, *answers: State[Any] | BaseException) -> None:
        self.answers = list(answers)
        self.set: list[Any] = []

    def read_flow_run(self, run: uuid.UUID) -> Any:
        assert run == CHILD.id
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return SimpleNamespace(id=run, state=answer)

    def set_flow_run_state(self, _run: uuid.UUID, state: State[Any], *, force: bool) -> None:
        assert force
        self.set.append(state.name)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "_POLL_S", 0.0)
    monkeypatch.setattr(handover, "run_deployment", lambda *_, **__: CHILD)
    monkeypatch.setattr(handover, "get_run_logger", lambda: logging.getLogger("handover"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have the waiting run ask this server, and give what that comes to."""

    def ask(server: Server) -> Any:
        @contextmanager
        def client(**_: Any) -> Iterator[Server]:
            yield server

        monkeypatch.setattr(handover, "get_client", client)
        return handover.run_elsewhere("train-model/train-model", {})

    return ask


def test_a_completed_child_is_given_back(asked: Any) -> None:
    server = Server(Running(), Completed(), Completed())
    assert asked(server).id == CHILD.id
    assert server.set == []


def test_a_failed_child_keeps_its_state(asked: Any) -> None:
    server = Server(Running(), Failed(message="no disk"))
    with pytest.raises(ChildFailed, match="ended Failed: no disk"):
        asked(server)
    assert server.set == []


def test_an_interrupted_wait_cancels_the_child(asked: Any) -> None:
    server = Server(Running(), KeyboardInterrupt(), Running())
    with pytest.raises(KeyboardInterrupt):
        asked(server)
    assert server.set == ["Cancelling"]


def test_a_child_that_has_ended_meanwhile_keeps_its_state(asked: Any) -> None:
    server = Server(Running(), KeyboardInterrupt(), Completed())
    with pytest.raises(KeyboardInterrupt):
        asked(server)
    assert server.set == []


def test_a_server_that_is_gone_does_not_hide_what_ended_the_wait(
    asked: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(Running(), ConnectionError("first"), ConnectionError("second"))
    with pytest.raises(ConnectionError, match="first"):
        asked(server)
    assert server.set == []
    assert "run 'keen-owl' could not be cancelled (ConnectionError: second)" in caplog.text


def test_a_deployment_that_is_not_there_is_named(
    asked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: Any, **__: Any) -> None:
        raise ObjectNotFound(KeyError("none"))

    monkeypatch.setattr(handover, "run_deployment", missing)
    with pytest.raises(UsageError, match="no deployment 'train-model/train-model'"):
        asked(Server())
