"""A song on its way in: a multipart field or a raw body, into a file of bounded size."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

FIELD = "file"
_OVERHEAD = 1 << 16
"""Bytes of a multipart body beside its file."""
_PIECE = 1 << 20


@asynccontextmanager
async def received(
    request: Request, *, folder: Path, most_bytes: int, patience_s: float
) -> AsyncIterator[tuple[str, Path]]:
    """Receive a song; its file goes at the end.

    Parameters
    ----------
    request : Request
        Of which nothing was read.
    folder : Path
        Where the file lies meanwhile.
    most_bytes : int
        Of the song.
    patience_s : float [s]
        How long more of the body is waited for.

    Yields
    ------
    tuple[str, Path]
        What the sender calls the song, and the file.

    Raises
    ------
    HTTPException
        408, 413, 400 or 415 where it is too slow, too large, or no song at all.
    """
    body = _bounded(request, most_bytes + _OVERHEAD, patience_s)
    with tempfile.NamedTemporaryFile(dir=folder, prefix="song-") as file:
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            name = await _from_form(request, body, Path(file.name))
        else:
            name = "song"
            async for piece in body:
                file.write(piece)
            file.flush()
        if Path(file.name).stat().st_size > most_bytes:
            raise _too_large(most_bytes)
        yield name, Path(file.name)


async def _from_form(request: Request, body: AsyncGenerator[bytes, None], to: Path) -> str:
    parser = MultiPartParser(request.headers, body, max_files=1, max_fields=8)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise HTTPException(400, f"the form cannot be read ({error.message})") from error
    upload = form.get(FIELD)
    try:
        if not isinstance(upload, UploadFile):
            raise HTTPException(
                415, f"the form has no file in its field {FIELD!r}; send the song there"
            )
        with to.open("wb") as file:
            while piece := await upload.read(_PIECE):
                file.write(piece)
        return _base(upload.filename or "")
    finally:
        await form.close()


def _base(name: str) -> str:
    """Return the last part of a name, whatever system it is of."""
    return PureWindowsPath(PurePosixPath(name).name).name[:255] or "song"


async def _bounded(request: Request, most: int, patience_s: float) -> AsyncGenerator[bytes, None]:
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > most:
        raise _too_large(most - _OVERHEAD)
    got = 0
    pieces = request.stream()
    while True:
        try:
            async with asyncio.timeout(patience_s):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise HTTPException(408, f"nothing came for {patience_s:g} s; send it again") from error
        got += len(piece)
        if got > most:
            raise _too_large(most - _OVERHEAD)
        yield piece


def _too_large(most_bytes: int) -> HTTPException:
    return HTTPException(
        413, f"the song is larger than {most_bytes // 10**6} MB, which is the limit here"
    )
