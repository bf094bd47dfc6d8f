"""The folder of Parquet segments: written by atomic rename, small ones merged, old ones retired."""

from __future__ import annotations

import itertools
import logging
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from reference_app.collector.rows import Row
from reference_app.contract.spans import COLUMNS, SEGMENT_END
from reference_app.kit import files

SCHEMA = pa.schema([(name, {"string": pa.string(), "int64": pa.int64()}[kind]) for name, kind in COLUMNS.items()])
SMALL_BYTES, MERGE_AT = 64 * 1024, 60
"""So many segments below that size become one: a quiet collector writes thousands, and a reader opens each."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Retention:
    """What is kept; the oldest go first. Age is that of the file."""

    seconds: float = 6 * 3600
    bytes: int = 256_000_000
    segments: int = 5000


class Segments:
    """One collector's folder. Names are `<first start in ns>-<sequence>.parquet`; names that begin with a dot are unfinished."""

    def __init__(self, folder: Path, retention: Retention = Retention()) -> None:
        self._folder, self._retention = folder, retention
        folder.mkdir(parents=True, exist_ok=True)
        self._clean()
        self._merged: list[Path] = []
        self._sequence = itertools.count(1 + max((_sequence(path) for path in self.paths()), default=0))

    def paths(self) -> list[Path]:
        """All segments."""
        return list(self._folder.glob("[0-9]*.parquet"))

    def write(self, rows: Sequence[Row]) -> Path:
        """Add a segment. Raises OSError when the disk refuses."""
        columns = zip(zip(*rows, strict=True), SCHEMA, strict=True)
        return self._add(pa.Table.from_arrays([_column(values, field.type) for values, field in columns], schema=SCHEMA))

    def tend(self, now: float) -> None:
        """Merge small segments, retire old ones, and give back what the allocator kept of it, which would grow for minutes."""
        self._merge()
        self._retire(now)
        pa.default_memory_pool().release_unused()

    def _add(self, table: pa.Table) -> Path:
        first = min(table["start_ns"].to_pylist())
        path = self._folder / f"{first}-{next(self._sequence)}.parquet"
        unfinished = path.with_name(f".{path.name}.tmp")
        try:
            parquet.write_table(table, unfinished, compression="zstd")
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
        return unfinished.rename(path)

    def _merge(self) -> None:
        """The small ones stay until the next time: whoever reads the directory meanwhile sees them, the merged one, or both.

        Readers count a span once, so what a kill leaves twice does no harm.
        """
        merged, self._merged = self._merged, []
        for path in merged:
            path.unlink(missing_ok=True)
        small = [path for path in self.paths() if path.stat().st_size < SMALL_BYTES]
        if len(small) >= MERGE_AT:
            if readable := [table for path in small if (table := _table(path)) is not None]:
                self._add(pa.concat_tables(readable))
            self._merged = small

    def _retire(self, now: float) -> None:
        kept_bytes = 0
        newest_first = sorted(((path.stat(), path) for path in self.paths()), key=lambda found: found[0].st_mtime, reverse=True)
        for count, (stat, path) in enumerate(newest_first, start=1):
            kept_bytes += stat.st_size
            kept = self._retention
            if stat.st_mtime < now - kept.seconds or kept_bytes > kept.bytes or count > kept.segments:
                path.unlink()

    def _clean(self) -> None:
        """Remove what a kill or a power failure left half written."""
        for path in self._folder.glob(".*.tmp"):
            path.unlink()
        for path in self.paths():
            if not files.ends_with(path, SEGMENT_END):
                path.unlink()


def _column(values: Sequence[Any], type_: pa.DataType) -> pa.Array:
    """What `pa.array` does, which imports pandas for it: 35 MB and half a second."""
    if type_ == pa.int64():
        return pa.Array.from_buffers(type_, len(values), [None, pa.py_buffer(array("q", values))])
    texts = [text.encode() for text in values]
    ends = array("i", itertools.accumulate(map(len, texts), initial=0))
    return pa.Array.from_buffers(type_, len(values), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(texts))])


def _table(path: Path) -> pa.Table | None:
    """None, and it is no segment any more, when it is damaged: else nothing would be merged ever again. Raises OSError when the system refuses."""
    try:
        return parquet.ParquetFile(path).read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        if getattr(error, "errno", None):
            raise
        logger.warning("%s cannot be read and is left out of what is merged: %s", path, error)
        return None


def _sequence(path: Path) -> int:
    _, _, number = path.stem.partition("-")
    return int(number) if number.isdigit() else 0
