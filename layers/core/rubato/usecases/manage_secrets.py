"""Put, list and delete the secrets of a job. Nothing in here reads a value."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from rubato.domain.access import Caller
from rubato.domain.audit import Event
from rubato.domain.endpoint import EndpointConfig
from rubato.domain.errors import Conflict, FieldError, Invalid, NotFound, WriteRaced
from rubato.domain.hosts import ANYWHERE, read_hosts
from rubato.domain.instant import SECOND
from rubato.domain.placeholders import names_in_request
from rubato.domain.secrets import MAX_PER_JOB, Kept, Secret, check_value, shelf, why_not_to
from rubato.domain.targets import same_origin
from rubato.ports import World
from rubato.usecases.lookup import find_job
from rubato.usecases.record_event import event_by

_HELD_MS = 60 * SECOND  # twice as long as the function lives that holds it
_WAIT_S = 1


def put_secret(
    world: World, caller: Caller, job_id: str, name: str, value: str, given: Sequence[str] | None = None
) -> Secret:
    """Keep the value under the name, in place of an older one, for the hosts that are given (see domain.hosts).

    Without any it is for those of the older one: another value widens nothing. Raises NotFound, Invalid, Conflict for
    one too many or while somebody else puts or deletes it. The trail knows of it before the vault does: a value that
    nobody tells of would be worse than a name without one.
    """
    find_job(world, caller, job_id)
    known = {secret.name: secret for secret in world.secrets.of_job(job_id)}
    before = known.get(name)
    hosts = read_hosts(given) if given is not None else before.hosts if before else ANYWHERE
    check_value(value, hosts)
    if before is None and len(known) >= MAX_PER_JOB:
        raise Conflict(f"a job has at most {MAX_PER_JOB} secrets; delete one first")
    now = world.clock.now()
    secret = Secret(job_id=job_id, tenant_id=caller.tenant_id, name=name, updated_at=now, hosts=hosts)
    with _held(world, before, before or secret, _put_event(world, caller, secret, before)) as held:
        world.vault.put(shelf(job_id), name, Kept(value, hosts).to_text())
        try:
            world.secrets.put(secret, held, None)
        except WriteRaced:  # it stood still for longer than it was held, and may have overwritten a later value
            world.vault.delete(shelf(job_id), name)
            raise _raced(name) from None
    return secret


def _put_event(world: World, caller: Caller, secret: Secret, before: Secret | None) -> Event:
    told: dict[str, Any] = {"name": secret.name}
    if before is None:
        return event_by(world, caller, secret.job_id, "putSecret", after={**told, "hosts": list(secret.hosts)})
    if before.hosts == secret.hosts:
        return event_by(world, caller, secret.job_id, "putSecret", after=told)
    old, new = {"hosts": list(before.hosts)}, {**told, "hosts": list(secret.hosts)}
    return event_by(world, caller, secret.job_id, "putSecret", before=old, after=new)


def list_secrets(world: World, caller: Caller, job_id: str) -> list[Secret]:
    """By name; raises NotFound."""
    return world.secrets.of_job(find_job(world, caller, job_id).job_id)


def delete_secret(world: World, caller: Caller, job_id: str, name: str) -> None:
    """Forget it: runs that name it fail from then on, within a minute.

    Raises NotFound for a name that is not there, whose value the vault forgets all the same, so that repeating it
    always leaves nothing behind; and Conflict while somebody else puts or deletes it.
    """
    find_job(world, caller, job_id)
    known = _secret(world, job_id, name)
    none = Secret(job_id=job_id, tenant_id=caller.tenant_id, name=name, updated_at=world.clock.now())
    with _held(world, known, known or none) as held:
        world.vault.delete(shelf(job_id), name)
        event = event_by(world, caller, job_id, "deleteSecret", before={"name": name}) if known else None
        try:
            world.secrets.delete(held, event)
        except WriteRaced:
            raise _raced(name) from None
    if known is None:
        raise NotFound("secret", name)


@contextmanager
def _held(world: World, before: Secret | None, meanwhile: Secret, event: Event | None = None) -> Iterator[Secret]:
    """Keep others from putting or deleting it; what fails within leaves `meanwhile` to be listed, and deleted again.

    The vault knows no conditions: without this, the value of one could stand there under the hosts of another.
    """
    now, name = world.clock.now(), meanwhile.name
    if before is not None and before.held_until is not None and before.held_until > now:
        raise _raced(name)
    held = replace(meanwhile, held_until=now + _HELD_MS)
    try:
        world.secrets.put(held, before, event)
    except WriteRaced:
        raise _raced(name) from None
    try:
        yield held
    except BaseException:
        with suppress(WriteRaced):
            world.secrets.put(replace(held, held_until=None), held, None)
        raise


def check_secrets(world: World, config: EndpointConfig, stored: EndpointConfig | None = None) -> None:
    """Raise Invalid for secrets that the request names and the job does not have, or that do not go to its host.

    Those that the `stored` configuration names already, for the same origin, are let be: their run says what is wrong.
    """
    named, known = names_in_request(config.request), _names_for_origin(stored, config.request.url)
    if not named - known:
        return
    secrets = {secret.name: secret for secret in world.secrets.of_job(config.job_id)}
    missing = named - (names_in_request(stored.request) if stored else frozenset()) - secrets.keys()
    broken = [
        FieldError("request", f"the job has no secret {name}; PUT /jobs/{config.job_id}/secrets/{name} first")
        for name in sorted(missing)
    ]
    for name in sorted((named - known) & secrets.keys()):
        reason = why_not_to(config.request.url, name, secrets[name].hosts, config.job_id)
        broken += [FieldError("request.url", reason)] if reason else []
    if broken:
        raise Invalid(*broken)


def _names_for_origin(stored: EndpointConfig | None, url: str) -> frozenset[str]:
    if stored is None or not same_origin(stored.request.url, url):
        return frozenset()
    return names_in_request(stored.request)


def _secret(world: World, job_id: str, name: str) -> Secret | None:
    return next((each for each in world.secrets.of_job(job_id) if each.name == name), None)


def _raced(name: str) -> Conflict:
    return Conflict(f"somebody else puts or deletes the secret {name}; see what became of it and try again", _WAIT_S)
