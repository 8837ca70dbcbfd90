"""The application: a page, `POST /predict`, what is served, and whether it is well."""

from __future__ import annotations

import base64
import errno
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse

from flows.engine.progress import say
from flows.serving import api_page
from flows.serving.hearers import SOON_S, Full, Hearers
from flows.serving.served import Served
from flows.serving.upload import FIELD, drain, received
from genre_model.errors import ModelError
from tasks.worker.errors import WorkerError

if TYPE_CHECKING:
    from genre_model.hearing.overview import Overview
    from genre_model.hearing.prediction import Prediction

PAGE = Path(__file__).with_name("page")
_FILES = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_DEEPEST_DB, _LOUDEST_DB = -80.0, 30.0
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY: Mapping[str, object] = {
    "requestBody": {
        "required": True,
        "description": f"A song of any format that libsndfile reads: as the field `{FIELD}` of a "
        "form, or as the body itself.",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "properties": {FIELD: {"type": "string", "format": "binary"}},
                }
            },
            "application/octet-stream": _BINARY,
            "audio/*": _BINARY,
        },
    }
}
_ANSWERS: Mapping[int | str, Mapping[str, object]] = {
    200: {"description": "What the model says: one of `predictions` of `genre predict --json`."},
    401: {"description": "The token is missing or another one."},
    403: {"description": "A page of another origin asks."},
    400: {"description": "The form cannot be read, or the song broke off."},
    408: {"description": "Nothing more of the song came, or it took too long to arrive."},
    413: {"description": "The song is too large."},
    415: {"description": f"The form has no file in its field `{FIELD}`."},
    422: {"description": "The song gives no genre: `status` and `detail` say why."},
    500: {"description": "The model or the decoder is broken: `detail` says how."},
    503: {"description": "Too many songs wait: come again after `Retry-After` seconds."},
}


def make_app(served: Served, hearers: Hearers, folder: Path) -> FastAPI:
    """Make the application.

    Parameters
    ----------
    served : Served
    hearers : Hearers
    folder : Path
        Where songs lie while they are heard.
    """
    app = FastAPI(
        title="Genres of songs",
        version="1",
        description="One model hears songs of any length, and says their genres over time.",
        docs_url=None,
        redoc_url=None,
    )
    for path, (name, kind) in _FILES.items():
        _serve_file(app, path, PAGE / name, kind)

    @app.get("/health", summary="Whether the server is well")
    async def health() -> dict[str, object]:
        return {"status": "ok", "songs": hearers.waiting}

    @app.get("/model", summary="Which model hears, what it is worth, and the limits")
    async def model() -> dict[str, object]:
        return served.to_dict()

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(api_page.html(app.openapi()))

    @app.post(
        "/predict",
        summary="Name the genres of a song",
        responses={code: dict(said) for code, said in _ANSWERS.items()},
        openapi_extra=dict(_BODY),
    )
    async def predict(
        request: Request, picture: bool = False, lenient: bool = False
    ) -> JSONResponse:
        """Hear a song.

        With `picture` its mel picture comes too, as bytes in base64, band by band; with `lenient`
        a song that gives no genre is answered with 200, as the page wants it.
        """
        try:
            with hearers.place():
                found = await _answer(request, served, hearers, folder, picture=picture)
        except Full as error:
            await drain(request, served)
            raise HTTPException(503, str(error), headers={"Retry-After": str(SOON_S)}) from error
        is_bad = found["genre"] is None and not lenient
        return JSONResponse(found, status_code=422 if is_bad else 200)

    return app


async def _answer(
    request: Request, served: Served, hearers: Hearers, folder: Path, *, picture: bool
) -> dict[str, object]:
    try:
        async with received(request, served, folder=folder) as (name, song):
            found = await hearers.hear(song, overview=picture)
    except (ModelError, WorkerError) as error:  # before OSError: DecoderStalled is one, too
        say(str(error))
        # whoever asks is told of the model by its id, not where it lies
        told = str(error).replace(str(served.chosen.folder), served.chosen.id)
        raise HTTPException(500, told) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise HTTPException(507, "there is no space left for songs on this server") from error
    return _said(found, name)


def _said(found: Prediction, name: str) -> dict[str, object]:
    said = {**found.to_dict(), "path": name, "detail": found.detail.replace(found.path, name)}
    if found.overview is not None:
        said["picture"] = _picture(found.overview)
    return said


def _picture(overview: Overview) -> dict[str, object]:
    """Return a mel picture as bytes: 0 is -80 dB or less, 255 is 30 dB or more."""
    import numpy as np

    share = (overview.decibels - _DEEPEST_DB) / (_LOUDEST_DB - _DEEPEST_DB)
    grey = (share.clip(0, 1) * 255).astype(np.uint8)
    bands, columns = grey.shape
    return {
        "bands": bands,
        "columns": columns,
        "seconds": overview.seconds,
        "lowest_hz": overview.lowest,
        "highest_hz": overview.highest,
        "data": base64.b64encode(grey.tobytes()).decode(),
    }


def _serve_file(app: FastAPI, path: str, file: Path, kind: str) -> None:
    @app.get(path, include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(file, media_type=kind)
