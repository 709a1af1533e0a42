"""The stores in memory, for scenarios that are to be played in a moment.

The contract tests hold them to the same promises as those of DynamoDB.
"""

from typing import Any

from rubato.adapters.memory import MemoryEndpoints, MemoryJobs, MemoryRuns, MemoryTrail
from rubato.adapters.memory_custody import MemorySecrets, MemorySigningKeys
from rubato.adapters.memory_idempotency import MemoryIdempotency
from rubato.adapters.memory_identities import MemoryAgents, MemoryKeys
from rubato.adapters.memory_rules import MemoryRuleLedgers
from rubato.adapters.memory_usage import MemoryUsage


def memory_stores(shards: int) -> dict[str, Any]:
    """By the names of the world's ports."""
    trail, usage = MemoryTrail(), MemoryUsage()
    return {
        "trail": trail,
        "usage": usage,
        "jobs": MemoryJobs(trail),
        "rule_ledgers": MemoryRuleLedgers(),
        "endpoints": MemoryEndpoints(trail, usage, shards),
        "runs": MemoryRuns(),
        "keys": MemoryKeys(trail),
        "agents": MemoryAgents(trail),
        "secrets": MemorySecrets(trail),
        "signing_keys": MemorySigningKeys(trail),
        "idempotency": MemoryIdempotency(),
    }
