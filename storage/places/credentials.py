"""Credentials by name, so that what is pickled never holds them.

A location that travels to another process says which credentials it needs, not what they are: a
log that shows a pickle then shows a name. Who sends it hands the credentials over beforehand, by a
way of its own; only a child that `multiprocessing` starts is given them with the pickle, through
the pipe that the two share.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from multiprocessing.context import get_spawning_popen
from threading import Lock

from storage.errors import NotHandedOver

Credential = Mapping[str, object] | str
"""Options of an object store, or a login."""


class _Kept:
    """What this process knows: name -> credential as JSON. It has no representation that tells."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._texts: dict[str, str] = {}

    def __reduce__(self) -> str:
        raise TypeError("credentials are never pickled")

    def name_of(self, text: str) -> str:
        with self._lock:
            for name, known in self._texts.items():
                if known == text:
                    return name
            # random, and not a hash: of a password that can be guessed, a hash would tell
            name = uuid.uuid4().hex
            self._texts[name] = text
            return name

    def texts(self, names: Iterable[str]) -> dict[str, str]:
        with self._lock:
            return {name: self._texts[name] for name in names}

    def text(self, name: str) -> str | None:
        with self._lock:
            return self._texts.get(name)

    def add(self, texts: Mapping[str, str]) -> None:
        with self._lock:
            self._texts.update(texts)

    def remove(self, names: Iterable[str]) -> None:
        with self._lock:
            for name in names:
                self._texts.pop(name, None)


_kept = _Kept()
_noted: ContextVar[set[str] | None] = ContextVar("noted", default=None)


@contextmanager
def noted() -> Iterator[set[str]]:
    """Yield a set that is given the name of each credential which is pickled meanwhile."""
    names: set[str] = set()
    before = _noted.set(names)
    try:
        yield names
    finally:
        _noted.reset(before)


def travelling(credential: Credential) -> str:
    """Give what stands for a credential in a pickle; "" for one that is empty."""
    if not credential:
        return ""
    text = json.dumps(credential, sort_keys=True)
    name = _kept.name_of(text)
    if get_spawning_popen() is not None:
        return f"{name}={text}"
    names = _noted.get()
    if names is not None:
        names.add(name)
    return name


def arrived(sign: str, *, where: str) -> Credential:
    """Give the credential that a pickle's sign stands for.

    Parameters
    ----------
    sign : str
        Of `travelling`, not "".
    where : str
        The address that it is for.

    Raises
    ------
    NotHandedOver
        If this process was not given it.
    """
    name, _, text = sign.partition("=")
    if text:
        _kept.add({name: text})
    found = _kept.text(name)
    if found is None:
        raise NotHandedOver(
            f"The credentials of {where} were not handed over to this process, and what is pickled "
            "never holds them; give it the address and credentials of its own."
        )
    credential: Credential = json.loads(found)
    return credential


def texts_of(names: Iterable[str]) -> Mapping[str, str]:
    """Give credentials of this process as texts, for a process that is to `keep` them."""
    return _kept.texts(names)


def keep(texts: Mapping[str, str]) -> None:
    """Keep what another process gave of its `texts_of`."""
    _kept.add(texts)


def forget(names: Iterable[str]) -> None:
    """Forget credentials that were handed over."""
    _kept.remove(names)
