"""Have the rules of a job that was at rest count no time in which nobody looked."""

from rubato.domain.errors import Conflict, WriteRaced
from rubato.ports import World
from rubato.usecases.replan import MAX_TRIES


def rest_rules(world: World, job_id: str) -> None:
    """While the job still rests: no look of its own can come in between. Raises Conflict under endless races."""
    for _ in range(MAX_TRIES):
        ledger = world.rule_ledgers.get(job_id)
        rested = ledger.rested()
        if rested == ledger:
            return
        try:
            world.rule_ledgers.save(ledger, rested)
        except WriteRaced:
            continue
        return
    raise Conflict(f"the rules of job {job_id} are being changed by too many writers; try again")
