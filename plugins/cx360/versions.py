"""Versions: hashes of what answers are a function of.

Here belongs the hashing of project files as a deployment sees them, the bank's own over the shipped ones.
"""

import hashlib
from collections.abc import Iterable

from cx360.settings import PROJECT, Settings

_KINDS = (".py", ".sql", ".yml", ".yaml", ".csv", ".json")


def of_files(settings: Settings, *folders: str) -> str:
    """SHA-256 over the files of some folders of the project, the bank's own versions where it has them."""
    names = {
        path.relative_to(root).as_posix()
        for root in (PROJECT, settings.home / "config")
        for folder in folders
        for path in (root / folder).rglob("*")
        if path.suffix in _KINDS
    }
    return of_texts(
        f"{name} {hashlib.sha256(settings.overlay(name).read_bytes()).hexdigest()}" for name in sorted(names)
    )


def of_texts(texts: Iterable[str]) -> str:
    """SHA-256 over texts in their order; no texts have a hash too."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
