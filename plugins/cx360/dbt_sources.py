"""What dbt knows of the lake: the sources file and the column texts, rendered from the contracts.

Here belongs only the rendering. The two files are committed; a test holds them to what this module renders.
Run ``python -m cx360.dbt_sources`` after a contract changed.
"""

from collections.abc import Mapping
from pathlib import Path

import yaml

from cx360 import contracts
from cx360.contracts import Contract
from cx360.settings import PROJECT

FOLDER = PROJECT / "dbt_project" / "models" / "staging"
HEADER = "Rendered from contracts/ by `python -m cx360.dbt_sources`. Change the contract, not this file."

#: What the warehouse adds to the columns of an accepted row.
ARRIVAL_COLUMNS = (
    ("source", "varchar", "System that delivered the row."),
    ("arrival_number", "bigint", "Number of the delivery the row came in; a later one has a higher number."),
    ("delivery_day", "date", "Day the delivery belongs to."),
    ("content_hash", "varchar", "SHA-256 of the delivered file."),
)

_TEXT_KEY = (
    ("feed", "varchar", "Feed of the record the text belongs to."),
    ("arrival_number", "bigint", "Number of the delivery it came in."),
    ("record_key", "varchar", "Key of the record: call_id, response_id or complaint_id."),
    ("version_at", "timestamptz", "Version of the record, in a feed of changes."),
)

_EXTRA_TABLES = (
    (
        "deliveries",
        "One row per delivery that passed its gate and arrived up to known_at.",
        (
            ("arrival_number", "bigint", "Number of the delivery."),
            ("source", "varchar", "System that delivered."),
            ("feed", "varchar", "Feed delivered."),
            ("delivery_name", "varchar", "Path of the file below the inbox."),
            ("delivery_day", "date", "Day the delivery belongs to."),
            ("content_hash", "varchar", "SHA-256 of the delivered file."),
            ("rows_accepted", "bigint", "Rows that landing accepted."),
        ),
    ),
    (
        "blocked_identifiers",
        "One row per identifier that is nobody's, by seed identifier_blocked_values.",
        (
            ("identifier_type", "varchar", "Kind of identifier: document, phone, email, app_user or device."),
            ("identifier", "varchar", "Its token."),
        ),
    ),
    (
        "text_readings",
        "One row per text of a delivery: what customers wrote or agents noted, as it was read. Never the text.",
        (
            *_TEXT_KEY,
            ("language", "varchar", "Language: en or zh; null for others and for what has no words."),
            ("sentiment_score", "double", "Sentiment from 1 (very bad) to 5 (very good)."),
            ("sentiment", "bigint", "The same as a whole point."),
            ("is_angry", "boolean", "Whether who wrote it is angry."),
            ("model_name", "varchar", "Model that told the sentiment."),
            ("model_version", "varchar", "Its version, and that of what cuts texts into its words."),
            ("lexicon_version", "varchar", "Hash of the seeds the text was read by."),
        ),
    ),
    (
        "text_mentions",
        "One row per text of a delivery and aspect it names.",
        (
            *_TEXT_KEY,
            ("aspect", "varchar", "Aspect of the taxonomy in seed text_aspect_terms."),
            ("polarity", "bigint", "What is said of it: -1 bad, 0 neither or both, 1 good."),
        ),
    ),
    (
        "run_scope",
        "One row per event to compute anew in this run, and day and account a version of it is of.",
        (
            ("feed", "varchar", "Event feed."),
            ("event_key", "varchar", "Key of the event."),
            ("business_date", "date", "Day to compute anew."),
            ("account_id", "varchar", "Account to compute that day of anew; null where the feed has none."),
        ),
    ),
)


def _doc_name(feed: str, column: str) -> str:
    return f"{feed}__{column}"


def _column(name: str, sql_type: str, description: str) -> dict[str, str]:
    return {"name": name, "data_type": sql_type, "description": description}


def _feed_table(contract: Contract) -> dict[str, object]:
    lake = [
        _column(name, sql, f"{{{{ doc('{_doc_name(contract.feed, name)}') }}}}")
        for name, sql, _ in contract.lake_columns
    ]
    arrival = [_column(name, sql, f"{{{{ doc('{_doc_name('arrival', name)}') }}}}") for name, sql, _ in ARRIVAL_COLUMNS]
    return {
        "name": contract.feed,
        "description": f"{contract.description} Grain: {contract.grain}, per delivery.",
        "columns": lake + arrival,
    }


def render(feeds: Mapping[str, Contract]) -> str:
    """The dbt sources file (source ``raw``), as YAML text.

    Args:
        feeds: contracts by feed, in the order the tables are to be listed.
    """
    tables = [_feed_table(contract) for contract in feeds.values()]
    for name, description, columns in _EXTRA_TABLES:
        tables.append({"name": name, "description": description, "columns": [_column(*c) for c in columns]})
    source = {
        "name": "raw",
        "schema": "raw",
        "description": "The lake as this run may see it: views over the accepted rows of the visible deliveries.",
        "tables": tables,
    }
    body = yaml.safe_dump({"sources": [source]}, sort_keys=False, width=110, allow_unicode=True)
    return f"# {HEADER}\n{body}"


def render_columns(feeds: Mapping[str, Contract]) -> str:
    """Doc blocks of every lake column (``<feed>__<column>``), as Markdown text."""
    texts = {
        _doc_name(contract.feed, name): description
        for contract in feeds.values()
        for name, _, description in contract.lake_columns
    }
    texts |= {_doc_name("arrival", name): description for name, _, description in ARRIVAL_COLUMNS}
    blocks = [f"{{% docs {name} %}}\n{text}\n{{% enddocs %}}\n" for name, text in texts.items()]
    return f"<!-- {HEADER} -->\n\n" + "\n".join(blocks)


def files(feeds: Mapping[str, Contract], folder: Path = FOLDER) -> dict[Path, str]:
    """The committed files and what they must hold."""
    return {folder / "_sources.yml": render(feeds), folder / "_columns.md": render_columns(feeds)}


def main() -> None:
    """Write both files."""
    for path, text in files(contracts.load()).items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
