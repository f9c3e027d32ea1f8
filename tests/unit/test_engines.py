"""Engines: where Spark cannot run, the message says what is missing and how to get it."""

import sys
from pathlib import Path

import pytest

from cx360 import engines
from cx360.engines import spark
from cx360.settings import Settings


def test_without_java_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(engines.EngineMissing, match=r"needs Java 17 or newer.*JAVA_HOME is not set.*openjdk-17"):
        spark.require_java()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "gone"))
    with pytest.raises(engines.EngineMissing, match=r"JAVA_HOME is .*gone"):
        spark.require_java()


@pytest.mark.parametrize(("told", "version"), [("1.8.0_402", 8), ("11.0.22", 11)])
def test_an_old_java_is_refused_by_its_version(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str, version: int
) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{told}\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(engines.EngineMissing, match=f"this is Java {version}"):
        spark.require_java()


def test_without_pyspark_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    warehouse = engines.open_warehouse(Settings(home=tmp_path, engine="spark"))
    with pytest.raises(engines.EngineMissing, match="make spark"), warehouse:
        pass


def test_memory_is_told_in_words_of_java(tmp_path: Path) -> None:
    assert [spark.memory(words) for words in ("4GB", "512 MB", "1GiB", "2g")] == ["4G", "512M", "1G", "2g"]
