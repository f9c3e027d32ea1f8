"""The same CSV file to Parquet by dlt, in dlt's own environment: ``python dlt_rival.py JSON`` prints JSON.

Nothing of cx360 is imported here: the two need not agree on versions. Telemetry is off.
"""

import json
import os
import sys
import time
from pathlib import Path

os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}

import dlt
from dlt.sources.filesystem import filesystem, read_csv_duckdb


def load(folder: str, file: str) -> dict[str, float]:
    """dlt's fastest way from a CSV file to Parquet: its DuckDB reader, handing Arrow batches on."""
    os.environ["DESTINATION__FILESYSTEM__BUCKET_URL"] = Path(folder, "out").as_uri()
    path = Path(file)
    wall, cpu = time.perf_counter(), time.process_time()
    rows = filesystem(bucket_url=path.parent.as_uri(), file_glob=path.name) | read_csv_duckdb(
        chunk_size=122_880, use_pyarrow=True, ignore_errors=True
    )
    state = str(Path(folder, "state"))
    pipeline = dlt.pipeline("bench", pipelines_dir=state, destination="filesystem", dataset_name="bench")
    pipeline.run(rows.with_name("transactions"), loader_file_format="parquet")
    counts = pipeline.last_trace.last_normalize_info.row_counts
    return {
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "rows": counts["transactions"],
    }


if __name__ == "__main__":
    print(json.dumps(load(**json.loads(sys.argv[1]))))
