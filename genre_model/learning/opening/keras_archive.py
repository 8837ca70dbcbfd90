"""The parts of a `.keras` file: a zip archive of three members, none of them packed."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass

from genre_model.errors import ModelError

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
MOST_BYTES = 2**30
"""Of a whole file: a thousand times those of this project's networks."""
_MOST = {CONFIG: 4 * 2**20, METADATA: 2**16, WEIGHTS: MOST_BYTES}


@dataclass(frozen=True)
class KerasParts:
    """What a `.keras` file holds.

    Attributes
    ----------
    config : bytes
        The layers, as JSON.
    weights : bytes
        Their numbers, as HDF5.
    """

    config: bytes
    weights: bytes

    def packed(self) -> bytes:
        """Write them as a file that Keras opens, with nothing else in it."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as members:
            members.writestr(METADATA, "{}")
            members.writestr(CONFIG, self.config)
            members.writestr(WEIGHTS, self.weights)
        return archive.getvalue()


def take_apart(data: bytes) -> KerasParts:
    """Take a `.keras` file apart.

    Keras packs nothing, so that a member has as many bytes in the file as it says, and no archive
    unpacks to more than itself.

    Raises
    ------
    ModelError
        If it is no such file; the text says why, as the end of a sentence.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_members(archive.infolist())
            return KerasParts(archive.read(CONFIG), archive.read(WEIGHTS))
    # an archive whose headers are damaged may say that it is encrypted, or packed in any way
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError) as error:
        if isinstance(error, ModelError):
            raise
        reason = str(error) or type(error).__name__
        raise ModelError(f"is no whole zip archive ({reason})") from error


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    names = sorted(each.filename for each in members)
    if names != sorted(_MOST):
        found = ", ".join(map(repr, names[:5])) + (" …" if len(names) > 5 else "")
        raise ModelError(f"holds {found or 'nothing'}, where Keras writes {', '.join(_MOST)}")
    for each in members:
        if each.compress_type != zipfile.ZIP_STORED or each.compress_size != each.file_size:
            raise ModelError(
                f"has {each.filename} packed ({each.compress_size:,} bytes of {each.file_size:,}), "
                "which Keras does not do"
            )
        if each.file_size > _MOST[each.filename]:
            raise ModelError(
                f"has {each.file_size:,} bytes of {each.filename}, more than "
                f"{_MOST[each.filename]:,}"
            )
