"""Settings: the environment variables a deployment sets, read once and typed.

Here belongs every ``CX360_*`` variable and the places derived from it. Business figures do not: they are seeds.
"""

import os
import secrets
from contextlib import suppress
from datetime import time
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT = Path(__file__).resolve().parents[2]


class Settings(BaseSettings):
    """A deployment, from ``CX360_*``. Every default works on a fresh machine."""

    # An empty variable is one that is not set: CX360_HOME= must not mean the folder somebody stands in.
    model_config = SettingsConfigDict(env_prefix="CX360_", env_ignore_empty=True, extra="ignore")

    home: Path = Field(PROJECT / "cx360_home", description="Folder of everything a deployment keeps.")
    inbox: Path | None = Field(None, description="Folder the sources deliver to; default: inbox below home.")
    sources: str = Field("sources/synthetic_bank", description="Source folders, separated by commas.")
    database_url: SecretStr | None = Field(
        None, description="PostgreSQL that serves and keeps the ledger; default: the embedded one below home."
    )
    timezone: str | None = Field(None, description="The bank's time zone; default: what the source says.")
    reporting_currency: str | None = Field(
        None, description="ISO 4217 code amounts are converted to; default: what the source says."
    )
    token_key: SecretStr | None = Field(
        None, description="Secret of the tokens; default: made once, in keys/ below home, outside the lake."
    )
    cut_off: time = Field(
        time(5),
        description="When the night after a delivery day stops waiting for files, in the bank's time zone.",
    )
    published_by: time | None = Field(
        None, description="When that night's publication is due; Airflow tells of a later one. Default: no deadline."
    )
    notifier: str | None = Field(
        None, description="Airflow notifier that alerts are handed to, by its full name; default: they are logged."
    )
    notifier_arguments: dict[str, Any] = Field(
        default_factory=dict, description="What that notifier is made with, as JSON; templates know alert and kind."
    )
    ui_host: str = Field("127.0.0.1", description="Address Airflow's UI listens on.")
    ui_port: int = Field(8080, description="Port of Airflow's UI.")
    api_url: str | None = Field(None, description="Where Airflow's services find that port; default: on this machine.")
    engine: Literal["duckdb", "spark"] = Field("duckdb", description="What builds the warehouse.")
    spark_master: str | None = Field(
        None, description="Where Spark runs, such as spark://host:7077 or yarn; default: in this process, on threads."
    )
    threads: int = Field(os.cpu_count() or 2, description="Threads of the warehouse.")
    memory_limit: str = Field("4GB", description="Memory of the warehouse, in DuckDB's words.")

    @cached_property
    def lake(self) -> Path:
        """The Parquet lake: immutable, content-addressed; its ``pii`` part is restricted."""
        return self.home / "lake"

    @cached_property
    def staging(self) -> Path:
        """Where files are made before a rename moves them into the lake; same file system as the lake."""
        return self.home / "staging"

    @cached_property
    def warehouse(self) -> Path:
        """The DuckDB file the models are built in; it can be thrown away and built again."""
        return self.home / "warehouse" / "cx360.duckdb"

    @cached_property
    def publications(self) -> Path:
        """Parquet of every publication, one folder each."""
        return self.home / "publications"

    @cached_property
    def reports(self) -> Path:
        """Data Docs and dbt's artifacts, for people to look at."""
        return self.home / "reports"

    @cached_property
    def inbox_folder(self) -> Path:
        """Where deliveries are looked for."""
        return self.inbox or self.home / "inbox"

    @cached_property
    def source_folders(self) -> list[Path]:
        """The source folders; a relative one is looked for in ``home/config``, then in the project."""
        return [self.overlay(name.strip()) for name in self.sources.split(",") if name.strip()]

    @cached_property
    def source_places(self) -> list[tuple[Path, ...]]:
        """Per source the folders its files are looked for in: the bank's own in ``home/config``, then the shipped."""
        return [
            tuple(dict.fromkeys((own, self._shipped(own.relative_to(self.home / "config")))))
            if own.is_relative_to(self.home / "config")
            else (own,)
            for own in self.source_folders
        ]

    def overlay(self, relative: str | Path) -> Path:
        """The bank's own version of a shipped file or folder if ``home/config`` has one, else the shipped one."""
        own = self.home / "config" / relative
        return own if own.exists() or Path(relative).is_absolute() else self._shipped(relative)

    @staticmethod
    def _shipped(relative: str | Path) -> Path:
        here = Path(relative)
        return here.resolve() if here.exists() else PROJECT / relative

    def secret(self, name: str) -> bytes:
        """A key of this deployment, made on first use below ``home/keys``; readable by its owner only.

        ``token`` may be given as ``CX360_TOKEN_KEY`` instead.
        """
        if name == "token" and self.token_key is not None:
            return self.token_key.get_secret_value().encode()
        path = self.home / "keys" / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = path.with_suffix(f".{os.getpid()}")
            fresh.touch(mode=0o600)
            fresh.write_text(secrets.token_hex(32))
            with suppress(FileExistsError):  # the first process wins; the others read what it made
                os.link(fresh, path)
            fresh.unlink()
        return path.read_text().encode()
