"""Credentials on their way to a Dask worker, sealed so that only that worker's process reads them.

What Dask sends passes through its scheduler, and at level DEBUG it is logged as it is. So a worker
tells a public key, whose private half never leaves its memory, and is given credentials encrypted
to that key (HPKE, RFC 9180). It proves nothing about who asks: whoever controls the scheduler or a
worker can run code there anyway; see `docs/decisions/0009-credentials-are-handed-over-by-name.md`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from storage.places import credentials

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.hpke import Suite

_PURPOSE = b"fma-genre credentials 1"


def public_key() -> bytes:
    """Tell this process's key [32 bytes]; asked of a worker."""
    return _own_key().public_key().public_bytes_raw()


def sealed(names: Iterable[str], key: bytes) -> bytes:
    """Seal credentials of this process for the one whose `public_key` is `key`."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    texts = json.dumps(dict(credentials.texts_of(names))).encode()
    return _suite().encrypt(texts, X25519PublicKey.from_public_bytes(key), _PURPOSE)


def take(seal: bytes) -> None:
    """Keep what was `sealed` for this process, and know it by its names; asked of a worker."""
    credentials.keep(json.loads(_suite().decrypt(seal, _own_key(), _PURPOSE)))


def forget(names: Iterable[str]) -> None:
    """Forget credentials; asked of a worker when the run that needed them has ended."""
    credentials.forget(names)


@functools.cache
def _own_key() -> X25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    return X25519PrivateKey.generate()


def _suite() -> Suite:
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
