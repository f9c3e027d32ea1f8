"""What is published of where columns come from is what the SQL of the models says now."""

import csv
from pathlib import Path

import yaml

from cx360 import origins


def test_the_seed_is_what_the_compiled_models_say(tmp_path: Path) -> None:
    told = origins.text(origins.rows(origins.compiled(tmp_path)))
    assert origins.SEED.read_text(encoding="utf-8") == told, "run python -m cx360.origins"


def test_features_say_which_columns_they_come_from() -> None:
    """By the same name, or in words: a feature that is neither would have no origin."""
    (features,) = yaml.safe_load((origins.DBT_PROJECT / "models/features/customer_features.yml").read_text())["models"]
    with origins.SEED.open(encoding="utf-8") as file:
        known = {row["column_name"] for row in csv.DictReader(file)}
    others = {column["name"] for column in features["columns"]} - known - {"as_of_date"}
    ages = {f"{what}_recency_days" for what in ("transaction", "login", "call")}
    assert others == {"is_customer", "tenure_days", *ages}
    assert all(other in features["description"] for other in others)
    for origin in ("profile_type", "customer_since_date", "last_transaction_date", "last_login_at", "last_call_at"):
        assert origin in features["description"] and origin in known
