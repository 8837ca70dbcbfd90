"""What is pickled holds the name of credentials, and whoever was given them knows them by it."""

from __future__ import annotations

import multiprocessing
import pickle
import subprocess
import sys
from typing import Any

import pytest
from limits import STEP_S

from storage.archives.archive_file import ArchiveAt
from storage.archives.http_origin import HttpOrigin
from storage.archives.origin import Stored
from storage.errors import NotHandedOver
from storage.places import credentials
from storage.places.bucket import Bucket

SECRET = "planted-secret"
OPTIONS: list[dict[str, Any]] = [
    {"key": "a-key", "secret": SECRET},
    {"client_kwargs": {"aws_secret_access_key": SECRET}},
    {"s3_additional_kwargs": {"SSECustomerKey": SECRET}},
    {"endpoint_url": f"http://me:{SECRET}@host"},
]
ARRIVES = "import pickle, sys; print(pickle.load(sys.stdin.buffer))"


def sent(what: object) -> bytes:
    pickled = pickle.dumps(what)
    assert SECRET.encode() not in pickled
    return pickled


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: next(iter(options)))
def test_a_bucket_travels_without_its_options(options: dict[str, Any]) -> None:
    place = Bucket("box", "a/b", options)
    assert pickle.loads(sent(place)) == place
    assert pickle.loads(sent(place)).options == options
    assert pickle.loads(sent(ArchiveAt(origin=Stored(place), size=1, etag="")))


def test_a_mirror_travels_without_its_login() -> None:
    origin = HttpOrigin("http://host/fma.zip", login=f"me:{SECRET}")
    assert pickle.loads(sent(origin)).login == f"me:{SECRET}"


def test_what_has_no_credentials_asks_for_none() -> None:
    with credentials.noted() as names:
        place = pickle.loads(pickle.dumps(Bucket("box", "")))
        origin = pickle.loads(pickle.dumps(HttpOrigin("http://host/fma.zip")))
    assert (place.options, origin.login, names) == ({}, "", set())


def test_the_names_that_were_pickled_are_told() -> None:
    place, origin = Bucket("box", "", OPTIONS[0]), HttpOrigin("http://h", login=f"me:{SECRET}")
    with credentials.noted() as names:
        pickle.dumps([place, place / "below", origin])
    assert len(names) == 2
    assert set(credentials.texts_of(names).values()) == {
        f'"me:{SECRET}"',
        f'{{"key": "a-key", "secret": "{SECRET}"}}',
    }
    assert SECRET not in str(names)
    assert SECRET not in repr(vars(credentials)["_kept"])


def test_a_name_says_nothing_of_what_it_names() -> None:
    code = (
        "import pickle, sys; from storage.places import credentials\n"
        "print(credentials.travelling(sys.argv[1]))"
    )
    names = {
        subprocess.run(
            [sys.executable, "-c", code, SECRET], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(names) == 2, "a hash would be the same, and could be guessed"


def test_a_process_that_was_given_nothing_says_so() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ARRIVES],
        input=sent(Bucket("box", "x", OPTIONS[0])),
        capture_output=True,
        check=False,
    )
    assert b"The credentials of s3://box were not handed over to this process" in done.stderr
    assert SECRET.encode() not in done.stderr


def test_a_process_that_was_given_them_knows_them() -> None:
    place = Bucket("box", "x", OPTIONS[0])
    with credentials.noted() as names:
        sent(place)
    texts = credentials.texts_of(names)
    credentials.forget(names)
    (name,) = names
    with pytest.raises(NotHandedOver, match="s3://box"):
        credentials.arrived(name, where="s3://box")
    credentials.keep(texts)
    assert credentials.arrived(name, where="s3://box") == OPTIONS[0]


def test_a_child_of_multiprocessing_gets_them_through_its_own_pipe() -> None:
    spawn = multiprocessing.get_context("spawn")
    answers = spawn.Queue()
    child = spawn.Process(target=_tell_options, args=(Bucket("box", "", OPTIONS[0]), answers))
    child.start()
    assert answers.get(timeout=STEP_S) == OPTIONS[0]
    child.join(STEP_S)


def _tell_options(place: Bucket, answers: Any) -> None:
    answers.put(dict(place.options))
