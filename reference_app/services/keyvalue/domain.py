"""What may be asked of a dataset, checked before anything is charged or done."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from reference_app.contract import keyvalue
from reference_app.contract.api import Addition
from reference_app.contract.keyvalue import Dataset
from reference_app.kit import errors

_KEY = re.compile(keyvalue.KEY_PATTERN)
_KEYS = re.compile(rf"{keyvalue.KEY_PATTERN}(\n{keyvalue.KEY_PATTERN})*")
"""One match for many keys takes a quarter of the time of one for each."""
_OPERATION_MAX = 96


def dataset(title: str) -> Dataset:
    """Raises AppError not_found, with what there is."""
    if title not in keyvalue.DATASETS:
        raise errors.AppError("not_found", f"there is no dataset {title!r}; there are {', '.join(sorted(keyvalue.DATASETS))}")
    return keyvalue.DATASETS[title]


def check_keys(keys: Collection[str]) -> None:
    """Raises AppError invalid."""
    if not 1 <= len(keys) <= keyvalue.BATCH_MAX:
        raise errors.AppError("invalid", f"1 to {keyvalue.BATCH_MAX} keys at once, not {len(keys)}")
    if not _KEYS.fullmatch("\n".join(keys)):
        wrong = next((key for key in keys if not _KEY.fullmatch(key)), "")
        raise errors.AppError("invalid", f"{wrong[:100]!r} is no key: a key is {keyvalue.KEY_PATTERN}")


def check_written(wanted: Dataset) -> None:
    """Raises AppError invalid for a dataset that is loaded and never written."""
    if wanted.pattern == "read_only":
        raise errors.AppError("invalid", f"{wanted.title} is read-only: it is loaded in bulk, as a new generation")


def check_texts(wanted: Dataset, texts: Iterable[str]) -> None:
    """Raises AppError invalid unless the dataset takes such values."""
    check_written(wanted)
    if wanted.counts:
        raise errors.AppError("invalid", f"{wanted.title} holds counts: add to them")
    if any(len(text.encode()) > keyvalue.VALUE_MAX for text in texts):
        raise errors.AppError("invalid", f"a value has at most {keyvalue.VALUE_MAX} bytes")


def check_additions(wanted: Dataset, additions: Collection[Addition]) -> None:
    """Raises AppError invalid unless the dataset takes them."""
    check_written(wanted)
    if not wanted.counts:
        raise errors.AppError("invalid", f"{wanted.title} holds texts: nothing can be added to them")
    check_keys([addition.key for addition in additions])
    for addition in additions:
        if len(addition.operation) > _OPERATION_MAX or not addition.operation.isascii():
            raise errors.AppError("invalid", f"an operation has at most {_OPERATION_MAX} ASCII characters")
