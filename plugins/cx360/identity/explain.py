"""Explain: why records are one person, and why others are not.

Here belongs what a person is told who doubts a profile: the chain of links, the rules and rows they rest on, what was
refused, what people decided. It reads what was built last. Values are shown as shapes unless asked for.
"""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cx360 import engines, privacy, screen, sources
from cx360.settings import Settings
from cx360.sql import literal

if TYPE_CHECKING:
    from rich.console import Console

    from cx360.engines import Warehouse

#: Personal columns of a record, as they are told.
_PERSONAL = ("name", "birth_date", "document", "phone", "email", "address")

#: Types an identifier is looked for as.
_TYPES = ("phone", "email", "document", "device", "app_user")


class UnknownIdentity(ValueError):
    """Nobody is known by that."""


@dataclass(frozen=True)
class Record:
    """A party record: where it comes from, and what it says, as shapes or values."""

    party_id: str
    source: str
    arrival_number: int
    delivery_name: str
    updated_at: Any
    says: dict[str, str]


@dataclass(frozen=True)
class Link:
    """A reason to take two records for one person, and what became of it."""

    party_id_a: str
    party_id_b: str
    rule: str
    identifier: str | None
    weight_bits: float | None
    by_comparison: dict[str, float]
    outcome: str
    reason: str | None


@dataclass(frozen=True)
class Held:
    """An identifier of the person, by period; or one that is open between several."""

    identifier_type: str
    identifier: str
    valid_from: str
    valid_to: str
    note: str | None = None


@dataclass(frozen=True)
class Decided:
    """What somebody said of two records, and holds."""

    decision_number: int
    kind: str
    party_id_a: str
    party_id_b: str
    decided_by: str
    reason: str


@dataclass(frozen=True)
class Explained:
    """All there is to know of who somebody is."""

    asked: str
    profile_id: str | None
    household_id: str | None
    records: list[Record] = field(default_factory=list)
    chain: list[Link] = field(default_factory=list)
    not_taken: list[Link] = field(default_factory=list)
    identifiers: list[Held] = field(default_factory=list)
    decisions: list[Decided] = field(default_factory=list)


def explain(settings: Settings, asked: str, is_masked: bool = True) -> Explained:
    """What is known of a profile, a party record or an identifier.

    Args:
        settings: of the deployment; its warehouse holds what was built last.
        asked: id of a profile, also an earlier one, key of a party record, a token, or a value such as a number.
        is_masked: whether personal values are told as shapes.

    Raises:
        UnknownIdentity: nobody is known by that.
    """
    from cx360 import ledger
    from cx360.identity import decisions

    with engines.open_warehouse(settings, read_only=True) as db:
        if not db.exists("identity.party_links"):
            raise UnknownIdentity("nothing was built yet: run profile first")
        found = _profile_of(settings, db, asked)
        if isinstance(found, list):
            return Explained(asked, None, None, identifiers=found)
        groups = _rows(db, f"select * from identity.party_groups where profile_id = {literal(found)} order by party_id")
        parties = [str(row["party_id"]) for row in groups]
        links = _links(db, parties)
        held = _held(db, f"profile_id = {literal(found)}")
        records = _records(settings, db, parties, is_masked)
    with ledger.session(settings) as session:
        decided = [
            Decided(d.decision_number, d.kind, str(d.party_id_a), str(d.party_id_b), d.decided_by, d.reason)
            for d in decisions.standing(session)
            if {d.party_id_a, d.party_id_b} & set(parties)
        ]
    return Explained(
        asked,
        found,
        groups[0]["household_id"] if groups else None,
        records,
        _chain([link for link in links if link.outcome == "joined"]),
        [link for link in links if link.outcome != "joined"],
        held,
        decided,
    )


def _rows(db: "Warehouse", sql: str) -> list[dict[str, Any]]:
    return db.query(sql).to_pylist()


def _profile_of(settings: Settings, db: "Warehouse", asked: str) -> str | list[Held]:
    """The profile somebody asks for; or the open periods of an identifier that is nobody's.

    Raises:
        UnknownIdentity: there is neither.
    """
    text = literal(asked)
    known = _rows(
        db,
        "select profile_id from identity.party_groups"
        f" where party_id = {text} or profile_id = {text} or own_profile_id = {text}"
        f" order by case when own_profile_id = {text} then 0 else 1 end limit 1",
    )
    known = known or _rows(db, f"select profile_id from identity.identity_map where profile_id = {text} limit 1")
    if known:
        return str(known[0]["profile_id"])
    tokens = ", ".join(literal(token) for token in (asked, *_tokens(settings, asked)))
    held = _rows(
        db,
        "select profile_id from identity.identity_map"
        f" where identifier in ({tokens}) and identifier_type <> 'party' order by valid_to desc limit 1",
    )
    if held:
        return str(held[0]["profile_id"])
    if still_open := _held(db, f"identifier in ({tokens})", "identity.int_identity__ambiguous"):
        return still_open
    raise UnknownIdentity(
        "nobody is known by that: give the id of a profile, the key of a party record, a token, or a phone number,"
        " e-mail address, document, device or login as a source writes it"
    )


def _tokens(settings: Settings, value: str) -> list[str]:
    """Tokens a value would have as each type of identifier."""
    import duckdb

    found: list[str] = []
    with closing(duckdb.connect(config={"autoinstall_known_extensions": False})) as db:
        privacy.install(db, settings)
        db.execute("create temp table asked as select trim($1) as v", [value])
        regions = {file.phone_region for source in sources.load(settings) for file in source.files}
        for kind in _TYPES:
            for region in sorted(regions) if kind == "phone" else [""]:
                privacy.tokenise(db, "select v from asked", "as_type", kind, region)
                found += [token for (token,) in db.execute("select token from as_type").fetchall()]
    return found


def _held(db: "Warehouse", condition: str, table: str = "identity.identity_map") -> list[Held]:
    note = "reason" if table.endswith("ambiguous") else "''"
    rows = _rows(
        db,
        f"select identifier_type, identifier, valid_from, valid_to, {note} as note from {table}"
        f" where {condition} and identifier_type <> 'party' order by identifier_type, identifier, valid_from",
    )
    return [
        Held(r["identifier_type"], r["identifier"], str(r["valid_from"]), str(r["valid_to"]), r["note"] or None)
        for r in rows
    ]


def _links(db: "Warehouse", parties: list[str]) -> list[Link]:
    """Links with an end in the group, strongest first."""
    if not parties:
        return []
    listed = ", ".join(map(literal, parties))
    return _read_links(db, f"l.party_id_a in ({listed}) or l.party_id_b in ({listed})")


def to_review(settings: Settings, limit: int) -> list[Link]:
    """Links a person should look at, of each outcome the heaviest.

    Raises:
        UnknownIdentity: nothing was built yet.
    """
    with engines.open_warehouse(settings, read_only=True) as db:
        if not db.exists("identity.party_links"):
            raise UnknownIdentity("nothing was built yet: run profile first")
        found = [_read_links(db, f"l.outcome = '{outcome}'", limit) for outcome in ("review", "refused", "given_up")]
    return [link for links in found for link in links]


def _read_links(db: "Warehouse", condition: str, limit: int | None = None) -> list[Link]:
    """Links, strongest first."""
    rows = _rows(
        db,
        "select l.* from identity.party_links as l left join seeds.identity_rules as r on r.rule = l.rule"
        f" where {condition}"
        " order by r.priority desc, l.weight_millibits desc, l.party_id_a, l.party_id_b, l.identifier"
        + (f" limit {limit}" if limit else ""),
    )
    weights = _weights(db, [row for row in rows if row["weight_millibits"] is not None])
    return [
        Link(
            row["party_id_a"],
            row["party_id_b"],
            row["rule"],
            row["identifier"],
            None if row["weight_millibits"] is None else row["weight_millibits"] / 1000,
            weights.get((row["party_id_a"], row["party_id_b"]), {}) if row["rule"] == "match" else {},
            row["outcome"],
            row["reason"],
        )
        for row in rows
    ]


def _weights(db: "Warehouse", matches: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, float]]:
    """Bits of each comparison, by pair."""
    if not matches:
        return {}
    pairs = " or ".join(
        f"(party_id_a = {literal(m['party_id_a'])} and party_id_b = {literal(m['party_id_b'])})" for m in matches
    )
    rows = _rows(db, f"select * from identity.match_links where {pairs}")
    ignored = {"party_id_a", "party_id_b", "weight_millibits", "outcome", "model_version"}
    return {
        (row["party_id_a"], row["party_id_b"]): {
            name.removesuffix("_millibits"): bits / 1000
            for name, bits in row.items()
            if name not in ignored and bits is not None
        }
        for row in rows
    }


def _chain(joined: list[Link]) -> list[Link]:
    """The fewest links that hold the group together, strongest first."""
    group_of: dict[str, set[str]] = {}
    chain = []
    for link in joined:
        a, b = (group_of.setdefault(party, {party}) for party in (link.party_id_a, link.party_id_b))
        if a is not b:
            chain.append(link)
            a |= b
            group_of.update(dict.fromkeys(b, a))
    return chain


def _records(settings: Settings, db: "Warehouse", parties: list[str], is_masked: bool) -> list[Record]:
    """The current version of each record."""
    if not parties:
        return []
    tokens = ", ".join(f"p.{name}_token" for name in _PERSONAL)
    rows = _rows(
        db,
        f"select p.party_id, p.source, p.arrival_number, d.delivery_name, p.updated_at, {tokens}"
        " from staging.stg_parties as p inner join raw.deliveries as d on d.arrival_number = p.arrival_number"
        f" where p.is_current and p.party_id in ({', '.join(map(literal, parties))}) order by p.party_id",
    )
    values = _values(settings, {row["arrival_number"] for row in rows})
    told = privacy.shape if is_masked else str
    return [
        Record(
            row["party_id"],
            row["source"],
            row["arrival_number"],
            row["delivery_name"],
            row["updated_at"],
            {
                name: told(values[token])
                for name in _PERSONAL
                if (token := row[f"{name}_token"]) is not None and token in values
            },
        )
        for row in rows
    ]


def _values(settings: Settings, arrivals: Iterable[int]) -> dict[str, str]:
    """What stands behind the tokens of some deliveries."""
    import duckdb
    from sqlalchemy import select

    from cx360 import ledger

    with ledger.session(settings) as session:
        deliveries = select(ledger.Delivery.identifiers_path).where(
            ledger.Delivery.arrival_number.in_(list(arrivals)), ledger.Delivery.identifiers_path.is_not(None)
        )
        paths = [settings.lake / str(path) for path in session.scalars(deliveries)]
    if not paths:
        return {}
    files = ", ".join(literal(str(path)) for path in paths)
    with closing(duckdb.connect(config={"autoinstall_known_extensions": False})) as db:
        rows = db.execute(f"select token, min(value) from read_parquet([{files}]) group by token").fetchall()
    return dict(rows)


def show(explained: Explained, console: "Console") -> None:
    """Print it."""
    if explained.profile_id is None:
        console.print("That identifier is nobody's: several people hold it, or more than its limit.")
    else:
        home = f", household {explained.household_id}" if explained.household_id else ""
        console.print(f"Profile {explained.profile_id}: {len(explained.records)} party records{home}")
    for r in explained.records:
        says = ", ".join(f"{name} {value}" for name, value in r.says.items())
        of_version = f", version of {r.updated_at:%Y-%m-%d %H:%M}" if r.updated_at else ""
        said = f"  {r.party_id} of {r.source}, delivery {r.arrival_number} {r.delivery_name}{of_version}: {says}"
        console.print(said, soft_wrap=True, markup=False)
    _show_links("One person because", explained.chain, console)
    _show_links("Not taken", explained.not_taken, console)
    if explained.identifiers:
        held = [(h.identifier_type, h.identifier, h.valid_from, h.valid_to, h.note) for h in explained.identifiers]
        console.print(screen.table(("identifier", "token", "from", "until", "open because"), held))
    for d in explained.decisions:
        console.print(
            f"Decision {d.decision_number}: {d.kind} {d.party_id_a} {d.party_id_b}, by {d.decided_by}: {d.reason}",
            soft_wrap=True,
            markup=False,
        )


def _show_links(title: str, links: list[Link], console: "Console") -> None:
    if not links:
        return
    console.print(f"{title}:")
    for link in links:
        over = f" over {link.identifier}" if link.identifier else ""
        weight = "" if link.weight_bits is None else f", {link.weight_bits:.1f} bits"
        parts = ", ".join(f"{name} {bits:+.1f}" for name, bits in link.by_comparison.items())
        outcome = "" if link.outcome == "joined" else f": {link.outcome.replace('_', ' ')}"
        reason = f" ({link.reason})" if link.reason else ""
        said = f"  {link.party_id_a} and {link.party_id_b}: {link.rule}{over}{weight}{outcome}{reason}"
        console.print(f"{said} [{parts}]" if parts else said, soft_wrap=True, markup=False)
