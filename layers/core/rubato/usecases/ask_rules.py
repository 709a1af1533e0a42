"""Have rules look at a job soon, off the path of whoever asks."""

from collections import Counter

from rubato.domain.messages import RuleMessage
from rubato.ports import World
from rubato.usecases.pages import each_page
from rubato.usecases.send_messages import send_messages

# A queue that fails loses no more than these.
_PAGE = 100


def ask_rules(world: World, job_id: str) -> None:
    """Those of one job. A message that is lost waits for the job's next run or the next schedule."""
    message = RuleMessage(job_id=job_id, due=world.clock.now())
    send_messages(world, [message], "rule message not sent", jobId=job_id)


def wake_rules(world: World, deadline: int) -> Counter[str]:
    """Those of every active job that has rules, until `deadline` (ms). What passes by time comes true so.

    Gives counts: `rules` that were sent for, and whether some were left for the next schedule. A page that can't be
    sent keeps none of the others back. Raises what the store raises, when the pages before it are sent.
    """
    counts: Counter[str] = Counter()
    for job_ids in each_page(lambda at: world.jobs.with_rules(_PAGE, at)):
        now = world.clock.now()
        if job_ids and now >= deadline:
            counts["rules_left"] += 1
            break
        messages = [RuleMessage(job_id=job_id, due=now) for job_id in job_ids]
        if messages and send_messages(world, messages, "rule messages not sent", count=len(messages)):
            counts["rules"] += len(messages)
    return counts
