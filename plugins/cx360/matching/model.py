"""The frozen model: one JSON file that says how much each agreement is worth.

Here belongs reading and writing it and its form in Splink's words. Estimating its numbers is ``training``, the columns
its SQL speaks of are made by ``features``.

A comparison is a list of levels, tried in order: SQL over the columns of two records (``_l``, ``_r``), and m and u, how
often it holds for one person and for two (Fellegi and Sunter 1969). A level with ``fixed_millibits`` weighs that much
whatever the data say. A level with ``tf`` weighs an agreement by how frequent that very value is.
"""

import hashlib
import json
import math
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cx360.settings import Settings

FILE = "models/identity.json"

#: Comparisons of a model, in this order: each is a column of the links.
COMPARISONS = (
    "given_name",
    "family_name",
    "full_name",
    "birth_date",
    "document",
    "phone",
    "email",
    "address",
    "gender",
)

#: Of a fixed weight: below it, probabilities that Splink multiplies would be no numbers any more.
LEAST_MILLIBITS = -200_000

#: Columns whose values may be weighed by their frequency. That of a whole name is told in relation to its parts: how
#: many times more often they stand together than by chance, for names have a home.
FREQUENT = ("given", "family", "birth_date", "name")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Level(_Strict):
    """One outcome of a comparison."""

    label: str
    sql: str
    is_null: bool = False
    m: float | None = Field(None, gt=0, lt=1)
    u: float | None = Field(None, gt=0, lt=1)
    tf: str | None = None
    fixed_millibits: int | None = Field(None, ge=LEAST_MILLIBITS)
    why: str | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "Level":
        if not self.is_null and (self.u is None or (self.m is None) == (self.fixed_millibits is None)):
            raise ValueError(f"level {self.label!r} needs u, and either m or fixed_millibits")
        if self.fixed_millibits is not None and not self.why:
            raise ValueError(f"level {self.label!r} has a fixed weight: say why")
        if self.tf not in (None, *FREQUENT):
            raise ValueError(f"level {self.label!r}: there are frequencies of {', '.join(FREQUENT)} only")
        return self

    def probability(self, least_millibits: int) -> float:
        """m, or what the fixed weight, no less than ``least_millibits``, makes of u."""
        if self.m is not None:
            return self.m
        assert self.u is not None and self.fixed_millibits is not None
        return float(self.u * 2 ** (max(self.fixed_millibits, least_millibits) / 1000))

    def to_splink(self, least_millibits: int) -> dict[str, Any]:
        """The level in Splink's words."""
        level: dict[str, Any] = {"sql_condition": self.sql, "label_for_charts": self.label}
        if self.is_null:
            return level | {"is_null_level": True}
        level |= {"m_probability": self.probability(least_millibits), "u_probability": self.u}
        if self.fixed_millibits is not None:
            level |= {"fix_m_probability": True}
        if self.tf:
            level |= {"tf_adjustment_column": self.tf, "disable_tf_exact_match_detection": True}
        return level


class Comparison(_Strict):
    """What is compared, and its levels; the first one says when nothing can be."""

    name: str
    levels: tuple[Level, ...]


class Frequencies(_Strict):
    """How frequent values are among records that have one; a value on fewer than ``least_count`` records is not said.

    Attributes:
        least_count: records a value must be on to be listed; rarer ones could name a person.
        floor: frequency of every value that is not listed.
        values: of the listed ones.
    """

    least_count: int = Field(ge=2)
    floor: float = Field(gt=0, lt=1)
    values: dict[str, float]


class Trained(_Strict):
    """Where the numbers come from."""

    cut_off: str | None
    code_version: str | None
    run: str | None
    records: int


class Model(_Strict):
    """The file.

    Attributes:
        about: for who opens it.
        threshold_millibits: least weight of a match.
        review_millibits: least weight of a pair that a person should look at; nothing is kept below.
        prior: probability that two records drawn at random are one person.
        key_limit: a blocking key of more records than this is not used.
        comparisons: as ``COMPARISONS`` names them.
        keys: SQL over a record's columns; two records that share a key are compared.
        term_frequencies: by column, as ``FREQUENT`` names them.
        trained: where the numbers come from.
    """

    about: str
    threshold_millibits: int
    review_millibits: int
    prior: float = Field(gt=0, lt=1)
    key_limit: int = Field(ge=2)
    comparisons: tuple[Comparison, ...]
    keys: dict[str, str]
    term_frequencies: dict[str, Frequencies]
    trained: Trained

    @model_validator(mode="after")
    def _is_known(self) -> "Model":
        if tuple(c.name for c in self.comparisons) != COMPARISONS:
            raise ValueError(f"comparisons must be {', '.join(COMPARISONS)}, in this order")
        if tuple(self.term_frequencies) != FREQUENT:
            raise ValueError(f"term_frequencies must be of {', '.join(FREQUENT)}, in this order")
        if self.review_millibits > self.threshold_millibits:
            raise ValueError("the review band lies below the threshold")
        return self

    @cached_property
    def version(self) -> str:
        """Hash of all it says."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    @property
    def text(self) -> str:
        """The file's content."""
        content = self.model_dump(exclude_none=True) | {"trained": self.trained.model_dump()}
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"

    @property
    def prior_millibits(self) -> int:
        """Weight of the prior."""
        return round(1000 * math.log2(self.prior / (1 - self.prior)))

    def to_splink(self, link_type: str, least_millibits: int = LEAST_MILLIBITS) -> dict[str, Any]:
        """Settings of a Splink 5 linker over records as ``features`` makes them.

        Args:
            link_type: dedupe_only, or link_only for two tables.
            least_millibits: of a fixed weight.
        """
        return {
            "link_type": link_type,
            "unique_id_column_name": "party_id",
            "probability_two_random_records_match": self.prior,
            "retain_matching_columns": False,
            "retain_intermediate_calculation_columns": True,
            "comparisons": [
                {
                    "output_column_name": c.name,
                    "comparison_levels": [level.to_splink(least_millibits) for level in c.levels],
                }
                for c in self.comparisons
            ],
            "blocking_rules_to_generate_predictions": [
                {"blocking_rule": f"l.key_{key} = r.key_{key}", "sql_dialect": "duckdb"} for key in self.keys
            ],
        }


class ModelError(ValueError):
    """The model file cannot be used; the message says why."""


def load(settings: Settings) -> Model:
    """The model in force: the bank's own below ``home/config`` if there is one, else the shipped one.

    Raises:
        ModelError: it is no model.
    """
    return read(settings.overlay(FILE))


def read(path: Path) -> Model:
    """A model file.

    Raises:
        ModelError: it is no model.
    """
    try:
        return Model.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} is no matching model: {error}. cx360 identity train writes one") from error
