"""Alerts: the models' SQL on made-up metric rows, held against a plain reading of the rule and against chance.

The rows are those of ``cx_metrics_daily``, not of feeds: what is proved is the way from a day's figure to an episode.
Seeds below 1,000 were used to write the tests, those from 1,000 on prove them.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import beta, binom, poisson

from cx360 import warehouse
from cx360.rows import csv_rows

FIRST = date(2026, 1, 1)
AS_OF = "2026-12-31"
DIMENSIONS = ("segment", "region", "channel", "touchpoint", "product", "tier")
MODELS = ("int_cx__baselines", "int_cx__alert_days", "cx_alerts")
SHIPPED = {row["rule"]: row for row in csv_rows(warehouse.DBT_PROJECT / "seeds/cx_alert_rules.csv")}
