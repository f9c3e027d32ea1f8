"""Storage: disk, what killed processes left, and whether the files the ledger names are there and whole."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from cx360 import sources
from cx360.doctor import database
from cx360.doctor.report import Finding, explain
from cx360.settings import Settings

if TYPE_CHECKING:
    import psycopg

_MIB, _GIB = 1 << 20, 1 << 30

#: Files a finding names one by one.
_NAMED = 10

_RECENT = """
    select max(bytes) from (
        select delivery_day, sum(file_size) as bytes from ops.deliveries
        group by delivery_day order by delivery_day desc limit 7
    ) as days
"""


def check_disk(settings: Settings, older: timedelta) -> Iterator[Finding]:
    """Free space and file numbers of every disk we write to, beside what a day brings."""
    day = _largest_day(settings)
    for names, place in _disks(settings).items():
        free, inodes = shutil.disk_usage(place).free, os.statvfs(place)
        said = f"{names}: {_size(free)} free; the largest of the last days brought {_size(day)}"
        cure = f"du -xh --max-depth=2 {quote(str(settings.home))} | sort -h | tail  (what is large; then free some)"
        if inodes.f_files and inodes.f_favail == 0:
            yield Finding("disk", "error", f"{names}: no file can be made, its inodes are used up", cure)
        elif free < max(100 * _MIB, 3 * day):
            yield Finding("disk", "error", f"{said}: the next run will not fit", cure)
        elif free < max(_GIB, 10 * day):
            yield Finding("disk", "warning", f"{said}: that is little", cure)
        else:
            yield Finding("disk", "ok", said)


def _largest_day(settings: Settings) -> int:
    """Bytes of the largest of the last delivery days; 0 when nobody knows."""
    import psycopg

    from cx360 import postgres

    try:
        with database.connect(settings) as connection:
            row = connection.execute(_RECENT).fetchone()
            return int(row[0] or 0) if row else 0
    except (psycopg.Error, postgres.PostgresError):
        return 0


def _disks(settings: Settings) -> dict[str, Path]:
    """One existing folder per disk, by the names of what we keep there."""
    places = {
        "home": settings.home,
        "lake": settings.lake,
        "staging": settings.staging,
        "warehouse": settings.warehouse.parent,
        "publications": settings.publications,
        "postgres": settings.home / "postgres",
        "temporary files": Path(tempfile.gettempdir()),
    }
    disks: dict[int, tuple[list[str], Path]] = {}
    for name, place in places.items():
        there = next(path for path in (place.absolute(), *place.absolute().parents) if path.exists())
        disks.setdefault(there.stat().st_dev, ([], there))[0].append(name)
    return {", ".join(names): there for names, there in disks.values()}


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def check_leftovers(settings: Settings, older: timedelta) -> Iterator[Finding]:
    """What killed processes left in staging: nobody has a file of it open, and it is old."""
    used = _open_files()
    left = 0
    for place in sorted(settings.staging.iterdir()) if settings.staging.exists() else ():
        files = [path for path in (place, *place.rglob("*")) if path.is_file()]
        if not files or any(str(path) in used for path in files):
            continue
        newest = max(path.stat().st_mtime for path in files)
        if time.time() - newest > older.total_seconds():
            left += 1
            size = _size(sum(path.stat().st_size for path in files))
            what = f"{place} was left by a process that was killed: {size}, not touched for {older}"
            yield Finding("leftovers", "warning", what, f"rm -r {quote(str(place))}")
    if not left:
        yield Finding("leftovers", "ok", "no killed process left anything in staging")


def _open_files() -> dict[str, Any]:
    """Processes by the path of each file they have open, as far as one may look."""
    import psutil  # type: ignore[import-untyped]

    found = {}
    for process in psutil.process_iter():
        try:
            found.update({file.path: process for file in process.open_files()})
        except (psutil.Error, OSError):
            continue
    return found


def check_warehouse(settings: Settings, older: timedelta) -> Iterator[Finding]:
    """The DuckDB file is one, and nobody holds it who should not."""
    path = settings.warehouse
    if not path.exists():
        yield Finding("warehouse", "ok", "no warehouse yet: the first run builds it")
        return
    with path.open("rb") as file:
        if file.read(12)[8:] != b"DUCK":
            yield Finding(
                "warehouse",
                "error",
                f"{path} is no DuckDB file",
                f"rm {quote(str(path))}  (the next run of profile builds it again, from the lake)",
            )
            return
    holder = _open_files().get(str(path.resolve()))
    if holder is None or holder.pid == os.getpid():
        yield Finding("warehouse", "ok", f"nobody holds {path} ({_size(path.stat().st_size)})")
        return
    age = time.time() - holder.create_time()
    what = f"process {holder.pid} ({holder.name()}, {age / 60:.0f} min old) holds {path}: nobody else can build"
    cure = f"if that is no run at work: kill {holder.pid}  (a killed build is taken up by the next run)"
    is_trouble = age > older.total_seconds()
    yield Finding("warehouse", "warning" if is_trouble else "ok", what, cure if is_trouble else None)


_FILES = """
    select arrival_number, feed, delivery_name, file_size, raw_path, lake_path, identifiers_path, texts_path,
        quarantine_path
    from ops.deliveries order by arrival_number
"""


def check_lake(settings: Settings, older: timedelta) -> Iterator[Finding]:
    """Files the ledger names are there and whole; tokens are those of this deployment's key."""
    if settings.database_url is None and not (settings.home / "postgres" / "data").exists():
        yield Finding("lake", "ok", "nothing was landed yet")
        return
    with database.connect(settings) as connection:
        deliveries = connection.execute(_FILES).fetchall()
        yield from _other_keys(settings, connection)
    visible = _visible(settings)
    broken = 0
    for number, feed, name, size, raw, *parquet in deliveries:
        wrong = [f"{path} {why}" for path in parquet if path and (why := _parquet(settings.lake / path))]
        if why := _raw(settings.lake / raw, size):
            wrong.append(f"{raw} {why}")
        if not wrong:
            continue
        broken += 1
        if broken <= _NAMED:
            is_read = number in visible
            yield Finding(
                "lake",
                "error" if is_read else "warning",
                f"delivery {number} ({name}): {'; '.join(wrong)}{'' if is_read else '; it is not read today'}",
                f"restore it from a backup, or remove what is damaged and: cx360 replay {feed} --arrival {number}",
            )
    if broken > _NAMED:
        yield Finding("lake", "error", f"and {broken - _NAMED} more deliveries", "cx360 replay FEED, for each feed")
    if not broken:
        yield Finding("lake", "ok", f"the files of all {len(deliveries)} deliveries are there and whole")


def _visible(settings: Settings) -> set[int]:
    from sqlalchemy import create_engine
    from sqlalchemy.orm import Session

    from cx360 import postgres, visibility

    engine = create_engine(postgres.url(settings), hide_parameters=True)
    try:
        with Session(engine) as session:
            return set(visibility.visible_arrivals(session, settings, None))
    finally:
        engine.dispose()


def _raw(path: Path, size: int) -> str | None:
    """What is wrong with a file kept as it came."""
    if not path.exists():
        return "is missing"
    found = path.stat().st_size
    return None if found == size else f"has {found} bytes instead of {size}"


def _parquet(path: Path) -> str | None:
    """What is wrong with a Parquet file, by its end: the length of its footer and its mark."""
    if not path.exists():
        return "is missing"
    size = path.stat().st_size
    if size < 12:
        return "is cut off"
    with path.open("rb") as file:
        file.seek(-8, os.SEEK_END)
        end = file.read(8)
    footer = int.from_bytes(end[:4], "little")
    return None if end[4:] == b"PAR1" and footer + 12 <= size else "is cut off or damaged"


def _other_keys(settings: Settings, connection: "psycopg.Connection[Any]") -> Iterator[Finding]:
    from cx360 import privacy

    if settings.token_key is None and not (settings.home / "keys" / "token").exists():
        return  # looking must not make one
    ours = privacy.key_id(settings)
    visible = _visible(settings)
    rows = connection.execute(
        "select token_key, count(*), array_agg(distinct feed) from ops.deliveries"
        " where arrival_number = any(%s) and token_key <> %s group by token_key",
        [sorted(visible), ours],
    ).fetchall()
    for key, count, feeds in rows:
        yield Finding(
            "lake",
            "error",
            f"{count} deliveries ({', '.join(feeds)}) have tokens of key {key}, this deployment has {ours}: no build",
            f"bring back key {key} (CX360_TOKEN_KEY, or {settings.home / 'keys' / 'token'}); if it is lost for good,"
            " cx360 replay FEED for each of them makes the tokens of today's key",
        )


def check_publications(settings: Settings, older: timedelta) -> Iterator[Finding]:
    """The files of what readers see are kept: the next publication is a difference to them."""
    from cx360 import publish

    if settings.database_url is None and not (settings.home / "postgres" / "data").exists():
        yield Finding("publications", "ok", "nothing was published yet")
        return
    with database.connect(settings) as connection:
        row = connection.execute(
            "select publication_id, as_of, parquet_path from ops.publications order by publication_id desc limit 1"
        ).fetchone()
    if row is None:
        yield Finding("publications", "ok", "nothing was published yet")
    elif not publish.read_tables(settings, row[2]):
        yield Finding(
            "publications",
            "error",
            f"files of publication {row[0]}, which readers see, are gone: earlier days of features with them",
            f"bring back {settings.publications / row[2]} and {settings.lake / 'pii' / 'publications' / row[2]}"
            " from a backup",
        )
    else:
        yield Finding("publications", "ok", f"readers see publication {row[0]}, profiles as of {row[1]}")


def check_inbox(settings: Settings, older: timedelta) -> Iterator[Finding]:
    """Every file in the inbox is somebody's, and is complete."""
    folder = settings.inbox_folder
    if not folder.is_dir():
        yield Finding("inbox", "warning", f"there is no inbox {folder}", f"mkdir -p {quote(str(folder))}")
        return
    try:
        nobodys, waiting = sources.unclaimed(settings), sources.waiting(settings)
    except sources.SourceError as error:
        yield Finding("inbox", "warning", f"could not check: {explain(error)}", "mend that source.yaml first")
        return
    if nobodys:
        more = f" and {len(nobodys) - _NAMED} more" if len(nobodys) > _NAMED else ""
        what = f"{len(nobodys)} files no source takes: {', '.join(nobodys[:_NAMED])}{more}"
        cure = "give the file a pattern in a source.yaml, or name it there under ignored; see docs/sources.md"
        yield Finding("inbox", "warning", what, cure)
    late = [file for file in waiting if time.time() - file.path.stat().st_mtime > older.total_seconds()]
    for file in late[:_NAMED]:
        control = file.control_path
        what = f"{file.name} is not taken: its control file {control.name if control else ''} never came"
        yield Finding("inbox", "warning", what, f"ask {file.source.source} for it")
    if not nobodys and not late:
        yield Finding("inbox", "ok", f"every file in {folder} is taken by a source")
