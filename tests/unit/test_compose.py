"""docker-compose.yml and Dockerfile: what can be known of them without Docker.

That their commands work is shown where they are run: `init` and the services in tests/serving/test_airflow_home.py.
"""

import re
import subprocess
import sys
from typing import Any

import pytest
import yaml

from cx360.airflow_home import SERVICES
from cx360.settings import PROJECT, Settings

FILE = PROJECT / "docker-compose.yml"
OURS = {"init", *SERVICES}
VARIABLE = re.compile(r"\$\{(\w+)(:\?|:-)?([^}]*)}")


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    return yaml.safe_load(FILE.read_text())["services"]


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    """Instructions and what they are told."""
    text = re.sub(r"^#.*\n", "", (PROJECT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [tuple(line.split(" ", 1)) for line in text.splitlines() if line]


def test_it_follows_the_compose_specification():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_its_containers_run_what_make_up_runs(services):
    assert set(services) == {"postgres", *OURS}
    for name in OURS:
        assert services[name]["command"] == ["python", "-m", "cx360.airflow_home", name]
    for name in SERVICES:
        check = services[name]["healthcheck"]["test"]
        assert check == ["CMD", "python", "-m", "cx360.airflow_home", "healthy", name]


def test_images_are_pinned(services, dockerfile):
    bases = [told for instruction, told in dockerfile if instruction == "FROM"]
    for image in [services["postgres"]["image"], *bases]:
        assert re.fullmatch(r"[a-z]+:\d+\.\d+[\w.-]*@sha256:[0-9a-f]{64}", image), image
    assert {services[name]["build"] for name in OURS} == {"."}


def test_nothing_runs_as_root_or_gains_rights(services, dockerfile):
    owner = next(told for instruction, told in reversed(dockerfile) if instruction == "USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", owner)
    for name, service in services.items():
        assert service["user"] == ("postgres" if name == "postgres" else owner)
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not {"privileged", "cap_add", "network_mode", "pid"} & set(service)


def test_only_the_ui_is_published_and_by_default_on_this_machine_only(services):
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"api-server": ["${CX360_UI_ADDRESS:-127.0.0.1}:${CX360_UI_PORT:-8080}:8080"]}


def test_every_service_tells_its_health_restarts_and_waits_for_what_it_needs(services):
    for name in ("postgres", *SERVICES):
        assert services[name]["healthcheck"]["test"], name
        assert services[name]["restart"] == "unless-stopped"
    needed = {name: service.get("depends_on", {}) for name, service in services.items()}
    assert needed["init"] == {"postgres": {"condition": "service_healthy"}}
    for name in SERVICES:
        assert needed[name]["init"] == {"condition": "service_completed_successfully"}
        if name != "api-server":
            assert needed[name]["api-server"] == {"condition": "service_healthy"}


def test_no_secret_has_a_default():
    secret = [found for found in VARIABLE.findall(FILE.read_text()) if re.search("PASSWORD|KEY|SECRET", found[0])]
    assert {name for name, _, _ in secret} == {"CX360_POSTGRES_PASSWORD", "CX360_TOKEN_KEY"}
    assert {kind for _, kind, _ in secret} == {":?"}
    assert not re.findall(r"(?m)^\w*(?:PASSWORD|KEY)\w*=.", (PROJECT / ".env.example").read_text())


def test_env_example_has_every_variable_and_no_other(services):
    asked = {name: kind for name, kind, _ in VARIABLE.findall(FILE.read_text())}
    passed = {name for name, value in services["scheduler"]["environment"].items() if value is None}
    listed = re.findall(r"(?m)^(#?)(\w+)=$", (PROJECT / ".env.example").read_text())
    assert {name for _, name in listed} == {*asked, *passed}
    assert {name for mark, name in listed if not mark} == {name for name, kind in asked.items() if kind == ":?"}


def test_every_setting_it_gives_is_one(services):
    known = {f"CX360_{name.upper()}" for name in Settings.model_fields}
    for name in OURS:
        assert set(services[name]["environment"]) <= known, name


def test_it_gives_every_setting_but_those_of_another_way_to_run(services):
    given = {name for service in OURS for name in services[service]["environment"]}
    others = {f"CX360_{name}" for name in ("ENGINE", "SPARK_MASTER", "UI_PORT")}  # the port is of the host
    assert {f"CX360_{name.upper()}" for name in Settings.model_fields} - given == others


def test_the_image_is_made_of_files_that_exist_and_has_the_whole_project(dockerfile):
    copied = [source for instruction, told in dockerfile if instruction == "COPY" for source in told.split()[:-1]]
    assert [source for source in copied if not (PROJECT / source).exists()] == []
    assert {"contracts", "dags", "dbt_project", "expectations", "plugins", "sources"} <= set(copied)
    kept = {line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert kept == set(copied)
    installed = [told for instruction, told in dockerfile if instruction == "RUN" and "pip install" in told]
    assert "--require-hashes" in installed[0]
    assert all("--no-deps" in told for told in installed)
