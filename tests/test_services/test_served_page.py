"""`genre serve` as people meet it: a real server, a real Chromium, hostile files, many at once."""

from __future__ import annotations

import base64
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from dashboard_pages import CHROMIUM
from limits import COMMAND_S, STEP_S
from made_model import HIGH_HZ, LOW_HZ, made_model, tones

pytestmark = pytest.mark.services
BROKEN = int(os.environ.get("GENRE_FUZZ", "500"))
OVERHANG = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on the path: apt-get install chromium"
)


@dataclass(frozen=True)
class Running:
    """A server that runs."""

    page: str
    process: subprocess.Popen[str]
    told: dict[str, Any]

    @property
    def memory(self) -> int:
        """Bytes of the server and its children."""
        own = psutil.Process(self.process.pid)
        return sum(each.memory_info().rss for each in (own, *own.children(recursive=True)))


@contextmanager
def server(folder: Path, *arguments: str, **env: str) -> Iterator[Running]:
    command = [sys.executable, "-m", "flows.command.cli", "serve", "--port", "0", "--json"]
    process = subprocess.Popen(
        [*command, *arguments],
        cwd=folder,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    try:
        while not said.endswith("}\n"):
            line = process.stdout.readline()
            assert line, "the server ended"
            said += line
        told = json.loads(said)
        yield Running(told["page"], process, told)
        process.send_signal(signal.SIGINT)
        assert process.wait(STEP_S) == 0
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a model and songs."""
    folder = tmp_path_factory.mktemp("served")
    made_model(folder / "model", threshold=0.9)
    tones(folder / "mix.flac", (LOW_HZ, 20), (HIGH_HZ, 25))
    tones(folder / "high.wav", (HIGH_HZ, 12))
    (folder / "broken.mp3").write_bytes(b"no audio at all")
    return folder


@pytest.fixture(scope="module")
def running(place: Path) -> Iterator[Running]:
    (place / "tmp").mkdir()
    temporary = {"TMPDIR": str(place / "tmp")}
    with server(place, "--model", "model", "--workers", "2", "--queue", "60", **temporary) as found:
        yield found


@dataclass
class Seen:
    """A page, what it said on its console, and what it asked for."""

    page: Any
    said: list[str]
    asked: list[str]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    flags = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    flags.append("--autoplay-policy=no-user-gesture-required")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield opened
        opened.close()


@pytest.fixture(params=["light", "dark"])
def seen(
    browser: Any, running: Running, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Seen]:
    width = 1_200 if request.param == "light" else 390
    context = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=request.param
    )
    context.set_default_timeout(1_000 * STEP_S)
    found = Seen(context.new_page(), [], [])
    found.page.on("console", lambda each: found.said.append(each.text))
    found.page.on("pageerror", lambda each: found.said.append(str(each)))
    found.page.on("request", lambda each: found.asked.append(each.url))
    found.page.goto(running.page)
    yield found
    folder = Path(os.environ.get("GENRE_SCREENSHOTS", tmp_path))
    found.page.screenshot(path=folder / f"serve-{request.param}.png", full_page=True)
    context.close()


@needs_chromium
def test_songs_are_dropped_named_and_played(seen: Seen, running: Running, place: Path) -> None:
    page = seen.page
    page.get_by_text("made-1").wait_for()
    _drop(page, place / "mix.flac")
    page.locator("#choose").set_input_files([place / "high.wav", place / "broken.mp3"])
    page.locator(".bad").get_by_text("not read, undecodable").wait_for()
    mix = page.locator(".song", has_text="mix.flac")
    mix.locator(".passages button").nth(1).wait_for()
    assert mix.locator(".genre").inner_text() == "Not sure"
    assert mix.locator(".share").inner_text().startswith("perhaps High")
    high = page.locator(".song", has_text="high.wav")
    high.get_by_text("Heard in part: ").wait_for()
    assert high.locator(".genre").inner_text() == "High"
    assert [each.inner_text() for each in mix.locator(".passages button").all()] == [
        "0:00–0:21 Low",
        "0:21–0:45 High",
    ]
    _plays(mix, page)
    assert page.evaluate(OVERHANG) <= 0
    assert seen.said == []
    assert {url for url in seen.asked if not url.startswith((running.page, "blob:"))} == set()


def _drop(page: Any, song: Path) -> None:
    """Drop a file on the page, as the system does."""
    given = page.evaluate_handle(
        """text => {
          const bytes = Uint8Array.from(atob(text), each => each.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], "mix.flac", {type: "audio/flac"}));
          return transfer;
        }""",
        base64.b64encode(song.read_bytes()).decode(),
    )
    page.dispatch_event("#drop", "dragover", {"dataTransfer": given})
    page.dispatch_event("#drop", "drop", {"dataTransfer": given})


def _plays(song: Any, page: Any) -> None:
    """Play by the keyboard alone; the cursor moves, and the genre beneath it is told."""
    song.locator(".play").focus()
    page.keyboard.press("Enter")
    song.locator(".play[aria-label=Pause]").wait_for()
    song.locator(".time", has_text=re.compile("^0:(0[1-9]|[1-4])")).wait_for()
    song.locator(".picture").focus()
    page.keyboard.press("Enter")
    song.locator(".play[aria-label=Play]").wait_for()
    page.keyboard.press("Home")
    song.locator(".time", has_text=re.compile("^0:00 / 0:45$")).wait_for()
    assert song.locator(".now").inner_text().startswith("Low")
    first = song.locator(".cursor").bounding_box()["x"]
    page.keyboard.press("PageUp")
    song.locator(".time", has_text=re.compile("^0:30")).wait_for()
    assert song.locator(".now").inner_text().startswith("High")
    width = song.locator(".picture").bounding_box()["width"]
    moved = song.locator(".cursor").bounding_box()["x"] - first
    assert moved == pytest.approx(width * 30 / 45, abs=3)


@needs_chromium
def test_a_song_may_come_before_the_model_is_known(
    browser: Any, running: Running, place: Path
) -> None:
    page, errors, held = _opened(browser)
    page.route("**/model", lambda route: held.append(route))
    page.goto(running.page)
    page.locator("#choose").set_input_files([place / "high.wav"])
    page.get_by_text("waits for its turn").wait_for()
    held[0].continue_()
    page.locator(".genre", has_text="High").wait_for()
    assert errors == []
    page.close()


@needs_chromium
def test_a_server_that_does_not_answer_is_said_and_tried_again(
    browser: Any, running: Running, place: Path
) -> None:
    page, errors, _ = _opened(browser)
    page.route("**/model", lambda route: route.abort())
    page.goto(running.page)
    page.locator("#model", has_text="the server does not answer").wait_for()
    page.locator("#choose").set_input_files([place / "high.wav"])
    page.locator(".bad", has_text="the server does not answer").wait_for()
    page.unroute("**/model")
    page.get_by_role("button", name="Try again").click()
    page.locator(".genre", has_text="High").wait_for()
    assert errors == []
    page.close()


@needs_chromium
def test_a_song_that_is_removed_is_not_heard_on(
    browser: Any, running: Running, place: Path
) -> None:
    page, errors, held = _opened(browser)
    page.route("**/predict?*", lambda route: held.append(route))
    page.goto(running.page)
    page.get_by_text("made-1").wait_for()
    page.locator("#choose").set_input_files([place / "high.wav"])
    page.get_by_text("is being heard").wait_for()
    with page.expect_event("requestfailed"):  # its browser gives it up
        page.locator(".away").click()
    page.unroute("**/predict?*")
    page.locator("#choose").set_input_files([place / "mix.flac"])
    page.locator(".genre", has_text="Not sure").wait_for()
    assert page.evaluate("players.size") == 1
    assert errors == []
    page.close()


def _opened(browser: Any) -> tuple[Any, list[str], list[Any]]:
    page = browser.new_page()
    page.set_default_timeout(1_000 * STEP_S)
    errors: list[str] = []
    page.on("pageerror", lambda each: errors.append(str(each)))
    return page, errors, []


@needs_chromium
def test_with_a_host_the_page_asks_for_the_token(browser: Any, place: Path) -> None:
    arguments = ("--model", "model", "--host", "0.0.0.0", "--workers", "1")
    with server(place, *arguments, GENRE_TOKEN="0123456789abcdef") as found:
        page = browser.new_page()
        port = found.page.rstrip("/").rpartition(":")[2]
        page.goto(f"http://127.0.0.1:{port}/")
        page.locator("#token").fill("wrong")
        page.get_by_role("button", name="Open").click()
        page.get_by_text("That is not the token").wait_for()
        page.locator("#token").fill("0123456789abcdef")
        page.get_by_role("button", name="Open").click()
        page.locator("#drop").wait_for()
        page.locator("#choose").set_input_files([place / "high.wav"])
        page.locator(".genre", has_text="High").wait_for()
        assert found.told["token"] is None
        page.close()


def test_broken_files_lose_nothing_and_leave_nothing(running: Running, place: Path) -> None:
    """Many at once, each a file of another format that is cut, mixed up or noise."""
    songs = list(_broken(place, BROKEN))

    def post(song: bytes) -> int:
        while True:
            found = httpx.post(f"{running.page}predict", content=song, timeout=COMMAND_S)
            if found.status_code != 503:
                said = found.json()
                assert (found.status_code == 200) == (said["genre"] is not None), said
                assert said["status"]
                return found.status_code

    with ThreadPoolExecutor(50) as threads:
        warm = list(threads.map(post, songs[: BROKEN // 5]))
        before = running.memory
        codes = warm + list(threads.map(post, songs[BROKEN // 5 :]))
    assert len(codes) == BROKEN
    assert set(codes) <= {200, 422}
    assert codes.count(422) > BROKEN / 10
    assert running.memory < before + 100 * 2**20
    assert httpx.get(f"{running.page}health").json() == {"status": "ok", "songs": 0}
    assert list((place / "tmp").rglob("song-*")) == []
    good = httpx.post(
        f"{running.page}predict",
        files={"file": ("high.wav", (place / "high.wav").read_bytes())},
        timeout=COMMAND_S,
    ).json()
    assert (good["genre"], good["path"]) == ("High", "high.wav")


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_the_server_ends_while_a_song_is_heard(
    place: Path, tmp_path: Path, by: signal.Signals
) -> None:
    arguments = ("--model", str(place / "model"), "--workers", "1", "--max-seconds", "86400")
    command = [sys.executable, "-m", "flows.command.cli", "serve", "--port", "0", "--json"]
    with (tmp_path / "said").open("w+") as said, (tmp_path / "told").open("w+") as told:
        process = subprocess.Popen(
            [*command, *arguments], cwd=tmp_path, stdout=told, stderr=said, text=True
        )
        try:
            page = _page_of(tmp_path / "told")
            (child,) = psutil.Process(process.pid).children()
            child.suspend()
            with ThreadPoolExecutor(1) as threads:
                song = (place / "high.wav").read_bytes()
                waits = threads.submit(
                    httpx.post, f"{page}predict", content=song, timeout=COMMAND_S
                )
                _is_heard(page)
                process.send_signal(by)
                assert process.wait(STEP_S) == (0 if by is signal.SIGINT else 128 + by)
                assert waits.exception(STEP_S) is not None or waits.result().status_code == 500
            assert not psutil.pid_exists(child.pid)
            assert "Traceback" not in (tmp_path / "said").read_text()
        finally:
            process.kill()
            process.wait()


def _page_of(told: Path) -> str:
    until = time.monotonic() + STEP_S
    while not told.read_text().endswith("}\n"):
        assert time.monotonic() < until
        time.sleep(0.1)
    return str(json.loads(told.read_text())["page"])


def _is_heard(page: str) -> None:
    until = time.monotonic() + STEP_S
    while httpx.get(f"{page}health").json()["songs"] == 0:
        assert time.monotonic() < until
        time.sleep(0.1)


def _broken(place: Path, count: int) -> Iterator[bytes]:
    import soundfile

    samples, rate = soundfile.read(place / "high.wav")
    whole = []
    for name in ("x.flac", "x.ogg", "x.mp3", "x.wav", "x.aiff"):
        soundfile.write(place / name, samples[: 4 * rate], rate)
        whole.append((place / name).read_bytes())
    chance = random.Random(0)
    for number in range(count):
        content = bytearray(whole[number % len(whole)])
        way = number // len(whole) % 4
        if way == 0:
            del content[chance.randrange(len(content)) :]
        elif way == 1:
            for _ in range(chance.randrange(1, 2_000)):
                content[chance.randrange(len(content))] = chance.randrange(256)
        elif way == 2:
            content[: chance.randrange(64)] = b""
        else:
            content = bytearray(chance.randbytes(chance.randrange(1, 20_000)))
        yield bytes(content)
