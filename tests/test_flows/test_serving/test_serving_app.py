"""The application of `genre serve`: who is answered, what is taken, and that nothing is kept."""

from __future__ import annotations

import asyncio
import base64
import re
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx
import numpy as np
import pytest
from limits import STEP_S
from made_model import GENRES, made_model

from flows.serving.access import Guard
from flows.serving.app import PAGE, make_app
from flows.serving.hearers import Hearers
from flows.serving.served import Served
from genre_model.errors import ModelError
from genre_model.hearing.overview import Overview
from genre_model.hearing.prediction import Prediction
from genre_model.learning.bundle import load_bundle
from genre_model.signal.status import Status
from tasks.predicting.chosen import ChosenModel, Judged
from tasks.worker.errors import DecoderBroken, DecoderStalled
from tasks.worker.predicting import PredictingChild

Asking = Callable[[httpx.AsyncClient], Coroutine[Any, Any, Any]]


@dataclass
class Child:
    """Takes the place of a child: songs are Low, but for those that are "bad"."""

    heard: list[bytes] = field(default_factory=list)
    may_go: threading.Event = field(default_factory=threading.Event)
    broken: Exception | None = None

    def predict(self, path: Path, *, overview: bool = False) -> Prediction:
        assert self.may_go.wait(STEP_S)
        content = path.read_bytes()
        self.heard.append(content)
        if isinstance(self.broken, Exception):
            raise self.broken
        if content == b"bad":
            return Prediction(str(path), Status.CRASHED, f"{path}: the decoder died (signal 11)")
        picture = Overview(np.array([[-200.0, 0.0, 90.0]], np.float32), 3.0, 20.0, 11_025.0)
        return Prediction(
            *(str(path), Status.OK, "", "Low", 0.75),
            probabilities={"Low": 0.75, "High": 0.25},
            overview=picture if overview else None,
        )


@dataclass
class Site:
    """The application with one child, and the folder that songs lie in."""

    folder: Path
    child: Child
    served: Served
    queue: int = 1

    def ask(self, asking: Asking, base: str = "http://127.0.0.1:8480") -> Any:
        async def run() -> Any:
            hearers = Hearers([cast(PredictingChild, self.child)], queue=self.queue)
            app = Guard(make_app(self.served, hearers, self.folder), token=self.served.token)
            transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=base) as client:
                return await asking(client)

        return asyncio.run(run())

    def post(self, content: Any = b"song", path: str = "/predict", **more: Any) -> httpx.Response:
        is_form = {"files", "data"} & set(more)
        given = more if is_form else {"content": content, **more}
        found = self.ask(lambda client: client.post(path, **given))
        assert isinstance(found, httpx.Response)
        return found


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> ChosenModel:
    folder = made_model(tmp_path_factory.mktemp("models") / "made", threshold=0.5)
    return ChosenModel(name=str(folder), folder=folder, bundle=load_bundle(folder))


def site_of(chosen: ChosenModel, folder: Path, **more: Any) -> Site:
    judged = Judged(tracks=9, track_accuracy=0.5, track_accuracy_interval=(0.2, 0.8))
    limits: dict[str, Any] = {"workers": 1, "queue": 1, "max_mb": 1, "max_seconds": 60}
    child = Child()
    child.may_go.set()
    return Site(folder, child, Served(chosen=chosen, judged=judged, **{**limits, **more}))


@pytest.fixture
def site(chosen: ChosenModel, tmp_path: Path) -> Site:
    return site_of(chosen, tmp_path)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"content": b"song"}, "song"),
        ({"content": b"song", "headers": {"content-type": "audio/mpeg"}}, "song"),
        ({"files": {"file": ("a b.mp3", b"song")}}, "a b.mp3"),
        ({"files": {"file": ("../../etc/x.mp3", b"song")}}, "x.mp3"),
        ({"files": {"file": ("C:\\music\\x.mp3", b"song")}, "data": {"other": "1"}}, "x.mp3"),
    ],
)
def test_a_song_comes_as_a_field_or_as_the_body(
    site: Site, given: dict[str, Any], name: str
) -> None:
    found = site.post(**given)
    assert found.status_code == 200
    assert site.child.heard == [b"song"]
    said = found.json()
    assert (said["path"], said["genre"], said["status"]) == (name, "Low", "ok")
    assert "picture" not in said
    assert list(site.folder.iterdir()) == []


def test_bad_audio_is_422_with_its_status_and_no_path_of_the_server(site: Site) -> None:
    found = site.post(files={"file": ("x.mp3", b"bad")})
    assert found.status_code == 422
    said = found.json()
    assert (said["status"], said["detail"]) == ("crashed", "x.mp3: the decoder died (signal 11)")
    assert str(site.folder) not in found.text
    lenient = site.post(b"bad", path="/predict?lenient=true")
    assert (lenient.status_code, lenient.json()["genre"]) == (200, None)


def test_a_picture_is_bytes_of_decibels(site: Site) -> None:
    said = site.post(path="/predict?picture=true").json()["picture"]
    assert (said["bands"], said["columns"], said["seconds"]) == (1, 3, 3.0)
    assert list(base64.b64decode(said["data"])) == [0, int(80 / 110 * 255), 255]


@pytest.mark.parametrize(
    ("given", "status", "says"),
    [
        ({"files": {"song": ("x.mp3", b"song")}}, 415, "no file in its field 'file'"),
        ({"data": {"file": "text"}, "files": {"f": ("x", b"x")}}, 415, "no file in its field"),
        (
            {"content": b"no form", "headers": {"content-type": "multipart/form-data"}},
            *(400, "the form cannot be read"),
        ),
        ({"content": b"x" * (10**6 + 1)}, 413, "larger than 1 MB, which is the limit here"),
        ({"files": {"file": ("x.mp3", b"x" * 2 * 10**6)}}, 413, "larger than 1 MB"),
    ],
)
def test_what_is_no_song_or_too_large_is_refused_and_not_heard(
    site: Site, given: dict[str, Any], status: int, says: str
) -> None:
    found = site.post(**given)
    assert found.status_code == status
    assert says in found.json()["detail"]
    assert site.child.heard == []
    assert list(site.folder.iterdir()) == []


def test_a_body_of_unsaid_length_is_bounded_too(site: Site) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 100_000

    assert site.post(content=pieces()).status_code == 413


def test_a_body_that_does_not_go_on_is_given_up(chosen: ChosenModel, tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(STEP_S)
        yield b"x"

    site = site_of(chosen, tmp_path, max_seconds=0.1)
    found = site.post(content=pieces())
    assert (found.status_code, list(tmp_path.iterdir())) == (408, [])


def test_a_body_that_goes_on_for_ever_is_given_up_too(chosen: ChosenModel, tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(1_000):
            yield b"x"
            await asyncio.sleep(0.05)

    site = site_of(chosen, tmp_path, max_seconds=0.1)
    found = site.post(content=pieces())
    assert found.status_code == 408
    assert "had not arrived after 1 s" in found.json()["detail"]
    assert (site.child.heard, list(tmp_path.iterdir())) == ([], [])


@pytest.mark.parametrize("ends", [False, True])
def test_who_is_turned_away_and_sends_on_is_not_listened_to_for_ever(
    chosen: ChosenModel, tmp_path: Path, ends: bool
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(0 if ends else STEP_S)

    site = site_of(chosen, tmp_path, max_seconds=0.1)
    site.queue = -1
    assert site.post(content=pieces()).status_code == 503


@pytest.mark.parametrize("queue", [1, -1])
@pytest.mark.parametrize("kind", [b"audio/mpeg", b"multipart/form-data; boundary=b"])
def test_a_song_that_is_broken_off_is_nothing_to_write_of(
    site: Site, queue: int, kind: bytes
) -> None:
    content = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nso'
    came = iter(
        [
            {"type": "http.request", "body": content, "more_body": True},
            {"type": "http.disconnect"},
        ]
    )
    headers = [(b"host", b"127.0.0.1"), (b"content-type", kind)]
    scope = {
        **{"type": "http", "method": "POST", "path": "/predict", "headers": headers},
        **{"query_string": b"", "http_version": "1.1", "scheme": "http", "root_path": ""},
    }
    statuses: list[int] = []

    async def receive() -> Any:
        return next(came)

    async def send(message: Any) -> None:
        if "status" in message:
            statuses.append(message["status"])

    async def run() -> None:
        hearers = Hearers([cast(PredictingChild, site.child)], queue=queue)
        await make_app(site.served, hearers, site.folder)(scope, receive, send)
        assert hearers.waiting == 0

    asyncio.run(run())  # an error of the application would be raised here
    assert statuses == [400 if queue > 0 else 503]
    assert (site.child.heard, list(site.folder.iterdir())) == ([], [])


@pytest.mark.parametrize("error", [ModelError, DecoderBroken, DecoderStalled])
def test_a_model_or_a_decoder_that_is_broken_is_said_in_a_sentence(
    site: Site, error: type[Exception]
) -> None:
    site.child.broken = error(f"{site.served.chosen.folder}/model.onnx is another")
    found = site.post()
    assert (found.status_code, found.json()) == (500, {"detail": "made-1/model.onnx is another"})
    assert list(site.folder.iterdir()) == []


def test_who_finds_no_place_is_told_when_to_come_again_and_nothing_is_lost(site: Site) -> None:
    site.child.may_go.clear()
    songs = [f"song {n}".encode() for n in range(6)]

    async def asking(client: httpx.AsyncClient) -> list[httpx.Response]:
        posts = [asyncio.create_task(client.post("/predict", content=song)) for song in songs]
        await asyncio.wait(posts, return_when=asyncio.FIRST_COMPLETED)
        assert (await client.get("/health")).json() == {"status": "ok", "songs": 2}
        site.child.may_go.set()
        return list(await asyncio.gather(*posts))

    found = site.ask(asking)
    assert sorted(each.status_code for each in found) == [200, 200, 503, 503, 503, 503]
    assert len(site.child.heard) == 2
    turned_away = [each for each in found if each.status_code == 503]
    assert {each.headers["retry-after"] for each in turned_away} == {"5"}
    again = site.ask(lambda client: client.post("/predict", content=b"again"))
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://127.0.0.1:8480"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"host": "evil.example:8480"}, 403),
        ({"host": "localhost:8480"}, 200),
        ({"host": "[::1]:8480"}, 200),
        ({"host": ""}, 403),
    ],
)
def test_pages_of_other_origins_are_refused(
    site: Site, headers: dict[str, str], status: int
) -> None:
    found = site.post(content=b"song", headers=headers)
    assert found.status_code == status
    assert site.child.heard == [b"song"] * (status == 200)
    assert "access-control-allow-origin" not in found.headers


@pytest.mark.parametrize(
    ("given", "status"),
    [
        *(("", 401), ("Bearer", 401), ("Bearer wrong", 401), ("Basic 0123456789abcdef", 401)),
        *(("Bearer 0123456789abcdef", 200), ("bearer 0123456789abcdef", 200)),
    ],
)
def test_where_others_reach_it_a_token_is_needed(
    chosen: ChosenModel, tmp_path: Path, given: str, status: int
) -> None:
    site = site_of(chosen, tmp_path, token="0123456789abcdef")

    async def asking(client: httpx.AsyncClient) -> list[httpx.Response]:
        headers = {"authorization": given}
        return [
            await client.post("/predict", content=b"song", headers=headers),
            await client.get("/model", headers=headers),
            await client.get("/"),
            await client.get("/health"),
        ]

    predicted, model, page, health = site.ask(asking, base="http://music.example")
    assert (predicted.status_code, model.status_code) == (status, status)
    assert (page.status_code, health.status_code) == (200, 200)
    assert site.child.heard == [b"song"] * (status == 200)
    assert "0123456789abcdef" not in page.text + model.text + predicted.text


def test_what_the_page_is_told_of_the_model(site: Site) -> None:
    said = site.ask(lambda client: client.get("/model")).json()
    assert (said["model"], said["genres"], said["threshold"]) == ("made-1", list(GENRES), 0.5)
    assert said["judged"] == {
        "tracks": 9,
        "track_accuracy": 0.5,
        "track_accuracy_interval": [0.2, 0.8],
    }


def test_programs_find_what_there_is(site: Site) -> None:
    api = site.ask(lambda client: client.get("/openapi.json")).json()
    assert set(api["paths"]) == {"/health", "/model", "/predict"}
    said = api["paths"]["/predict"]["post"]
    assert "multipart/form-data" in said["requestBody"]["content"]
    assert {"200", "413", "422", "503"} <= set(said["responses"])
    page = site.ask(lambda client: client.get("/docs"))
    assert page.headers["content-type"].startswith("text/html")
    assert all(path in page.text for path in api["paths"])


def test_nothing_comes_from_elsewhere(site: Site) -> None:
    policy = site.ask(lambda client: client.get("/")).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    for file in PAGE.iterdir():
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")
        assert re.findall(r"(?:https?:)?//[a-z0-9-]+\.[a-z]", text) == [], file
        assert "innerHTML" not in text
        assert " style=" not in text


def test_an_empty_store_tells_nothing_of_worth() -> None:
    assert Judged.of({"track_accuracy": 0.5}) is None
    assert Judged.of({"track_accuracy": 0.5, "track_accuracy_interval": 3, "tracks": 9}) is None
