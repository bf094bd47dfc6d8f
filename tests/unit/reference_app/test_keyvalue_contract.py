"""The datasets, their tables and their quotas say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reference_app.contract import keyvalue, storage
from reference_app.contract.keyvalue import Dataset
from reference_app.kit import deciders

SCHEMA = (Path(storage.__file__).parent / "schema" / storage.SCHEMAS[keyvalue.DATABASE_GROUP]).read_text()
TABLES = dict(re.findall(r"CREATE TABLE IF NOT EXISTS (\w+) \(.*?\) ENGINE=(\w+);", SCHEMA, re.DOTALL))


@pytest.mark.parametrize("dataset", keyvalue.DATASETS.values(), ids=keyvalue.DATASETS)
def test_every_dataset_has_a_table_in_the_engine_of_its_access_pattern_and_a_tenant(dataset: Dataset) -> None:
    assert TABLES[dataset.table] == keyvalue.ENGINES[dataset.pattern]
    assert dataset.tenant in keyvalue.TENANTS


def test_there_are_no_other_tables() -> None:
    assert set(TABLES) == {dataset.table for dataset in keyvalue.DATASETS.values()} | {keyvalue.OPERATIONS_TABLE}


def test_every_quota_is_a_decider_whose_default_it_is() -> None:
    for tenant in keyvalue.TENANTS.values():
        assert deciders.defaults()[keyvalue.quota(tenant.name, "reads")] == tenant.reads <= deciders.ON
        assert deciders.defaults()[keyvalue.quota(tenant.name, "writes")] == tenant.writes <= deciders.ON


def test_keys_of_the_largest_ids_are_keys() -> None:
    largest = (1 << 63) - 1
    keys = (keyvalue.likes_key(largest), keyvalue.retweets_key(largest), keyvalue.dismissed_key(largest, largest))
    assert all(re.fullmatch(keyvalue.KEY_PATTERN, key) for key in keys)
