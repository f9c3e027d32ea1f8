"""Landing: a delivered file becomes accepted rows in the lake and quarantined ones beside them.

Here belongs the way of one delivery from the inbox to its row in the ledger. It is a pure function of bytes, mapping
and contract and knows no other delivery; what several deliveries say of one key is settled in staging (dbt).
"""

import hashlib
import logging
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cx360 import lake, mapping, privacy, reading, rows, sources
from cx360.contracts import Contract, load
from cx360.lake import UnreadableError
from cx360.manifest import Made
from cx360.row_rules import if_it_holds
from cx360.settings import Settings
from cx360.sources import File, SourceError
from cx360.sql import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from cx360.ledger import Delivery

log = logging.getLogger(__name__)


@dataclass
class Landed:
    """What landing made of a feed's new deliveries; counts and messages for the person on call."""

    feed: str
    deliveries: int = 0
    known_already: int = 0
    unreadable: int = 0
    rows_in: int = 0
    accepted: int = 0
    repeated: int = 0
    quarantined: int = 0
    messages: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For a task's result."""
        return asdict(self)

    def add(self, delivery: "Delivery") -> None:
        """Count one delivery."""
        self.deliveries += 1
        self.unreadable += delivery.outcome == "unreadable"
        self.rows_in += delivery.rows_in
        self.accepted += delivery.rows_accepted
        self.repeated += delivery.rows_repeated
        self.quarantined += delivery.rows_quarantined
        if delivery.message:
            self.messages.append(f"{delivery.delivery_name}: {delivery.message}")


def land(settings: Settings, feed: str, until: date | None = None) -> Landed:
    """Land every complete file of a feed that is new, in order of delivery day and name.

    A file is known when the latest delivery of its name has the same bytes, mapping and contract. The same bytes
    under another name, or again after others, are a delivery of their own that points to what the first one made.

    Args:
        settings: of the deployment.
        feed: a contract's feed.
        until: last delivery day to take; None for all.
    """
    from cx360 import ledger

    contract = load(settings)[feed]
    summary = Landed(feed)
    with ledger.one_at_a_time(settings, f"land {feed}"):  # else two runs at once would take a file twice
        for file in sources.discover(settings, feed, until):
            delivery = _deliver(settings, contract, file)
            if delivery is None:
                summary.known_already += 1
                continue
            summary.add(delivery)
            log.info(
                "%s: %s, %d of %d rows accepted", file.name, delivery.outcome, delivery.rows_accepted, delivery.rows_in
            )
    return summary


def _deliver(settings: Settings, contract: Contract, file: File) -> "Delivery | None":
    """Land one file and write it into the ledger; None when it is known already."""
    from cx360 import ledger, manifest

    stat = file.path.stat()
    expected, complaint = _control(file)
    mapping_hash = hash_of_mapping(settings, file)
    identity = {"source": file.source.source, "feed": contract.feed, "delivery_name": file.name}
    with ledger.session(settings) as session:
        latest = manifest.latest_delivery(session, **identity)
        if latest is not None and _is_outdated(latest, mapping_hash, contract.version, expected):
            latest = None
        if latest is not None and (latest.file_size, latest.file_mtime_ns) == (stat.st_size, stat.st_mtime_ns):
            return None
    log.info("%s: %.1f MB", file.name, stat.st_size / 1e6)
    with lake.workshop(settings) as folder:
        staged = lake.take(file.path, folder)
        if latest is not None and latest.content_hash == staged.content_hash:
            return None
        made = _made_before(settings, contract, staged, mapping_hash) if complaint is None else None
        made = made or _make(settings, contract, file, staged, mapping_hash, folder, complaint)
    with ledger.session(settings) as session:
        return manifest.record(
            session,
            made,
            **identity,
            delivery_day=file.delivery_day,
            content_hash=staged.content_hash,
            mapping_hash=mapping_hash,
            token_key=privacy.key_id(settings),
            contract_version=contract.version,
            file_size=stat.st_size,
            file_mtime_ns=stat.st_mtime_ns,
            expected=expected,
        )


def hash_of_mapping(settings: Settings, file: File) -> str:
    """Hash of what, besides bytes and contract, decides what landing makes of a file in this deployment."""
    return file.mapping_hash(f"{privacy.key_id(settings)}/{privacy.NORMALISATION_VERSION}")


def remake(settings: Settings, contract: Contract, file: File, content_hash: str) -> Made:
    """What landing makes today of a file it took before; its files are in the lake afterwards, nothing is recorded.

    Args:
        settings: of the deployment.
        contract: of its feed.
        file: its raw bytes, under the name they were delivered with.
        content_hash: what those bytes must be.

    Raises:
        UnreadableError: the kept bytes are not those.
    """
    mapping_hash = hash_of_mapping(settings, file)
    with lake.workshop(settings) as folder:
        staged = lake.take(file.path, folder)
        if staged.content_hash != content_hash:
            raise UnreadableError(
                f"the raw file kept of {file.name} is damaged: restore {content_hash}… in the lake's pii/raw from a"
                " backup, or ask the source to deliver it again"
            )
        made = _made_before(settings, contract, staged, mapping_hash)
        if made is None or any(not (settings.lake / name).exists() for name in made.files):
            made = _make(settings, contract, file, staged, mapping_hash, folder)
    return made


def _made_before(settings: Settings, contract: Contract, staged: lake.Staged, mapping_hash: str) -> Made | None:
    """What an earlier landing made of the same bytes, by the same mapping and contract."""
    from cx360 import ledger, manifest

    with ledger.session(settings) as session:
        return manifest.same_landing(session, contract.feed, staged.content_hash, mapping_hash, contract.version)


def _is_outdated(latest: "Delivery", mapping_hash: str, contract_version: str, expected: dict[str, Any] | None) -> bool:
    """Whether the same bytes would be landed otherwise today.

    What a mended mapping, format, contract or control file makes of them takes the place of what was made before.
    """
    said = (latest.mapping_hash, latest.contract_version, latest.expected)
    return said != (mapping_hash, contract_version, expected)


def _control(file: File) -> tuple[dict[str, Any] | None, str | None]:
    """Control totals of the file, and what is wrong with them; both None when its source gives none."""
    try:
        return file.expected, None
    except SourceError as error:
        return None, str(error)


def _make(
    settings: Settings,
    contract: Contract,
    file: File,
    staged: lake.Staged,
    mapping_hash: str,
    folder: Path,
    complaint: str | None = None,
) -> Made:
    """Make the files of one landing and put them in their places; with a complaint only the raw one is kept."""
    landing_id = hashlib.sha256(
        f"{staged.content_hash} {mapping_hash} {contract.feed} {contract.version}".encode()
    ).hexdigest()[:32]
    raw_name = f"pii/raw/{file.source.source}/{contract.feed}/{staged.content_hash}{''.join(file.path.suffixes[-2:])}"
    try:
        if complaint:
            raise UnreadableError(complaint)
        with closing(_workbench(settings, folder)) as db:
            made = _refine(db, settings, contract, file, staged, folder, landing_id)
    except UnreadableError as error:
        made = Made({"outcome": "unreadable", "message": str(error)})
    lake.place(staged.raw, settings.lake / raw_name)
    made.delivery["raw_path"] = raw_name
    return made


def _workbench(settings: Settings, folder: Path) -> "DuckDBPyConnection":
    """A DuckDB in memory that spills into the workshop."""
    import duckdb

    db = duckdb.connect(
        config={
            "threads": settings.threads,
            "memory_limit": settings.memory_limit,
            "temp_directory": str(folder / "spill"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    db.execute("set TimeZone = 'UTC'")
    # It turns a list of more than a few values into a join, and what comes out of a join is in no order: rows would
    # not get the numbers they have in the file.
    db.execute("set disabled_optimizers = 'in_clause'")
    privacy.install(db, settings)
    return db


def _refine(
    db: "DuckDBPyConnection",
    settings: Settings,
    contract: Contract,
    file: File,
    staged: lake.Staged,
    folder: Path,
    landing_id: str,
) -> Made:
    """From the staged file to the files of the lake.

    Raises:
        UnreadableError: no row can be taken from it.
    """
    try:
        select = mapping.parse(db, file.mapping_sql, contract)
    except mapping.MappingError as error:
        raise UnreadableError(
            f"mapping {file.source.mapping(file.spec).name} of source {file.source.source}: {error}."
            " Mend it; the next run takes the file again."
        ) from None
    remark = reading.read(db, file, staged, select.inputs)
    rows.judge(db, contract, file, select)
    reading.set_aside(db, file)
    rows.settle_repeats(db, contract)
    rows.tokenise(db, contract, file.spec.phone_region)
    rows.refuse(db, contract, file, select)

    parts = {
        "lake_path": (contract.feed, rows.accepted(contract)),
        "identifiers_path": (f"pii/identifiers/{contract.feed}", rows.identifiers(contract)),
        "texts_path": (f"pii/texts/{contract.feed}", rows.texts(contract)),
    }
    delivery: dict[str, Any] = {"outcome": "landed", "message": remark}
    written = {}
    for part, (place, sql) in parts.items():
        if sql is not None:
            written[part] = lake.write(db, folder / part, sql)
            if written[part] or part == "lake_path":
                delivery[part] = f"{place}/{landing_id}.parquet"
                lake.place(folder / part, settings.lake / delivery[part])
    quarantined = _write_quarantine(db, settings, contract, folder, landing_id, delivery)
    delivery |= {
        "rows_in": _number(db, "select (select count(*) from typed) + (select count(*) from malformed)"),
        "rows_accepted": written["lake_path"],
        "rows_repeated": _number(db, "select count(*) from repeats where not contradicts"),
        "rows_quarantined": quarantined,
        **_dates(db, contract, settings.lake / delivery["lake_path"], sources.bank(settings).timezone),
    }
    return Made(delivery, _reasons(db, contract), _conservation(db, contract, settings, delivery))


def _number(db: "DuckDBPyConnection", sql: str) -> int:
    return int(db.execute(sql).fetchall()[0][0])


def _write_quarantine(
    db: "DuckDBPyConnection",
    settings: Settings,
    contract: Contract,
    folder: Path,
    landing_id: str,
    delivery: dict[str, Any],
) -> int:
    """Write the quarantined rows, if any, into the restricted part; returns how many."""
    if not _number(db, "select count(*) from refused"):
        return 0
    sql = "select row_number, reasons, raw_row from refused order by row_number, raw_row"
    count = lake.write(db, folder / "quarantine", sql)
    delivery["quarantine_path"] = f"pii/quarantine/{contract.feed}/{landing_id}.parquet"
    lake.place(folder / "quarantine", settings.lake / delivery["quarantine_path"])
    return count


def _dates(db: "DuckDBPyConnection", contract: Contract, accepted: Path, timezone: str) -> dict[str, Any]:
    """First and last business date of the accepted rows, in the bank's time zone, and the rows of their busiest day."""
    if not contract.event_time:
        return {}
    column = contract.column(contract.event_time)
    day = identifier(column.name)
    if column.type == "timestamptz":
        day = f"timezone({literal(timezone)}, {day})::date"
    first, last, busiest = db.execute(
        "select min(day), max(day), max(n)"
        f" from (select {day} as day, count(*) as n from read_parquet({literal(str(accepted))}) group by day)"
    ).fetchall()[0]
    return {"event_date_min": first, "event_date_max": last, "busiest_day_rows": busiest}


def _reasons(db: "DuckDBPyConnection", contract: Contract) -> list[dict[str, Any]]:
    """Rows per reason, with the shape of one value found."""
    found = db.execute("""
        select reason, count(*), min(row_number), arg_min(texts ->> split_part(reason, ':', 2), row_number)
        from (select unnest(reasons) as reason, row_number, texts from refused)
        group by reason
        order by reason
    """).fetchall()
    return [
        {
            "reason": reason,
            "row_count": count,
            "first_row": first,
            "masked_example": None if example is None else privacy.shape(example),
        }
        for reason, count, first, example in found
    ]


def _conservation(
    db: "DuckDBPyConnection", contract: Contract, settings: Settings, delivery: dict[str, Any]
) -> list[dict[str, Any]]:
    """Rows and money on both sides of the landing, each counted where it is: in the file, in what was written.

    What stands in the place of a currency and breaks its rules is not told: it may be anything.
    """
    out = [
        {
            "measure": "rows",
            "total_in": delivery["rows_in"],
            "accepted": delivery["rows_accepted"],
            "repeated": delivery["rows_repeated"],
            "quarantined": delivery["rows_quarantined"],
            "suppressed": 0,
        }
    ]
    if not contract.money:
        return out
    amount, currency = identifier(contract.money["amount"]), contract.column(contract.money["currency"])
    given, path = identifier(currency.name), literal(str(settings.lake / delivery["lake_path"]))
    as_given = f"coalesce(_amount, {amount}::decimal(38,6))"
    sums = f"""
        with sides as (
            select {given}, 'in' as side, sum({as_given}) as total from typed group by all
            union all
            select {given}, 'accepted', sum({amount}::decimal(38,6)) from read_parquet({path}) group by all
            union all
            select {given}, 'repeated', sum({as_given}) from typed
            where _row in (select _row from repeats where not contradicts) group by all
            union all
            select {given}, 'refused', sum({as_given}) from typed where _row in (select _row from refused) group by all
        )
        select
            coalesce({if_it_holds(currency)}, '(no currency)') as measure,
            sum(total) filter (side = 'in'),
            sum(total) filter (side = 'accepted'),
            sum(total) filter (side = 'repeated'),
            sum(total) filter (side = 'refused')
        from sides
        group by measure
        order by measure
    """
    names = ("measure", "total_in", "accepted", "repeated", "quarantined")
    money = [dict(zip(names, row, strict=True)) | {"suppressed": 0} for row in db.execute(sums).fetchall()]
    return out + [{k: v or 0 for k, v in row.items()} for row in money]
