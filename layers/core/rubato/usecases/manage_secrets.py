"""Put, list and delete the secrets of a job. Nothing in here reads a value."""

from rubato.domain.access import Caller
from rubato.domain.endpoint import EndpointConfig
from rubato.domain.errors import Conflict, FieldError, Invalid, NotFound, WriteRaced
from rubato.domain.placeholders import names_in_request
from rubato.domain.secrets import MAX_PER_JOB, Secret, check_value, shelf
from rubato.ports import World
from rubato.usecases.lookup import find_job
from rubato.usecases.record_event import event_by


def put_secret(world: World, caller: Caller, job_id: str, name: str, value: str) -> Secret:
    """Keep the value under the name, in place of an older one. Raises NotFound, Invalid, Conflict for one too many.

    The trail knows of it before the vault does: a value that nobody tells of would be worse than a name without one.
    """
    find_job(world, caller, job_id)
    check_value(value)
    known = [secret.name for secret in world.secrets.of_job(job_id)]
    if name not in known and len(known) >= MAX_PER_JOB:
        raise Conflict(f"a job has at most {MAX_PER_JOB} secrets; delete one first")
    secret = Secret(job_id=job_id, tenant_id=caller.tenant_id, name=name, updated_at=world.clock.now())
    world.secrets.put(secret, event_by(world, caller, job_id, "putSecret", after={"name": name}))
    world.vault.put(shelf(job_id), name, value)
    return secret


def list_secrets(world: World, caller: Caller, job_id: str) -> list[Secret]:
    """By name; raises NotFound."""
    return world.secrets.of_job(find_job(world, caller, job_id).job_id)


def delete_secret(world: World, caller: Caller, job_id: str, name: str) -> None:
    """Forget it: runs that name it fail from then on, within a minute. Raises NotFound."""
    find_job(world, caller, job_id)
    secret = next((each for each in world.secrets.of_job(job_id) if each.name == name), None)
    if secret is None:
        raise NotFound("secret", name)
    world.vault.delete(shelf(job_id), name)
    event = event_by(world, caller, job_id, "deleteSecret", before={"name": name})
    try:
        world.secrets.delete(secret, event)
    except WriteRaced:
        raise NotFound("secret", name) from None


def check_secrets(world: World, config: EndpointConfig, stored: EndpointConfig | None = None) -> None:
    """Raise Invalid for secrets that the request names and the job does not have.

    Those that the `stored` configuration names already are let be: their run says what is missing.
    """
    named = names_in_request(config.request) - (names_in_request(stored.request) if stored else frozenset())
    if not named:
        return
    missing = named - {secret.name for secret in world.secrets.of_job(config.job_id)}
    if missing:
        broken = (
            FieldError("request", f"the job has no secret {name}; PUT /jobs/{config.job_id}/secrets/{name} first")
            for name in sorted(missing)
        )
        raise Invalid(*broken)
