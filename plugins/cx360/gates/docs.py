"""Docs: Great Expectations' Data Docs of the last check of each suite, for people to look at.

Here belongs the writing of those pages. They are made from results that hold counts only, and call nothing from
the internet: what the renderer takes from there is left out.
"""

import os
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from cx360.settings import Settings

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult

_REMOTE = re.compile(
    r"<script[^>]*src=\"https?:[^>]*>\s*</script>|<link[^>]*href=\"https?:[^>]*>|<img[^>]*src=\"https?:[^>]*>"
    r"|url\('https?:[^)]*\)",
    re.DOTALL,
)
_STYLE = """<style>
body { font: 15px/1.5 sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
td, th { border: 1px solid #ccc; padding: .3rem .6rem; text-align: left }
nav ol, .modal, .ge-walkthrough-modal, .card, footer { display: none }
</style></head>"""


def write(settings: Settings, name: str, result: "ExpectationSuiteValidationResult") -> None:
    """Write the page of a suite's last check, and the list of pages, below ``reports/data_docs``."""
    from great_expectations.core.run_identifier import RunIdentifier
    from great_expectations.render.renderer import ValidationResultsPageRenderer

    folder = settings.reports / "data_docs"
    folder.mkdir(parents=True, exist_ok=True)
    result.meta["run_id"] = RunIdentifier(run_name=name)
    page = _view().render(ValidationResultsPageRenderer().render(result))
    _place(settings, f"{name}.html", _REMOTE.sub("", page).replace("</head>", _STYLE, 1))
    names = sorted(path.stem for path in folder.glob("*.html") if path.stem != "index")
    links = "".join(f'<li><a href="{each}.html">{each}</a></li>' for each in names)
    _place(settings, "index.html", f"<head><meta charset=utf-8><title>Data Docs</title></head><ul>{links}</ul>")


@cache
def _view() -> Any:
    """The page's view; it compiles its templates once, which is most of what a page costs."""
    from great_expectations.render.view import DefaultJinjaPageView

    return DefaultJinjaPageView()


def _place(settings: Settings, name: str, text: str) -> None:
    """Write a page whole: a reader sees the old one or the new one."""
    path = settings.reports / "data_docs" / name
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(text)
    fresh.replace(path)
