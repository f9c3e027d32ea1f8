"""What the runbook and the README tell people to type exists: commands, options, verbs, DAGs, tasks."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from cx360 import cli
from cx360.pipeline import BUILD_STEPS, DAY_STEPS, LAND
from cx360.settings import PROJECT

UsageError = typer.BadParameter.__base__  # of the click that typer brings along

PAGES = (PROJECT / "docs" / "runbook.md", PROJECT / "README.md")

#: What stands for a number, a day or a name.
PLACEHOLDERS = {"ARRIVAL": "1", "PUBLICATION": "1", "FEED": "parties", "DAY": "2026-03-31"}

TASKS = {
    "deliveries": {step.name for step in (LAND, *DAY_STEPS)},
    "profile": {step.name for step in BUILD_STEPS},
}


def commands(page: Path, program: str) -> list[str]:
    """Every call of a program in code blocks and inline code; what is only its name is none."""
    text = page.read_text()
    blocks = [line.strip() for line in text.splitlines() if line.startswith(("    ", "\t"))]
    inline = [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", text)]
    found = []
    for line in (*blocks, *inline):
        line = re.sub(r"\s+#.*", "", line).removeprefix(".venv/bin/")
        if line.startswith(f"{program} ") and not line.startswith(f"{program}  "):
            found.append(line)
    return found


def fill_in(command: str) -> list[str]:
    """The words after the program's name, placeholders filled in."""
    return [PLACEHOLDERS.get(word, word) for word in shlex.split(command)[1:] if word != "--help"]


def parse(words: list[str]) -> str:
    """Let the command line's own parser read it, without running it; returns the command's name."""
    command = typer.main.get_command(cli.app)
    context = command.context_class(command, info_name="cx360")
    while hasattr(command, "commands") and words:
        name, command, words = command.resolve_command(context, words)
        context = command.context_class(command, parent=context, info_name=name)
    if words:
        command.parse_args(context, words)
    return context.command_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_command_and_option_of_cx360_exists(page):
    found = [command for command in commands(page, "cx360") if not command.startswith("cx360 airflow ")]
    assert found
    for command in found:
        parse(fill_in(command))


@pytest.mark.parametrize("wrong", ["cx360 decide 1", "cx360 doctor --all", "cx360 quarantine list --feeds parties"])
def test_one_that_does_not_exist_is_found_out(wrong):
    with pytest.raises(UsageError):
        parse(fill_in(wrong))


def test_the_runbook_names_every_tool_of_the_person_on_call():
    named = {parse(fill_in(command)) for command in commands(PAGES[0], "cx360") if " airflow " not in command}
    assert {
        "cx360 status",
        "cx360 doctor",
        "cx360 replay",
        "cx360 publish",
        "cx360 quarantine list",
        "cx360 quarantine show",
        "cx360 quarantine release",
        "cx360 quarantine drop",
    } <= named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_verb_of_make_exists(page):
    verbs = re.search(r"^\.PHONY: (.*)$", (PROJECT / "Makefile").read_text(), re.MULTILINE).group(1).split()
    found = commands(page, "make")
    assert found
    assert {shlex.split(command)[1] for command in found} <= set(verbs)


def test_each_command_of_airflow_exists_and_names_our_dags():
    found = sorted({command for page in PAGES for command in commands(page, "cx360 airflow") if "…" not in command})
    assert found
    assert all(set(TASKS) & set(command.split()) for command in found)
    code = (
        "import sys, shlex; from airflow.cli.cli_parser import get_parser\n"
        "for line in sys.stdin: get_parser().parse_args(shlex.split(line)[2:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input="\n".join(found), check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-500:]


def test_each_task_of_the_runbook_exists():
    known = set.union(*TASKS.values())
    text = PAGES[0].read_text()
    red = re.findall(r"`(\w+)`(?: says so| red| that does not end)", text)
    assert set(red) and set(red) <= known


def test_a_case_takes_ten_lines():
    cases = re.split(r"^## ", PAGES[0].read_text(), flags=re.MULTILINE)[1:]
    assert len(cases) >= 12
    long = {case.splitlines()[0]: n for case in cases if (n := sum(bool(line) for line in case.splitlines()[1:])) > 10}
    assert long == {}


@pytest.mark.parametrize(
    "words",
    [[], ["quarantine"], ["status"], ["doctor"], ["replay"], ["publish"], ["quarantine", "list"], ["why"]],
    ids=str,
)
def test_help_teaches_with_an_example_and_the_exit_codes(words):
    from typer.testing import CliRunner

    said = CliRunner().invoke(cli.app, [*words, "--help"]).stdout
    if words not in ([], ["quarantine"]):
        assert "Example: cx360 " in said
        assert "Exit code 0" in said
