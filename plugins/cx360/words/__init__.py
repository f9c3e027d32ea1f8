"""Words: what customers wrote and agents noted, as language, sentiment, anger and aspects.

Here belongs the daily call, ``read_deliveries``. How one text is read is in ``reading``, with a module per language;
the word lists and figures it goes by are seeds, which ``lexicon`` loads; what was read before is kept by ``kept``.

Texts are personal. They are read here, in this process, from the ``pii`` part of the lake, and never leave it: what
goes on carries keys, marks and versions, never a word.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cx360.contracts import Contract
from cx360.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

    from cx360.engines import Warehouse

#: Feeds with words of customers, or about them, and the column of each.
TEXTS = {"call_logs": "notes", "survey_responses": "comment", "complaints": "text"}

#: The tables of the warehouse: what each text says as a whole, and of which aspects.
READINGS, MENTIONS = "text_readings", "text_mentions"

_KEY = ["feed", "arrival_number", "record_key", "version_at"]


@dataclass(frozen=True)
class Read:
    """What a call of ``read_deliveries`` did.

    Attributes:
        version: hash of all a reading is a function of, beside the text.
        texts: texts of the deliveries seen.
        in_a_language: of them, those in a language that is read.
        files: files of the lake with texts.
        new_files: of them, those that were read now.
    """

    version: str
    texts: int
    in_a_language: int
    files: int
    new_files: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a summary."""
        return dict(vars(self))


def read_deliveries(settings: Settings, db: "Warehouse") -> Read:
    """Write ``raw.text_readings`` and ``raw.text_mentions`` of all deliveries this run sees.

    One row per text of a delivery and, in the second, aspect: feed, arrival_number, record_key and, in a feed of
    changes, version_at say which record it belongs to. Only files that were not read before are read.

    Args:
        settings: of the deployment.
        db: its open warehouse, for writing.

    Returns:
        Counts.

    Raises:
        ReadingFailed: a text could not be read.
    """
    import pyarrow as pa

    from cx360 import contracts, warehouse
    from cx360.words import kept
    from cx360.words.reading import Reader

    reader = Reader(settings)
    files = _files(settings, db)
    feeds = contracts.load(settings)
    readings, mentions, new = [], [], set()
    for feed, arrival_number, path in files:
        found = kept.find(settings, reader.version, path)
        if found is None:
            new.add(path)
            found = _read(settings, reader, feeds[feed], path)
            kept.keep(settings, reader.version, path, found)
        told = found.append_column("feed", pa.repeat(feed, len(found)))
        told = told.append_column("arrival_number", pa.repeat(arrival_number, len(found)))
        readings.append(told.select(warehouse.kept_schema(READINGS).names))
        mentions.append(_mentions(told))
    kept.forget_others(settings, reader.version)
    for table, parts in ((READINGS, readings), (MENTIONS, mentions)):
        schema = warehouse.kept_schema(table)
        whole = pa.concat_tables([schema.empty_table(), *(part.cast(schema) for part in parts)])
        db.write(f"raw.{table}", whole)
    texts = [column for part in readings for column in part["language"].chunks]
    return Read(
        version=reader.version,
        texts=sum(map(len, texts)),
        in_a_language=sum(len(each) - each.null_count for each in texts),
        files=len({path for _, _, path in files}),
        new_files=len(new),
    )


def _files(settings: Settings, db: "Warehouse") -> list[tuple[str, int, str]]:
    """Feed, arrival number and file of texts, below the lake, of the deliveries this run sees."""
    from sqlalchemy import select

    from cx360 import ledger

    arrivals = db.query("select arrival_number from raw.deliveries")["arrival_number"].to_pylist()
    delivery = ledger.Delivery
    seen = select(delivery.feed, delivery.arrival_number, delivery.texts_path).where(
        delivery.texts_path.is_not(None), delivery.feed.in_(TEXTS), delivery.arrival_number.in_(arrivals)
    )
    with ledger.session(settings) as session:
        return [(feed, number, str(path)) for feed, number, path in session.execute(seen.order_by("arrival_number"))]


def _read(settings: Settings, reader: Any, contract: Contract, path: str) -> "pa.Table":
    """What the texts of a file say, with the keys of their records."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from cx360 import rows

    key, *version = rows.row_key(contract)
    column = TEXTS[contract.feed]
    given = pq.read_table(settings.lake / path)
    if column not in given.column_names:  # the bank's own contract has no such column
        given = given.append_column(column, pa.nulls(len(given), pa.string()))
    given = given.filter(given[column].is_valid())
    versions = given[version[0]] if version else pa.nulls(len(given), pa.timestamp("us", "UTC"))
    found: pa.Table = reader.read(given[column])
    return found.append_column("record_key", given[key].cast(pa.string())).append_column("version_at", versions)


def _mentions(told: "pa.Table") -> "pa.Table":
    """A row per text and aspect."""
    import pyarrow.compute as pc

    aspects = told["aspects"].combine_chunks()
    keys = told.select(_KEY).take(pc.list_parent_indices(aspects))
    flat = pc.list_flatten(aspects)
    for name in ("aspect", "polarity"):
        keys = keys.append_column(name, pc.struct_field(flat, name))
    return keys
