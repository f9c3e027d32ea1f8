"""Matching: which party records are probably one person, by a frozen model over names, dates, addresses.

Here belongs the daily call, ``score``, and what makes a day cost what it brings. The model's file is ``model``, what is
compared ``features``, the call of Splink ``scoring``, the estimation of a model ``training``. Nothing is merged here:
what a link is worth beside the deterministic rules is identity's to say.

Persons only: organisations are left to the deterministic rules. What is read here is personal and stays in this process
and in ``pii/matching/`` below home, which only its owner may read; the links carry ids and weights.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cx360.matching.model import Model, load
from cx360.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from cx360.engines import Warehouse

#: The table of links.
TABLE = "identity.match_links"

#: Above this share of changed records all are scored anew: it is cheaper than to look for theirs.
_REBUILD_SHARE = 0.3

#: What is matched: persons, without identifiers that stronger rules found to be shared widely.
RECORDS = """
    select r.party_id, r.name_token, r.given_name_token, r.family_name_token, r.birth_date_token,
        case when d.identifier is null then r.document_token end as document_token,
        case when p.identifier is null then r.phone_token end as phone_token,
        case when e.identifier is null then r.email_token end as email_token,
        r.address_token, r.postcode_token, r.is_document_valid as is_document_verified, r.is_birth_date_verified,
        r.city, r.gender
    from identity.int_identity__records as r
    left join identity.suppressed_identifiers as d
        on d.identifier_type = 'document' and d.identifier = r.document_token
    left join identity.suppressed_identifiers as p on p.identifier_type = 'phone' and p.identifier = r.phone_token
    left join identity.suppressed_identifiers as e on e.identifier_type = 'email' and e.identifier = r.email_token
    where r.party_type = 'person'
"""


class MatchingFailed(Exception):
    """Records could not be matched; the message quotes no value."""


@dataclass(frozen=True)
class Scores:
    """What a call of ``score`` found.

    Attributes:
        model_version: hash of the model.
        records: persons' records that were compared.
        changed_records: of them, new or changed since the state that was kept, or gone since.
        matches: links at or above the threshold.
        reviews: links in the review band.
        unused_keys: by blocking key, how many of its values were not used as too many records hold them, and how many
            records those are.
    """

    model_version: str
    records: int
    changed_records: int
    matches: int
    reviews: int
    unused_keys: dict[str, dict[str, int]]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a summary."""
        return dict(vars(self))


def score(settings: Settings, db: "Warehouse", paths: list[str]) -> Scores:
    """Write ``identity.match_links`` from ``identity.int_identity__records`` by the model in force.

    One row per pair at or above the review band: party_id_a < party_id_b, a weight per comparison, their sum with the
    prior, in 1/1000 bit; outcome ``match`` or ``review``; model_version. Sorted by the pair.

    Args:
        settings: of the deployment.
        db: its open warehouse, for writing.
        paths: files of the lake with the values of the records' tokens.

    Returns:
        Counts.

    Raises:
        ModelError: the model's file cannot be used.
        MatchingFailed: the records could not be read or compared.
    """
    from cx360.matching import state

    model = load(settings)
    records = db.query(RECORDS)
    with workbench(settings) as (duck, folder):
        duck.register("given_records", records)
        kept = state.find(settings, model)
        scores = match(duck, paths, model, kept)
        links = duck.sql("select * from links order by party_id_a, party_id_b").to_arrow_table()
        state.keep(settings, model, duck, folder, kept)
    db.write(TABLE, links)
    return scores


@contextmanager
def workbench(settings: Settings) -> "Iterator[tuple[DuckDBPyConnection, Path]]":
    """A DuckDB in memory and a folder in staging into which it spills; both are gone afterwards.

    Raises:
        MatchingFailed: a statement failed, whose text may quote values.
    """
    import duckdb

    from cx360 import lake

    with lake.workshop(settings) as folder:
        db = duckdb.connect(
            config={
                "threads": settings.threads,
                "memory_limit": settings.memory_limit,
                "temp_directory": str(folder / "spill"),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "preserve_insertion_order": False,
            }
        )
        db.execute("set enable_progress_bar = false")
        try:
            yield db, folder
        except (duckdb.OperationalError, duckdb.InterruptException):
            raise
        except Exception as error:
            if not type(error).__module__.startswith(("duckdb", "_duckdb", "splink", "sqlglot")):
                raise
            raise MatchingFailed(
                f"party records could not be matched ({type(error).__name__}). If the model's file is your own, compare"
                " its SQL with the shipped one; else please report it"
            ) from None
        finally:
            db.close()


def match(db: "DuckDBPyConnection", paths: list[str], model: Model, kept: "Path | None") -> Scores:
    """Make table ``links`` of view ``given_records``; ``gathered`` and ``keyed`` are for ``state`` to keep.

    Args:
        db: a workbench.
        paths: files with the values of the records' tokens.
        model: to match by.
        kept: folder of a state that was made by this model, or None: ``records`` and ``links`` of any earlier call.
    """
    from cx360.matching import scoring

    _show_kept(db, kept)
    gather(db, paths, model, "old_records" if kept else None)
    unused = _drop_crowded_keys(db, model)
    records, changed = _find_changed(db)
    if kept is None or changed > _REBUILD_SHARE * records:
        parts = [scoring.score(db, model, "usable")] if records > 1 else []
    else:
        parts = ["kept_links", *_score_changed(db, model)]
    db.execute(f"create or replace table links as {_union(parts)}")
    counted = dict(db.execute("select outcome, count(*) from links group by outcome").fetchall())
    return Scores(model.version, records, changed, counted.get("match", 0), counted.get("review", 0), unused)


def _union(parts: list[str]) -> str:
    from cx360.matching import scoring

    columns = ", ".join(scoring.COLUMNS)
    selects = [f"({scoring.nothing()})", *(f"select {columns} from {part}" for part in parts)]
    return " union all ".join(selects)


def _show_kept(db: "DuckDBPyConnection", kept: "Path | None") -> None:
    """Views ``old_records`` and ``old_links`` of what was kept; empty tables if nothing was."""
    from cx360.matching import scoring, state

    if kept:
        state.show(db, kept)
        return
    db.execute("create or replace table old_records (party_id varchar, tokens_hash ubigint, row_hash ubigint)")
    db.execute(f"create or replace table old_links as {scoring.nothing()}")


def gather(db: "DuckDBPyConnection", paths: list[str], model: Model, old: str | None = None) -> None:
    """Make view ``gathered``, features of all records of view ``given_records``.

    Args:
        db: a workbench.
        paths: files with the values of the records' tokens.
        model: says which keys to make and how frequent names are.
        old: table of features that this model made before; records that are the same are taken from it.
    """
    from cx360.matching import features

    compared = ", ".join(features.COMPARED)
    same = f"from {old} as old where old.party_id = here.party_id and old.tokens_hash = here.tokens_hash"
    is_fresh = f"not exists ({same})" if old else "true"
    db.execute(f"create or replace table here as select party_id, hash({compared}) as tokens_hash from given_records")
    db.execute(f"create or replace table fresh_ids as select * from here where {is_fresh}")
    db.execute(
        f"create or replace table fresh as select party_id, tokens_hash, {compared}"
        " from given_records join fresh_ids using (party_id)"
    )
    features.make(db, "fresh", paths, model)
    gathered = "from features"
    if old:
        db.execute(
            f"create or replace table stale as select party_id from {old} as old anti join here"
            " on old.party_id = here.party_id and old.tokens_hash = here.tokens_hash"
        )
        gathered = (
            f"select * exclude (row_hash) from {old} where party_id not in (select party_id from stale)"
            " union all by name from features"
        )
    db.execute(f"create or replace view gathered as {gathered}")
    for table in ("here", "fresh_ids", "fresh"):
        db.execute(f"drop table {table}")


def _drop_crowded_keys(db: "DuckDBPyConnection", model: Model) -> dict[str, dict[str, int]]:
    """Table ``keyed``: ids, keys that not too many hold, a hash; view ``usable``: ``gathered`` with those keys."""
    keys = ", ".join(f"key_{key}" for key in model.keys)
    db.execute(f"create or replace table all_keys as select party_id, tokens_hash, {keys} from gathered")
    unused, usable = {}, {}
    for key in model.keys:
        db.execute(
            f"create or replace temp table crowded_{key} as select key_{key} as key, count(*) as n from all_keys"
            f" where key_{key} is not null group by key_{key} having count(*) > {model.key_limit}"
        )
        ((values, records),) = db.execute(f"select count(*), coalesce(sum(n), 0)::bigint from crowded_{key}").fetchall()
        usable[key] = f"key_{key}"
        if values:
            unused[key] = {"keys": values, "records": records}
            usable[key] = f"case when key_{key} not in (select key from crowded_{key}) then key_{key} end"
    replaced = ", ".join(f"{usable[key]} as key_{key}" for key in unused)
    replaced = f"replace ({replaced})" if replaced else ""
    db.execute(f"create or replace view usable as select * {replaced} from gathered")
    db.execute(f"""
        create or replace table keyed as
        select party_id, {keys}, hash(tokens_hash, {keys}) as row_hash from (select * {replaced} from all_keys)
    """)
    db.execute("drop table all_keys")
    return unused


def _find_changed(db: "DuckDBPyConnection") -> tuple[int, int]:
    """Table ``changed`` (party_id): records that are new, gone or of another hash; counts of all records and of it."""
    db.execute("""
        create or replace table changed as
        select coalesce(keyed.party_id, old.party_id) as party_id
        from (select party_id, row_hash from keyed) as keyed
        full join (select party_id, row_hash from old_records) as old using (party_id)
        where keyed.row_hash is distinct from old.row_hash
    """)
    ((records, changed),) = db.execute("select (select count(*) from keyed), (select count(*) from changed)").fetchall()
    return records, changed


def _score_changed(db: "DuckDBPyConnection", model: Model) -> list[str]:
    """View ``kept_links`` of the pairs nothing changed in; returns the tables of the links of changed records."""
    from cx360.matching import scoring

    db.execute("""
        create or replace view kept_links as
        from old_links
        where party_id_a not in (select party_id from changed) and party_id_b not in (select party_id from changed)
    """)
    db.execute("create or replace table new_keys as select keyed.* from keyed semi join changed using (party_id)")
    beside = " or ".join(
        f"key_{key} in (select key_{key} from new_keys where key_{key} is not null)" for key in model.keys
    )
    db.execute(f"""
        create or replace table touched as
        select usable.* from usable semi join (select party_id from keyed where {beside}) using (party_id)
    """)
    for name, join in (("news", "semi"), ("others", "anti")):
        db.execute(
            f"create or replace table {name} as select touched.* from touched {join} join changed using (party_id)"
        )
    ((news, others),) = db.execute("select (select count(*) from news), (select count(*) from others)").fetchall()
    parts = [scoring.score(db, model, "news")] if news > 1 else []
    return parts + ([scoring.score(db, model, "news", "others")] if news and others else [])
