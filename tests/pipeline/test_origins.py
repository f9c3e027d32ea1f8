"""What is published of where columns come from is what the SQL of the models says now."""

from pathlib import Path

from cx360 import origins


def test_the_seed_is_what_the_compiled_models_say(tmp_path: Path) -> None:
    told = origins.text(origins.rows(origins.compiled(tmp_path)))
    assert origins.SEED.read_text(encoding="utf-8") == told, "run python -m cx360.origins"
