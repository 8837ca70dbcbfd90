"""What can go wrong with bytes at rest: one root, leaves that inherit what a caller expects.

Every message is one sentence that names the thing, its value and the remedy, and never a
credential. `remedied_by_user` tells the command line which of them end with exit status 2:
what was given or what is around it must change first.
"""
# ruff: noqa: N818 (a suffix Error on every leaf would say nothing that the root does not)

import os
from collections.abc import Sequence


class StorageError(Exception):
    """Root of all errors of this room.

    Attributes
    ----------
    remedied_by_user : bool
        True where a rerun fails again until the user changes an option, a permission or a disk.
    """

    remedied_by_user: bool = False


class NotFound(StorageError, FileNotFoundError):
    """Nothing lies under that name."""

    remedied_by_user = True


class AlreadyThere(StorageError, FileExistsError):
    """Something lies already where something was to be created."""


class NameTaken(AlreadyThere):
    """Another thing has the name that was given."""

    remedied_by_user = True


class Refused(StorageError, PermissionError):
    """The file system or the bucket does not let us: permission, credentials, no such bucket."""

    remedied_by_user = True


class CredentialsRefused(Refused):
    """Nothing in the bucket lets us: wrong or expired credentials, or no such bucket."""


class NotHandedOver(StorageError, LookupError):
    """A location was unpickled in a process that was not given its credentials."""


class Full(StorageError, OSError):
    """No space is left, or a quota is used up."""

    remedied_by_user = True


class Unreachable(StorageError, ConnectionError):
    """The store did not answer, or answered with a fault of its own; worth a retry.

    Parameters
    ----------
    message : str
        The sentence.
    may_be_full : bool
        Whether the fault may be a server's way to say that its disk is full.
    wait_s : float, optional
        How long the server asks to wait.
    """

    def __init__(
        self, message: str, *, may_be_full: bool = False, wait_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.may_be_full, self.wait_s = may_be_full, wait_s

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_unreachable, (type(self), str(self), self.may_be_full, self.wait_s)


class Rewritten(Unreachable):
    """What was being read was written again meanwhile."""


class NoAnswer(Unreachable):
    """Nothing answers at the very first request: the address is wrong, or no server runs there."""

    remedied_by_user = True


class Damaged(StorageError, ValueError):
    """What lies there is not what was written."""

    remedied_by_user = True


class NoRegularFile(Refused, Damaged):
    """A pipe, a folder or a device lies where a file must be."""


class UnknownFormat(StorageError, ValueError):
    """The store, or the location's scheme, is of a kind this version does not know."""

    remedied_by_user = True


class NoStore(UnknownFormat, Damaged):
    """What lies there as the description of a store is none."""


class BadArchive(StorageError, ValueError):
    """An archive that is refused: cut off, damaged, encrypted, or with members that are unsafe."""

    remedied_by_user = True


class Mismatched(StorageError, ValueError):
    """What is asked for contradicts what the store holds under that name."""

    remedied_by_user = True


class MisalignedWrite(StorageError, ValueError):
    """A write that is not exactly one whole shard of its plan."""


class InvalidPlan(StorageError, ValueError):
    """What was to be planned contradicts itself or the stored plans."""


class ClaimLost(StorageError, RuntimeError):
    """The claim this process worked under belongs to another one now."""


class Busy(StorageError, RuntimeError):
    """Another live process holds the claim."""

    remedied_by_user = True


class Incomplete(StorageError, RuntimeError):
    """Parts of a plan are missing.

    Parameters
    ----------
    message : str
        The sentence.
    missing : Sequence[int]
        Shards without a manifest, or whose bytes do not fit it.
    """

    def __init__(self, message: str, *, missing: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.missing = tuple(missing)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_incomplete, (str(self), self.missing)


def in_words(path: str | os.PathLike[str]) -> str:
    r"""Write a path for a sentence: its bytes that are not UTF-8 as `\xe9`."""
    escaped = os.fspath(path).encode("utf-8", "backslashreplace").decode()
    return escaped.replace(r"\udc", r"\x")  # Python keeps the byte e9 as the character U+DCE9


def _rebuild_unreachable(
    kind: type[Unreachable], message: str, may_be_full: bool, wait_s: float | None
) -> Unreachable:
    return kind(message, may_be_full=may_be_full, wait_s=wait_s)


def _rebuild_incomplete(message: str, missing: tuple[int, ...]) -> Incomplete:
    return Incomplete(message, missing=missing)
