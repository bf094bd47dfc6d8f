"""The key-value tier: its tenants with their quotas, its datasets with their access pattern, and the storage engine that each pattern gets.

After Manhattan (Twitter, 2014): many small datasets of many owners in one tier, so that each needs no store of its own, and a quota per
tenant, so that none can take what is another's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Pattern = Literal["write_heavy", "read_heavy", "read_only"]
Consistency = Literal["eventual", "read_my_writes"]
Access = Literal["reads", "writes"]

ENGINES: dict[Pattern, str] = {"write_heavy": "ROCKSDB", "read_heavy": "InnoDB", "read_only": "Aria"}
"""Log-structured for what is written all the time, a B-tree for what is read all the time; what is only read is loaded aside, as a new
generation, and takes its name in one step. Where the server has no RocksDB, its tables are InnoDB's."""
FALLBACK_ENGINE = "InnoDB"

DATABASE_GROUP = "keyvalue-db"
KEY_PATTERN, KEY_MAX, VALUE_MAX, BATCH_MAX = "[A-Za-z0-9_:.+-]{1,64}", 64, 4096, 500
GENERATION_KEY = ""
"""Row of a read-only dataset that holds its generation, so that both change in one step."""


@dataclass(frozen=True)
class Tenant:
    """Who owns datasets. Quotas are keys a second and process; deciders of the names that `quota` gives replace them at run time."""

    name: str
    reads: int
    writes: int


@dataclass(frozen=True)
class Dataset:
    """`counts`: its values are integers that are added to; those of others are texts. An `eventual` one may be read from a replica."""

    tenant: str
    name: str
    pattern: Pattern
    consistency: Consistency
    counts: bool = False

    @property
    def title(self) -> str:
        """What a request calls it."""
        return f"{self.tenant}.{self.name}"

    @property
    def table(self) -> str:
        return f"{self.tenant}_{self.name}"


TENANTS = {tenant.name: tenant for tenant in (Tenant("engagement", reads=4000, writes=2000), Tenant("suggestions", reads=800, writes=100))}
COUNTS = Dataset("engagement", "counts", "write_heavy", "eventual", counts=True)
"""`likes_key` and `retweets_key` of a tweet -> how many users."""
WHO_TO_FOLLOW = Dataset("suggestions", "who_to_follow", "read_only", "eventual")
"""User id -> ids of users, best first, with commas between."""
DISMISSED = Dataset("suggestions", "dismissed", "read_heavy", "read_my_writes")
"""`dismissed_key` of two users -> "1" when the first does not want to be shown the second."""
DATASETS = {dataset.title: dataset for dataset in (COUNTS, WHO_TO_FOLLOW, DISMISSED)}
OPERATIONS_TABLE = "operations"
"""Which additions were made: each is made once, however often it is sent."""


def quota(tenant: str, access: Access) -> str:
    """Name of the decider."""
    return f"quota_{tenant}_{access}"


def likes_key(tweet_id: int) -> str:
    return f"{tweet_id}:likes"


def retweets_key(tweet_id: int) -> str:
    return f"{tweet_id}:retweets"


def dismissed_key(user_id: int, other_id: int) -> str:
    return f"{user_id}:{other_id}"
