"""Seals: a sha256 over a name and the bytes that were published under it.

Whatever is changed, cut off, or put in the place of another thing does not fit its seal. Seals tell
accidents; who may write to the store can make new ones.

    a document   its own key "seal", over everything else in it
    a table      a text of fixed length in the parquet footer, over the file with zeros there
    a folder     `storage.proof.folders`: a document that holds the sha256 of each file
"""

import json
from collections.abc import Mapping
from hashlib import sha256

from storage.errors import Damaged

SEAL = "seal"
TABLE_KEY = b"storage.seal"
_MARK = b"sealed with sha256 "
_DIGITS = 64
BLANK = _MARK + b"0" * _DIGITS
"""What a table holds at first in place of its seal."""


class Unsealed(Damaged):
    """It has no seal: an older version wrote it, or it was lost."""


def seal(content: bytes, *, of: str = "") -> str:
    """Return the seal of some bytes: 64 hex digits.

    Parameters
    ----------
    content : bytes
    of : str
        Name of what is sealed, as `champion.json`, so that it is not taken for another thing of
        its kind; empty where the content itself tells.
    """
    digest = sha256(f"{of}\0".encode() if of else b"")
    digest.update(content)
    return digest.hexdigest()


def canonical(document: Mapping[str, object]) -> bytes:
    """Write a document so that equal ones are equal bytes."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def seal_document(document: Mapping[str, object], *, of: str) -> dict[str, object]:
    """Return a document with its seal."""
    return {**document, SEAL: seal(canonical(document), of=of)}


def check_document(document: Mapping[str, object], *, of: str, where: str) -> dict[str, object]:
    """Return a document without its seal.

    Parameters
    ----------
    document : Mapping
    of : str
        As it was given to `seal_document`.
    where : str
        Its address, for the sentence.

    Raises
    ------
    Unsealed
        If it has none.
    Damaged
        If the seal is that of another content.
    """
    content = {key: value for key, value in document.items() if key != SEAL}
    if SEAL not in document:
        raise Unsealed(f"{where} has no seal.")
    if document[SEAL] != seal(canonical(content), of=of):
        raise Damaged(f"{where} was changed: its seal does not hold.")
    return content


def seal_table(data: bytes, *, of: str) -> bytes:
    """Put the seal in the place of `BLANK`, of which the file must have one at least.

    Raises
    ------
    ValueError
        If it has none.
    """
    start = data.rindex(BLANK) + len(_MARK)
    return data[:start] + seal(data, of=of).encode() + data[start + _DIGITS :]


def check_table(data: bytes, *, of: str, where: str) -> None:
    """Compare the bytes of a table with their seal.

    Raises
    ------
    Unsealed, Damaged
        As for `check_document`.
    """
    start = data.rfind(_MARK)
    if start < 0:
        raise Unsealed(f"{where} has no seal.")
    start += len(_MARK)
    found = data[start : start + _DIGITS]
    blank = data[:start] + b"0" * _DIGITS + data[start + _DIGITS :]
    if found != seal(blank, of=of).encode():
        raise Damaged(f"{where} was changed: its seal does not hold.")
