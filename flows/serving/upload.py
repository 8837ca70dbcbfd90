"""A song on its way in: a multipart field or a raw body, into a file of bounded size."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from flows.serving.served import Served

FIELD = "file"
_OVERHEAD = 1 << 16
"""Bytes of a multipart body beside its file."""
_PIECE = 1 << 20


@asynccontextmanager
async def received(
    request: Request, served: Served, *, folder: Path
) -> AsyncIterator[tuple[str, Path]]:
    """Receive a song; its file goes at the end.

    Parameters
    ----------
    request : Request
        Of which nothing was read.
    served : Served
        Says how large a song may be, and how long it may take to arrive.
    folder : Path
        Where the file lies meanwhile.

    Yields
    ------
    tuple[str, Path]
        What the sender calls the song, and the file.

    Raises
    ------
    HTTPException
        408, 413, 400 or 415 where it is too slow, too large, broken off, or no song at all.
    """
    most_bytes = _most_bytes(served)
    body = _bounded(request, served)
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


async def drain(request: Request, served: Served) -> None:
    """Read a body that is not wanted: a browser that still sends does not see the answer."""
    with contextlib.suppress(HTTPException):  # the limits hold for it, too
        async for _ in _bounded(request, served):
            pass


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


async def _bounded(request: Request, served: Served) -> AsyncGenerator[bytes, None]:
    most = _most_bytes(served) + _OVERHEAD
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > most:
        raise _too_large(most - _OVERHEAD)
    got, clock = 0, asyncio.get_running_loop().time
    end = clock() + served.arrival_seconds
    pieces = request.stream()
    while True:
        try:
            async with asyncio.timeout(min(served.max_seconds, end - clock())):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except ClientDisconnect as error:
            raise HTTPException(400, "the song broke off; send it again") from error
        except TimeoutError as error:
            raise _too_slow(served, is_over=clock() >= end) from error
        got += len(piece)
        if got > most:
            raise _too_large(most - _OVERHEAD)
        yield piece


def _most_bytes(served: Served) -> int:
    return served.max_mb * 10**6


def _too_slow(served: Served, *, is_over: bool) -> HTTPException:
    if is_over:
        return HTTPException(
            408,
            f"the song had not arrived after {served.arrival_seconds:g} s, which is the limit here",
        )
    return HTTPException(408, f"nothing came for {served.max_seconds:g} s; send it again")


def _too_large(most_bytes: int) -> HTTPException:
    return HTTPException(
        413, f"the song is larger than {most_bytes // 10**6} MB, which is the limit here"
    )
