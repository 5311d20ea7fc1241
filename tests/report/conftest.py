"""A headless Chromium that records what a page asks of the network and what it complains of."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gradus.report import ReportContent, write_report
from report import report_contents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_QUIET = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
_FLAGS = (*_QUIET.split(), "--disable-component-update", "--disable-sync")
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass
class Opened:
    """A page in the browser, every request it made, and every error it reported."""

    page: Any
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def ready(self) -> Opened:
        self.page.wait_for_selector("html[data-map=ready]", timeout=60_000, state="attached")
        return self


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip("Chromium is not installed")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=program, args=list(_FLAGS))
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Opened]]:
    contexts = []

    def opened(path: Path, **options: Any) -> Opened:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        contexts.append(context)
        result = Opened(context.new_page())
        result.page.on("request", lambda request: result.requests.append(request.url))
        result.page.on("pageerror", lambda error: result.errors.append(str(error)))
        result.page.on(
            "console", lambda said: result.errors.append(said.text) if said.type in {"error", "warning"} else None
        )
        result.page.goto(path.as_uri())
        return result

    yield opened
    for context in contexts:
        context.close()


def _written(folder: Any, name: str, content: ReportContent) -> Path:
    path = Path(folder.mktemp("report")) / f"{name}.html"
    write_report(content, path)
    return path


@pytest.fixture(scope="session")
def digits_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _written(tmp_path_factory, "digits", report_contents.digits())


@pytest.fixture(scope="session")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _written(tmp_path_factory, "hostile", report_contents.hostile())


@pytest.fixture(scope="session")
def mnist_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not report_contents.MNIST.is_file():
        pytest.skip("MNIST is not beside the project")
    return _written(tmp_path_factory, "mnist", report_contents.mnist())
