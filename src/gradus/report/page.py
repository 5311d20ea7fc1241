"""The page itself: parts to HTML, HTML to a file."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import bokeh.resources
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gradus.core.files import written_whole
from gradus.report import formatting
from gradus.report.sections import page_sections
from gradus.report.validation import validate_content

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gradus.report.content import ReportContent

_STYLES = ("style.css", "charts.css", "map.css")
_PAGE_SCRIPTS = ("table.js", "page.js")
_MAP_SCRIPTS = (
    "map-data.js",
    "map-thumbnails.js",
    "map-plot.js",
    "map-tooltip.js",
    "map-legend.js",
    "map-search.js",
    "map-selection.js",
    "map-start.js",
)


def write_report(content: ReportContent, path: Path) -> None:
    """Write one HTML file that opens anywhere, offline; whole or not at all.

    Raises
    ------
    InputError : if the parts do not belong together
    OSError : if the folder of ``path`` is missing or cannot be written
    """
    # File names that are not valid UTF-8 carry lone surrogates; they are shown as their escapes.
    with written_whole(path) as unfinished:
        unfinished.write_bytes(render_report(content).encode("utf-8", "backslashreplace"))


def render_report(content: ReportContent) -> str:
    """Return the page as text. A part that is None is left out; every name and note is escaped.

    Costs about 10 s for 70,000 rows with 28 x 28 images, mostly spent packing the thumbnails.

    Raises
    ------
    InputError : if the parts do not belong together
    """
    validate_content(content)
    sections = page_sections(content)
    scripts = [_scripts(_PAGE_SCRIPTS)]
    if sections["map"] is not None:
        scripts += [_bokeh(), _scripts(_MAP_SCRIPTS)]
    return (
        _environment()
        .get_template("page.html.jinja")
        .render(
            sections,
            styles=Markup("\n".join(_asset(name) for name in _STYLES)),
            scripts=scripts,
            policy=content_policy(scripts),
        )
    )


def content_policy(scripts: Iterable[str]) -> str:
    """Return a Content-Security-Policy that fetches nothing and runs these scripts only.

    A second wall behind escaping: a script that slipped in through a name would have another hash. ``unsafe-eval`` is
    for bokeh's callbacks, whose text is ours.
    """
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode('ascii')}'" for script in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes} 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def script_json(value: Any) -> Markup:
    """Return JSON that may stand in a script element whatever its strings hold.

    Examples
    --------
    >>> str(script_json("</script><!--"))
    '"\\\\u003c/script\\\\u003e\\\\u003c!--"'
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("gradus.report", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        count=formatting.count,
        percent=formatting.percent,
        bounds=formatting.bounds,
        error=formatting.error,
        short=formatting.short,
        plain=formatting.plain,
        script_json=script_json,
    )
    return environment


@cache
def _asset(name: str) -> str:
    return files("gradus.report").joinpath("assets", name).read_text(encoding="utf-8")


def _scripts(names: Iterable[str]) -> Markup:
    """Return scripts as one, in a scope of their own."""
    return Markup('(() => {\n"use strict";\n' + "\n".join(_asset(name) for name in names) + "\n})();\n")


@cache
def _bokeh() -> Markup:
    """Return bokeh's core script, from the installed package."""
    return Markup("\n".join(bokeh.resources.Resources(mode="inline", components=["bokeh"], log_level="error").js_raw))
