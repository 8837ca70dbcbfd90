"""The checkpoints of one training in the store, the same in a folder and in a bucket.

models/<id>/checkpoints/epoch-0007.zip     written at once after each epoch; the one before it goes

Former versions kept folders (epoch-0007/network.keras …) in stores on disk; they are gone on from.
"""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from genre_model.errors import ModelError
from genre_model.learning.checkpoints import Checkpoint, decode_checkpoint, encode_checkpoint, pack
from storage.places.location import Location

_FILE = re.compile(r"^epoch-(\d+)(\.zip|/[^/]+)$")


@dataclass
class StoredCheckpoints:
    """Where the states of one training outlast a kill; what `train` calls `Checkpoints`.

    Whoever uses it holds the claim on the model.

    Parameters
    ----------
    place : Location
        `models/<id>/checkpoints`.
    say : callable, optional
        Called with a sentence: where training goes on, or what cannot be gone on from.
    """

    place: Location
    say: Callable[[str], None] | None = None
    _files: dict[int, list[str]] = field(default_factory=dict)

    def load(self) -> Checkpoint | None:
        """Give the newest state that is whole, None if there is none."""
        self.place.sweep()
        self._files = self._list()
        for epoch in sorted(self._files, reverse=True):
            try:
                state = decode_checkpoint(self._read(epoch))
            except ModelError as error:
                self._tell(
                    f"{self._of(epoch).uri} is damaged: {error}; training goes on from a "
                    "checkpoint before it, or begins again"
                )
            else:
                self._tell(f"training goes on after epoch {epoch}, kept at {self.place.uri}")
                return state
        return None

    def save(self, state: Checkpoint) -> None:
        """Keep a state in one write, then delete the ones before it."""
        epoch = len(state.history)
        self._of(epoch).write_bytes(encode_checkpoint(state))
        for old in self._files.keys() - {epoch}:
            self._delete(old)
        self._files = {epoch: [self._of(epoch).name]}

    def _list(self) -> dict[int, list[str]]:
        found = defaultdict(list)
        for entry in self.place.list(recursive=True):
            if match := _FILE.match(entry.name):
                found[int(match[1])].append(entry.name)
        return dict(found)

    def _of(self, epoch: int) -> Location:
        return self.place / f"epoch-{epoch:04d}.zip"

    def _read(self, epoch: int) -> bytes:
        files = self._files[epoch]
        if self._of(epoch).name in files:
            return self._of(epoch).read_bytes()
        return pack({name.partition("/")[2]: (self.place / name).read_bytes() for name in files})

    def _delete(self, epoch: int) -> None:
        for name in self._files[epoch]:
            (self.place / name).delete()
        if self.place.local_path is not None:
            with contextlib.suppress(OSError):  # there is none, but for those of former versions
                (self.place.local_path / f"epoch-{epoch:04d}").rmdir()

    def _tell(self, sentence: str) -> None:
        if self.say is not None:
            self.say(sentence)
