"""What bare Splink makes of a synthetic bank's party files: the rival of ``bench.people``.

A model as Splink's own guides make one: texts in small letters, phones as digits, its comparisons for names, birth
dates and e-mails, the frequencies of names, trained on the records at hand without labels, links above a threshold,
people as connected components.
"""

import gzip
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

#: The threshold of best F1 on bank 1001 of 50,000 people, in bits of weight; without labels a user would have to guess.
THRESHOLD = 18.0

#: The latest record of each person of the master.
_RECORDS = """
select
    KUNDEN_NR as party_id,
    nullif(lower(trim(VORNAME)), '') as given_name,
    nullif(lower(trim(NACHNAME)), '') as family_name,
    nullif(trim(GEBURTSDATUM), '') as birth_date,
    nullif(lower(trim(AUSWEIS_NR)), '') as document,
    nullif(regexp_replace(TELEFON, '[^0-9]', '', 'g'), '') as phone,
    nullif(lower(trim(EMAIL)), '') as email,
    nullif(lower(trim(STRASSE)), '') as street,
    nullif(trim(PLZ), '') as postcode,
    nullif(lower(trim(ORT)), '') as city
from read_csv('{inbox}/*/parties*.csv.gz', columns = {columns}, auto_detect = false, header = true, delim = ',',
    quote = '"', ignore_errors = true, filename = true)
where PERSONENART = 'N'
qualify row_number() over (partition by KUNDEN_NR order by filename desc, GEAENDERT_AM desc) = 1
"""


def links(inbox: Path) -> pa.Table:
    """(party_id_a, party_id_b): pairs of records that Splink takes for one person."""
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    from cx360.matching.scoring import quiet

    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="party_id",
        blocking_rules_to_generate_predictions=[
            block_on("document"),
            block_on("phone"),
            block_on("email"),
            block_on("given_name", "family_name"),
            block_on("given_name", "birth_date"),
            block_on("family_name", "birth_date"),
            block_on("birth_date", "postcode"),
            block_on("family_name", "postcode"),
            block_on("given_name", "postcode"),
            block_on("street", "postcode"),
        ],
        comparisons=[
            cl.NameComparison("given_name").configure(term_frequency_adjustments=True),
            cl.NameComparison("family_name").configure(term_frequency_adjustments=True),
            cl.DamerauLevenshteinAtThresholds("birth_date", [1, 2]),
            cl.LevenshteinAtThresholds("document", [1, 2]),
            cl.LevenshteinAtThresholds("phone", [1, 2]),
            cl.EmailComparison("email"),
            cl.JaroWinklerAtThresholds("street", [0.9]),
            cl.LevenshteinAtThresholds("postcode", [1, 2]),
            cl.JaroWinklerAtThresholds("city", [0.9]),
        ],
    )
    with duckdb.connect(config={"threads": 2}) as db, quiet():
        columns = dict.fromkeys(_header(inbox), "VARCHAR")
        db.execute(f"create table records as {_RECORDS.format(inbox=inbox, columns=columns)}")
        linker = Linker(DuckDBAPI(db).register("records"), settings, log_level=None)
        sure: list[Any] = [block_on("document"), block_on("given_name", "family_name", "birth_date")]
        linker.training.estimate_probability_two_random_records_match(sure, recall=0.7)
        linker.training.estimate_u_using_random_sampling(max_pairs=5e6, seed=1)
        for block in (("given_name", "family_name"), ("birth_date",)):
            linker.training.estimate_parameters_using_expectation_maximisation(block_on(*block))
        found = linker.inference.predict(threshold_match_weight=THRESHOLD).physical_name
        return db.sql(f"select party_id_l as party_id_a, party_id_r as party_id_b from {found}").to_arrow_table()


def _header(inbox: Path) -> list[str]:
    with gzip.open(min(inbox.glob("*/parties*.csv.gz")), "rt", encoding="utf-8-sig") as lines:
        return next(lines).strip().split(",")
