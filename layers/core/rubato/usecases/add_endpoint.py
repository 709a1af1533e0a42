"""Add an endpoint to a job; its first run is planned, and sent if imminent, before the answer."""

from dataclasses import replace

from rubato.domain import edits, ids, lease, signing
from rubato.domain.access import Caller
from rubato.domain.checks import check_config
from rubato.domain.endpoint import Endpoint, EndpointConfig, EndpointState
from rubato.domain.errors import Conflict
from rubato.domain.jobs import Job, JobStatus
from rubato.domain.rules import targets_of
from rubato.ports import World
from rubato.usecases.ask_rules import ask_rules
from rubato.usecases.lookup import find_job
from rubato.usecases.manage_secrets import check_secrets
from rubato.usecases.record_event import event_by
from rubato.usecases.references import check_references
from rubato.usecases.replan import Changed, announce, replan
from rubato.usecases.tell_followers import ask_those_followed


def add_endpoint(world: World, caller: Caller, job: Job, draft: EndpointConfig) -> Endpoint:
    """Store `draft` as a new endpoint of `job`; its ids and times are set here. Raises Invalid, Conflict, NotFound."""
    if job.status is JobStatus.ARCHIVED:
        raise Conflict(f"job {job.job_id} is archived; set its status to active first")
    check_config(draft, world.limits.min_interval_ms, world.limits.allowed_target_cidrs)
    check_references(world, replace(draft, job_id=job.job_id))
    check_secrets(world, replace(draft, job_id=job.job_id))
    signers = _signers(world, caller, draft)
    now = world.clock.now()
    config = replace(
        draft,
        endpoint_id=ids.endpoint_id(now, world.entropy.bytes(10)),
        tenant_id=caller.tenant_id,
        job_id=job.job_id,
        created_at=now,
        updated_at=now,
    )
    state = EndpointState(anchor=now, held=job.holds, signers=signers)
    fresh = edits.following(Endpoint(config=config, state=state), job, now)
    event = event_by(world, caller, config.endpoint_id, "addEndpointToJob", after={"name": config.name})
    settled = lease.settle(fresh, now, world.limits.look_ahead_ms)
    stored = world.endpoints.create(settled, event, world.limits.max_endpoints)
    announce(world, None, stored, now)
    ask_those_followed(world, stored)
    return _follow_job(world, caller, stored)


def _signers(world: World, caller: Caller, draft: EndpointConfig) -> tuple[str, ...]:
    keys = world.signing_keys.of_holder(caller.tenant_id, None)
    if keys:
        signing.check_headers(draft.request.headers)
    return tuple(key.key_id for key in keys)


def _follow_job(world: World, caller: Caller, endpoint: Endpoint) -> Endpoint:
    """A change of the job that came between reading it and storing the endpoint reaches the endpoint too.

    Rules that named the endpoint before it was there look at it now.
    """
    job = find_job(world, caller, endpoint.config.job_id)
    if job.is_ruled and endpoint.config.name in targets_of(job.rules):
        ask_rules(world, job.job_id)
    if edits.following(endpoint, job, world.clock.now()) == endpoint:
        return endpoint
    return replan(world, endpoint.id, lambda latest, now: Changed(edits.following(latest, job, now)))
