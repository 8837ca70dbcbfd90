"""WAV files that were written to a pipe: their header could not be mended when all was written."""

from __future__ import annotations

import struct

from genre_model.signal.audio import Content


def with_data_size(content: Content) -> bytes | None:
    """Write into a WAV file how much audio it has, where it says none.

    Parameters
    ----------
    content : bytes or mmap
        The whole file.

    Returns
    -------
    bytes | None
        The file with a true size of its chunk `data`, which reaches to its end; None if that
        chunk has a size, or there is none.
    """
    at = 12
    while at + 8 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        if name == b"data":
            rest = len(content) - at - 8
            if size or not rest:
                return None
            sizes = struct.pack("<I", min(rest, 2**32 - 1))
            return content[: at + 4] + sizes + content[at + 8 :]
        at += 8 + size + size % 2
    return None
