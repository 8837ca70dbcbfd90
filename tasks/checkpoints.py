"""The checkpoints of one training in the store, the same in a folder and in a bucket.

models/<id>/checkpoints/epoch-0007.zip     written at once after each epoch; the one before it goes
            checkpoints/again/             the same of a training that takes a model's place
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from genre_model.errors import ModelError
from genre_model.learning.checkpoints import Checkpoint, decode_checkpoint, encode_checkpoint
from storage.places.folder import explained
from storage.places.location import Location

_FILE = re.compile(r"^epoch-(\d{4,})\.zip$")


@dataclass
class StoredCheckpoints:
    """Where the states of one training outlast a kill; what `train` calls `Checkpoints`.

    Whoever uses it holds the claim on the model.

    Parameters
    ----------
    place : Location
        `models/<id>/checkpoints`, or `again` in it.
    say : callable, optional
        Called with a sentence: where training goes on, or what cannot be gone on from.
    scratch : Path, optional
        Folder of this machine for the file that Keras reads or writes.
    """

    place: Location
    say: Callable[[str], None] | None = None
    scratch: Path | None = None
    _epochs: set[int] = field(default_factory=set)

    def load(self) -> Checkpoint | None:
        """Give the newest state that is whole, None if there is none."""
        self.place.sweep()
        self._epochs = self._list()
        for epoch in sorted(self._epochs, reverse=True):
            try:
                state = decode_checkpoint(self._of(epoch).read_bytes(), scratch=self.scratch)
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
        self._of(epoch).write_bytes(self._encoded(state))
        for old in self._epochs - {epoch}:
            self._of(old).delete()
        self._epochs = {epoch}

    def _encoded(self, state: Checkpoint) -> bytes:
        # Keras writes a file first, and the disk of that may be full, too
        with explained("writing", self.scratch or Path(tempfile.gettempdir())):
            return encode_checkpoint(state, scratch=self.scratch)

    def _list(self) -> set[int]:
        matches = (_FILE.match(entry.name) for entry in self.place.list())
        return {int(match[1]) for match in matches if match}

    def _of(self, epoch: int) -> Location:
        return self.place / f"epoch-{epoch:04d}.zip"

    def _tell(self, sentence: str) -> None:
        if self.say is not None:
            self.say(sentence)
