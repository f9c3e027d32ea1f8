"""The lake: Parquet files that are written once, under a name made from what they hold.

Here belongs how bytes get in: made in staging, made durable, renamed. Which files exist for readers is the ledger's
to say, never a listing of folders.
"""

import codecs
import errno
import gzip
import hashlib
import os
import shutil
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, TYPE_CHECKING

from cx360.settings import Settings
from cx360.sql import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_CHUNK = 1 << 20
_COMPRESSED = (".gz", ".zst")
#: Rows per Parquet row group: fixed, so that the same rows make the same bytes.
_ROW_GROUP = 122_880


class UnreadableError(ValueError):
    """A delivered file no row can be taken from; the message says what was found and what to do next."""


@contextmanager
def blame(what: str, advice: str) -> Iterator[None]:
    """Turn what DuckDB says against data or SQL into an UnreadableError, without its text, which may quote values.

    What fails for want of memory or disk, or by an engine's own fault, passes through: the next try may do better.

    Args:
        what: is wrong, such as ``x.csv is no CSV``; the kind of error is added.
        advice: what to do next.
    """
    import duckdb

    try:
        yield
    except (duckdb.OperationalError, duckdb.InternalError, duckdb.FatalException, duckdb.InterruptException):
        raise
    except duckdb.Error as error:
        raise UnreadableError(f"{what} ({type(error).__name__}). {advice}") from None


@dataclass(frozen=True)
class Staged:
    """A delivered file in staging, its bytes as they came."""

    raw: Path
    content_hash: str


class DiskFull(OSError):
    """A disk is full; the message says which, and what to do."""

    def __str__(self) -> str:
        return self.strerror or ""


@contextmanager
def room(settings: Settings) -> Iterator[None]:
    """Where a disk of the home fills up, say so in one way, whichever library wrote.

    Raises:
        DiskFull: there is no room left.
    """
    try:
        yield
    except Exception as error:
        is_of_server = (
            type(error).__module__.startswith(("psycopg", "sqlalchemy")) and settings.database_url is not None
        )
        if isinstance(error, DiskFull) or is_of_server:
            raise  # said already, or another machine's disk
        if getattr(error, "errno", None) != errno.ENOSPC and "No space left" not in str(error):
            raise
        raise DiskFull(
            errno.ENOSPC,
            f"No space left on the disk of {settings.home}. What was not finished is not visible; free space"
            " (cx360 doctor names the disk and what killed processes left, docs/runbook.md what may go) and run again",
        ) from error


@contextmanager
def workshop(settings: Settings) -> Iterator[Path]:
    """A folder in staging, on the lake's file system, that is gone afterwards.

    Raises:
        DiskFull: there is no room left.
    """
    with room(settings):
        for private in (settings.staging, settings.lake / "pii"):
            private.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(mkdtemp(dir=settings.staging))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def take(path: Path, folder: Path) -> Staged:
    """Copy a delivered file into ``folder``, a workshop, and hash it meanwhile."""
    raw = folder / path.name
    digest = hashlib.sha256()
    with path.open("rb") as source, raw.open("wb") as target, ThreadPoolExecutor(1) as beside:
        while chunk := source.read(_CHUNK):
            hashed = beside.submit(digest.update, chunk)
            target.write(chunk)
            hashed.result()
        target.flush()
        os.fsync(target.fileno())
    return Staged(raw, digest.hexdigest())


def decode(staged: Staged, encoding: str) -> Path:
    """The file's text as plain UTF-8, every byte checked: the staged file itself if it is that, else one beside it.

    Raises:
        UnreadableError: it is empty, cut off, or not in that encoding.
        OSError: the disk failed or is full.
    """
    if encoding == "utf-8" and staged.raw.suffix not in _COMPRESSED and _is_plain(staged.raw):
        return staged.raw
    plain = staged.raw.with_name("plain")
    with plain.open("wb") as target:
        for number, text in enumerate(_texts(staged.raw, encoding)):
            target.write((text if number else text.removeprefix("\ufeff")).encode())
    return plain


def _is_plain(path: Path) -> bool:
    """Whether a file is UTF-8 throughout, without the mark some systems set before it."""
    import pyarrow as pa

    with pa.memory_map(str(path)) as source:
        content = source.read_buffer()
        if not content.size or content.slice(0, len(codecs.BOM_UTF8)).to_pybytes() == codecs.BOM_UTF8:
            return False
        ends = pa.array([0, content.size], pa.int64()).buffers()[1]
        try:
            pa.LargeStringArray.from_buffers(1, ends, content).validate(full=True)
        except pa.ArrowInvalid:
            return False
    return True


def _texts(path: Path, encoding: str) -> Iterator[str]:
    """The file's text, decompressed and decoded.

    Raises:
        UnreadableError: it is empty, cut off, or not in that encoding.
        OSError: the disk failed.
    """
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    done = 0
    try:
        for chunk in _chunks(path):
            yield decoder.decode(chunk)
            done += len(chunk)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise UnreadableError(
            f"{path.name} is not {encoding}: byte {done + error.start + 1} cannot be decoded."
            " Declare the file's encoding in source.yaml, or ask the source for the declared one."
        ) from None
    if done == 0:
        raise UnreadableError(
            f"{path.name} is empty, not even a header or a record is in it. If there was nothing to deliver, a CSV"
            " with its header alone says so; otherwise ask the source to deliver it again."
        )


def _chunks(path: Path) -> Iterator[bytes]:
    """The file's bytes, decompressed.

    Raises:
        UnreadableError: what is compressed is damaged or cut off.
        OSError: the disk failed.
    """
    done = 0
    try:
        with _open(path) as source:
            while chunk := source.read(_CHUNK):
                done += len(chunk)
                yield chunk
    except (EOFError, zlib.error, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the system's own; a decompressor's has no number
        raise UnreadableError(
            f"{path.name} is cut off or not what its ending says ({type(error).__name__} after {done} bytes of text)."
            " Ask the source to deliver it again; the next run takes it."
        ) from None


def _open(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    if path.suffix == ".zst":
        import pyarrow as pa

        return pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")
    return path.open("rb")


def write(db: "DuckDBPyConnection", path: Path, select: str) -> int:
    """Write the rows of a sorted select as one Parquet file, durable; returns their number.

    The same rows in the same order make the same bytes under one version of DuckDB, with any number of threads. A
    lower level of zstd than the default is a tenth larger and a fifth faster.
    """
    options = f"format parquet, compression zstd, compression_level 1, row_group_size {_ROW_GROUP}"
    ((rows,),) = db.execute(f"copy ({select}) to {literal(str(path))} ({options})").fetchall()
    with path.open("rb+") as file:
        os.fsync(file.fileno())
    return int(rows)


def place(staged: Path, target: Path) -> None:
    """Move a finished file to its place in the lake; one that is there already has the same bytes and stays."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        staged.rename(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
