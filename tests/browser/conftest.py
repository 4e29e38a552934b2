"""One server and one browser for all tests here; a page, and no tables, for each."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser.lab import LABEXTENSION, SHOWN, TIMEOUT, Desk, Server
from playwright.sync_api import Browser, expect, sync_playwright

HERE = Path(__file__).parent
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
expect.set_options(timeout=SHOWN * 1000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = subprocess.run([HERE / "find_chromium.sh"], capture_output=True, text=True, check=False)
    if found.returncode:
        reason = found.stderr.strip() or "no chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found.stdout.strip(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Start servers; each has tables of its own, on tmpfs. All are ended, whatever happens."""
    if not (LABEXTENSION / "package.json").exists():
        pytest.fail("the sidebar is not built: make js")
    started: list[Server] = []
    stores: list[Path] = []

    def make(**keywords: Any) -> Server:
        stores.append(Path(f"/dev/shm/arrowshm-test-{os.getpid()}-{secrets.token_hex(4)}"))
        stores[-1].mkdir(0o700)
        started.append(Server(tmp_path_factory.mktemp("server"), stores[-1] / "store", **keywords))
        return started[-1]

    try:
        yield make
    finally:
        for server in started:
            server.stop()
        for store in stores:
            shutil.rmtree(store, ignore_errors=True)


@pytest.fixture(scope="session")
def server(start: Callable[..., Server]) -> Server:
    return start()


@pytest.fixture
def open_desk(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Desk]]:
    """A page on a server; when the test has ended, nothing of ours may have gone wrong in it."""
    desks: list[Desk] = []

    def make(server: Server, **options: Any) -> Desk:
        usual = {"viewport": {"width": 1100, "height": 760}, "locale": "en-US", "timezone_id": "UTC"}
        context = browser.new_context(**{**usual, **options})
        context.set_default_timeout(TIMEOUT * 1000)
        desks.append(Desk(context.new_page(), server))
        return desks[-1]

    failed = request.session.testsfailed
    yield make
    for desk in desks:
        if request.session.testsfailed > failed:
            picture(desk, f"failed-{request.node.name}")
        desk.page.context.close()
        desk.server.clear()
    for desk in desks:
        assert not desk.errors, desk.errors


@pytest.fixture
def desk(open_desk: Callable[..., Desk], server: Server) -> Desk:
    return open_desk(server)


def picture(desk: Desk, name: str) -> None:
    """For people to look at; CI keeps them."""
    folder = HERE / "artefacts"
    folder.mkdir(exist_ok=True)
    desk.page.screenshot(path=folder / f"{name}.png")


@pytest.fixture
def snap() -> Callable[[Desk, str], None]:
    return picture
