"""Contracts: what may come in, from ``contracts/*.odcs.yaml``.

Here belongs the reading of a contract and what follows from it alone: types, columns of the lake, keys.
Reading files belongs in ``sources``, checking rows in ``landing``.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cx360.settings import PROJECT, Settings

if TYPE_CHECKING:
    import pyarrow as pa
    from open_data_contract_standard.model import SchemaProperty

#: Every feed cx360 understands, masters first, so that later feeds can be checked against earlier ones.
FEEDS = (
    "parties",
    "accounts",
    "account_parties",
    "holdings",
    "fx_rates",
    "transactions",
    "app_events",
    "call_logs",
    "survey_responses",
    "complaints",
    "risk_scores",
    "outreach",
    "points_entries",
    "survey_invitations",
    "call_legs",
)

#: Classifications whose values never leave the ``pii`` part of the lake.
RESTRICTED = ("personal", "free_text")

_TYPES = {
    "string": "varchar",
    "integer": "bigint",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamptz",
}


class ContractError(ValueError):
    """A contract that cannot be used; the message names file and property."""


@dataclass(frozen=True)
class Column:
    """One property of a contract."""

    name: str
    type: str  # SQL type of the canonical value: varchar, bigint, boolean, date, timestamptz, decimal(p,s)
    description: str
    required: bool
    classification: str
    semantic_type: str | None
    token: str | None  # name of the token column in the lake, for personal identifiers
    allowed: tuple[str, ...]
    options: dict[str, Any]

    @property
    def is_restricted(self) -> bool:
        """Whether values stay in the ``pii`` part of the lake."""
        return self.classification in RESTRICTED


@dataclass(frozen=True)
class Rule:
    """A rule over the columns of one row: SQL that is true or null for a good row."""

    name: str
    description: str
    sql: str


@dataclass(frozen=True)
class Contract:
    """A feed's contract: its columns, key, and how it speaks (delivery, version, money)."""

    feed: str
    version: str
    owner: str
    description: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rules: tuple[Rule, ...]
    delivery: Literal["events", "changes", "snapshot"]
    version_column: str | None
    event_time: str | None
    derived_key: tuple[str, ...]
    money: dict[str, str] | None

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises:
            KeyError: the contract has no such column.
        """
        return next(c for c in self.columns if c.name == name)

    @property
    def lake_columns(self) -> list[tuple[str, str, str]]:
        """Columns of an accepted row in the lake, in order: (name, SQL type, description).

        Restricted values are left out; identifiers among them leave their token.
        """
        out = []
        for c in self.columns:
            if not c.is_restricted:
                out.append((c.name, c.type, c.description))
            elif c.token:
                out.append((c.token, "varchar", f"Token of: {c.description}"))
        return out


def arrow_type(sql: str) -> "pa.DataType":
    """Arrow type of a canonical SQL type.

    Raises:
        ContractError: the type is not one a contract may use.
    """
    import pyarrow as pa

    if match := re.fullmatch(r"decimal\((\d+),\s*(\d+)\)", sql):
        return pa.decimal128(int(match[1]), int(match[2]))
    simple = {
        "varchar": pa.string(),
        "bigint": pa.int64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamptz": pa.timestamp("us", tz="UTC"),
    }
    if sql not in simple:
        raise ContractError(f"type {sql!r} is not one of {', '.join(simple)}, decimal(p,s)")
    return simple[sql]


def _column(feed: str, prop: "SchemaProperty") -> Column:
    where = f"contract {feed}, property {prop.name}"
    if not prop.name or not prop.description:
        raise ContractError(f"{where}: name and description are needed")
    sql = (prop.physicalType or _TYPES.get(prop.logicalType or "", "")).lower()
    if not sql:
        raise ContractError(f"{where}: logicalType {prop.logicalType!r} needs a physicalType")
    arrow_type(sql)
    if prop.classification not in ("public", "internal", *RESTRICTED):
        raise ContractError(f"{where}: classification must be public, internal, personal or free_text")
    if prop.encryptedName and not prop.semanticType:
        raise ContractError(f"{where}: encryptedName needs a semanticType, which says how values are normalised")
    return Column(
        name=prop.name,
        type=sql,
        description=prop.description,
        required=bool(prop.required),
        classification=prop.classification,
        semantic_type=prop.semanticType,
        token=prop.encryptedName,
        allowed=tuple(str(e.value) for e in prop.enum or ()),
        options=prop.logicalTypeOptions or {},
    )


def read(path: Path) -> Contract:
    """Read one contract file.

    Raises:
        ContractError: what is wrong, where.
    """
    from open_data_contract_standard.model import OpenDataContractStandard

    document = OpenDataContractStandard.from_file(str(path))
    if not document.schema_ or len(document.schema_) != 1 or not document.name:
        raise ContractError(f"{path.name}: needs a name and exactly one schema object")
    table = document.schema_[0]
    custom: dict[str | None, Any] = {p.property: p.value for p in table.customProperties or ()}
    properties = table.properties or []
    contract = Contract(
        feed=document.name,
        version=document.version or "0",
        owner=getattr(document.team, "name", None) or "nobody",
        description=table.description or "",
        grain=table.dataGranularityDescription or "",
        columns=tuple(_column(document.name, p) for p in properties),
        key=tuple(
            str(p.name)
            for p in sorted((p for p in properties if p.primaryKey), key=lambda p: p.primaryKeyPosition or 1)
        ),
        rules=tuple(
            Rule(str(q.name), q.description or "", str(q.implementation))
            for q in table.quality or ()
            if q.engine == "cx360"
        ),
        delivery=custom.get("delivery", "events"),
        version_column=custom.get("version"),
        event_time=custom.get("eventTime"),
        derived_key=tuple(custom.get("derivedKey", ())),
        money=custom.get("money"),
    )
    if not contract.key:
        raise ContractError(f"{path.name}: no property is a primaryKey")
    return contract


def folder(settings: Settings) -> list[Path]:
    """Contract files of a deployment: the shipped ones, each replaced by the bank's own of that name."""
    return [settings.overlay(f"contracts/{feed}.odcs.yaml") for feed in FEEDS]


@cache
def _load(paths: tuple[Path, ...]) -> dict[str, Contract]:
    return {contract.feed: contract for contract in map(read, paths)}


def load(settings: Settings | None = None) -> dict[str, Contract]:
    """All contracts by feed, masters first."""
    paths = folder(settings) if settings else [PROJECT / "contracts" / f"{feed}.odcs.yaml" for feed in FEEDS]
    return _load(tuple(paths))
