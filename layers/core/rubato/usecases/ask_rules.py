"""Have rules look at a job soon, off the path of whoever asks."""

from rubato.domain.messages import RuleMessage
from rubato.ports import World
from rubato.usecases.pages import every
from rubato.usecases.send_messages import send_messages

_PAGE = 1_000


def ask_rules(world: World, job_id: str) -> None:
    """Those of one job. A message that is lost waits for the job's next run or the next schedule."""
    message = RuleMessage(job_id=job_id, due=world.clock.now())
    send_messages(world, [message], "rule message not sent", jobId=job_id)


def wake_rules(world: World) -> int:
    """Those of every active job that has rules; gives how many messages that are. What passes by time comes true so."""
    now = world.clock.now()
    messages = [RuleMessage(job_id=job_id, due=now) for job_id in every(lambda at: world.jobs.with_rules(_PAGE, at))]
    send_messages(world, messages, "rule messages not sent", count=len(messages))
    return len(messages)
