"""Credentials are sealed for one process: nobody on the way reads them."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest
from cryptography.exceptions import InvalidTag
from limits import STEP_S

from storage.places import credentials
from storage.places.bucket import Bucket
from tasks.worker import handing_over, pickled_call

SECRET = "planted-secret"
OTHER = """
import pickle, sys
from tasks.worker import handing_over, pickled_call
sys.stdout.buffer.write(handing_over.public_key())
sys.stdout.buffer.flush()
seal, call = pickle.load(sys.stdin.buffer)
handing_over.take(seal)
print(pickled_call.call(call)["secret"])
"""


def test_another_process_reads_what_was_sealed_for_it() -> None:
    call = pickled_call.pickled(getattr, Bucket("box", "", {"secret": SECRET}), "options")
    assert len(call.credentials) == 1
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdin is not None
    assert other.stdout is not None
    seal = handing_over.sealed(call.credentials, other.stdout.read(32))
    sent = pickle.dumps((seal, call))
    assert SECRET.encode() not in sent
    said, _ = other.communicate(sent, timeout=STEP_S)
    assert said.decode().strip() == SECRET


def test_nobody_else_does() -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    with credentials.noted() as names:
        pickle.dumps(Bucket("box", "", {"secret": SECRET}))
    seal = handing_over.sealed(names, X25519PrivateKey.generate().public_key().public_bytes_raw())
    assert SECRET.encode() not in seal
    with pytest.raises(InvalidTag):
        handing_over.take(seal)


def test_what_is_forgotten_is_not_known_any_more() -> None:
    with credentials.noted() as names:
        pickled = pickle.dumps(Bucket("box", "", {"secret": "of a run that ends"}))
    handing_over.forget(names)
    with pytest.raises(LookupError, match="not handed over"):
        pickle.loads(pickled)
