"""What the scheduler does, in short stories: every kind of tick, dispatch, replan and steering."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from rubato.bootstrap import AwsWorld
from rubato.domain.endpoint import Retry, TargetRequest
from rubato.domain.instant import MINUTE, SECOND
from rubato.domain.jobs import Job, JobStatus
from rubato.domain.rules import read_rules
from rubato.domain.schedule import AfterBaseline, Baseline, IntervalBaseline, ManualBaseline
from rubato.usecases.create_job import create_job
from rubato.usecases.steer_endpoint import (
    clear_hints,
    hint_interval,
    hint_one_shot,
    pause_endpoint,
    reset_failures,
    resume_endpoint,
)
from rubato.usecases.trigger_run import trigger_run
from rubato.usecases.update_endpoint import delete_endpoint, update_endpoint
from rubato.usecases.update_job import archive_job, update_job
from tests.faults.stage import Play
from tests.worlds import ANNE, MIDNIGHT, an_endpoint

Act = Callable[[AwsWorld], Any]
_FIVE = IntervalBaseline(5 * MINUTE)


@dataclass(frozen=True, kw_only=True)
class Story:
    """Up to `ready_s` all goes well; then `act`, and `window_s` seconds in which one fault comes; then on to `end_s`.

    `running` must have run in the last `fresh_s` seconds of the story. Each slot of `gapless` must be accounted for.
    Each of `once` must have run once at most. `atomic`: an action that fails has done all or nothing by then; otherwise by the end of the story.
    """

    name: str
    prepare: Callable[[Play], None]
    act: Act | None = None
    ready_s: int = 0
    window_s: int = 0
    end_s: int = 1200
    fresh_s: int = 480
    running: tuple[str, ...] = ("probe",)
    gapless: tuple[str, ...] = ()
    once: tuple[str, ...] = ()
    atomic: bool = True
    env: dict[str, str] = field(default_factory=dict)


def job(world: AwsWorld) -> Job:
    """The one job of a story."""
    page = world.jobs.list(ANNE.tenant_id, None, 1, None)
    if page.items:
        return page.items[0]
    return create_job(world, ANNE, Job(job_id="", tenant_id="", name="shop", created_at=0, updated_at=0))


def add(play: Play, name: str = "probe", baseline: Baseline = _FIVE, **config: Any) -> None:
    """An endpoint whose target is /name."""
    request = TargetRequest(url=f"http://127.0.0.1/{name}")
    an_endpoint(play.world, baseline, job=job(play.world), name=name, request=request, **config)


def find(world: AwsWorld, name: str = "probe") -> str:
    """Its id."""
    return world.endpoints.named(job(world).job_id, (name,))[name]


def on(action: Callable[..., Any], *args: Any, **options: Any) -> Act:
    """An action on the endpoint."""
    return lambda world: action(world, ANNE, find(world), *args, **options)


def _endpoint(baseline: Baseline = _FIVE, **config: Any) -> Callable[[Play], None]:
    return lambda play: add(play, baseline=baseline, **config)


def _silent(play: Play) -> None:
    """The message of the claim is lost."""
    add(play, baseline=IntervalBaseline(MINUTE))
    play.post.waiting.clear()


def _dead(play: Play) -> None:
    """The worker dies while the target is called."""
    add(play, baseline=IntervalBaseline(MINUTE))
    play.play(MIDNIGHT + 59 * SECOND)
    play.seam.arm(None, "")
    play.target.deadly = True
    play.play(MIDNIGHT + 60 * SECOND)
    play.target.deadly = False
    play.seam.armed = False


def _failing(times: int, **config: Any) -> Callable[[Play], None]:
    def prepare(play: Play) -> None:
        add(play, **config)
        play.target.failing["probe"] = times

    return prepare


def _paused(until_s: int | None, **config: Any) -> Callable[[Play], None]:
    def prepare(play: Play) -> None:
        add(play, **config)
        until = MIDNIGHT + until_s * SECOND if until_s is not None else None
        pause_endpoint(play.world, ANNE, find(play.world), until=until, reason=None)

    return prepare


def _hinted(play: Play) -> None:
    add(play)
    hint_interval(play.world, ANNE, find(play.world), interval_ms=4 * MINUTE, ttl_minutes=60, reason=None)


def _two(baseline: Baseline, **config: Any) -> Callable[[Play], None]:
    def prepare(play: Play) -> None:
        add(play)
        add(play, "other", baseline, **config)

    return prepare


def _job_paused(play: Play) -> None:
    _two(_FIVE)(play)
    _status(JobStatus.PAUSED)(play.world)


def _status(status: JobStatus) -> Act:
    return lambda world: update_job(world, ANNE, job(world).job_id, lambda old: replace(old, status=status))


def _new_endpoint(world: AwsWorld) -> None:
    request = TargetRequest(url="http://127.0.0.1/new")
    an_endpoint(world, IntervalBaseline(4 * MINUTE), job=job(world), name="new", request=request)


def _baseline(world: AwsWorld) -> None:
    update_endpoint(
        world,
        ANNE,
        find(world),
        lambda config: replace(config, baseline=IntervalBaseline(MINUTE), name="renamed"),
        lambda config: {"name": config.name},
    )


def _ruled(play: Play) -> None:
    """A success of one endpoint is to set the other one off, once."""
    add(play)
    add(play, "other", ManualBaseline())
    then = [{"proposeNextTime": {"endpoint": "other", "runInMs": 0}}]
    rules = read_rules(
        [{"name": "set off", "when": "endpoints.probe.status == 'success'", "cooldown": "1h", "then": then}]
    )
    update_job(play.world, ANNE, job(play.world).job_id, lambda old: replace(old, rules=rules))


def _over_quota(play: Play) -> None:
    add(play)
    trigger_run(play.world, ANNE, find(play.world))
    play.play(MIDNIGHT + 10 * SECOND)


def _lifted(play: Play) -> None:
    _over_quota(play)
    play.play(MIDNIGHT + 310 * SECOND)
    play._env["MAX_RUNS_PER_TENANT_PER_DAY"] = "0"
    play.start_worker()


_QUOTA = {"MAX_RUNS_PER_TENANT_PER_DAY": "1"}
_SHOT: dict[str, Any] = {"run_at": None, "ttl_minutes": None, "reason": None}
_ASIDE: dict[str, Any] = {"running": (), "gapless": ()}

STORIES = [
    # tick and dispatcher
    Story(name="tick claims and dispatcher runs", prepare=_endpoint(), ready_s=170, window_s=140, gapless=("probe",)),
    Story(
        name="a chain of short intervals",
        prepare=_endpoint(IntervalBaseline(40 * SECOND)),
        ready_s=30,
        window_s=60,
        end_s=480,
        fresh_s=120,
        gapless=("probe",),
    ),
    Story(name="tick resends", prepare=_silent, ready_s=118, window_s=10, end_s=600, fresh_s=240, gapless=("probe",)),
    Story(name="tick recovers", prepare=_dead, ready_s=118, window_s=10, end_s=600, fresh_s=240, gapless=("probe",)),
    Story(name="tick wakes a timed pause", prepare=_paused(200), ready_s=119, window_s=90),
    Story(
        name="a retry",
        prepare=_failing(1, retry=Retry(max_attempts=3)),
        ready_s=290,
        window_s=30,
        gapless=("probe",),
    ),
    Story(name="a failure", prepare=_failing(1), ready_s=290, window_s=30, end_s=1500, fresh_s=600),
    Story(name="an auto-pause", prepare=_failing(1, auto_pause_after=1), ready_s=290, window_s=30, running=()),
    Story(
        name="a one-shot on a dormant endpoint",
        prepare=_endpoint(ManualBaseline()),
        act=on(hint_one_shot, run_in_ms=20_000, **_SHOT),
        ready_s=10,
        window_s=30,
        end_s=600,
        running=("probe",),
        fresh_s=600,
    ),
    Story(name="an open gate", prepare=_two(_FIVE, depends_on=("probe",)), ready_s=599, window_s=4, end_s=1500),
    Story(name="a closed gate", prepare=_two(_FIVE, depends_on=("probe",)), ready_s=299, window_s=4, end_s=1500),
    Story(
        name="a follower is told",
        prepare=_two(AfterBaseline(("probe",))),
        ready_s=290,
        window_s=45,
        running=("probe", "other"),
    ),
    Story(
        name="a rule fires",
        prepare=_ruled,
        ready_s=290,
        window_s=30,
        end_s=1500,
        fresh_s=1300,
        running=("probe", "other"),
        once=("other",),
    ),
    Story(name="the quota holds", prepare=_over_quota, ready_s=290, window_s=20, env=_QUOTA, running=(), end_s=1300),
    Story(name="the quota is lifted", prepare=_lifted, ready_s=311, window_s=60, env=_QUOTA),
    # steering
    Story(
        name="interval hint",
        prepare=_endpoint(),
        act=on(hint_interval, interval_ms=90_000, ttl_minutes=60, reason=None),
        ready_s=10,
    ),
    Story(
        name="one-shot", prepare=_endpoint(), act=on(hint_one_shot, run_in_ms=20_000, **_SHOT), ready_s=10, window_s=25
    ),
    Story(name="pause", prepare=_endpoint(), act=on(pause_endpoint, until=None, reason=None), ready_s=250, **_ASIDE),
    Story(
        name="timed pause",
        prepare=_endpoint(),
        act=on(pause_endpoint, until=MIDNIGHT + 100_000, reason=None),
        ready_s=10,
    ),
    Story(
        name="resume", prepare=_paused(None), act=on(resume_endpoint, reason=None), ready_s=310, window_s=5, **_ASIDE
    ),
    Story(name="clear hints", prepare=_hinted, act=on(clear_hints, reason=None), ready_s=200),
    Story(name="reset failures", prepare=_failing(1), act=on(reset_failures, reason=None), ready_s=310),
    Story(name="run now", prepare=_endpoint(), act=on(trigger_run), ready_s=10, window_s=10),
    Story(
        name="run now under a quota",
        prepare=_endpoint(),
        act=on(trigger_run),
        ready_s=10,
        env={"MAX_RUNS_PER_TENANT_PER_DAY": "50"},
    ),
    Story(name="baseline and name edited", prepare=_endpoint(), act=_baseline, ready_s=10, **_ASIDE),
    Story(name="delete", prepare=_endpoint(), act=on(delete_endpoint), ready_s=250, **_ASIDE),
    Story(name="create", prepare=_endpoint(), act=_new_endpoint, ready_s=10),
    Story(name="job paused", prepare=_two(_FIVE), act=_status(JobStatus.PAUSED), ready_s=200, atomic=False, **_ASIDE),
    Story(name="job resumed", prepare=_job_paused, act=_status(JobStatus.ACTIVE), ready_s=200, atomic=False, **_ASIDE),
    Story(
        name="job archived",
        prepare=_two(_FIVE),
        act=lambda world: archive_job(world, ANNE, job(world).job_id),
        ready_s=200,
        atomic=False,
        **_ASIDE,
    ),
]
