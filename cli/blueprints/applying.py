"""Writing a plan: each request may be repeated, so what stopped half-way goes on when it is applied again."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import uuid4

from cli.api import Api
from cli.blueprints.plan import Change, Plan
from cli.blueprints.telling import tell_done
from cli.trouble import Trouble

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The job's id, what was done, and the deletions left out since somebody edited the endpoint meanwhile."""

    job_id: str
    done: tuple[Change, ...]
    left: tuple[Change, ...]


def write_plan(api: Api, plan: Plan, job_id: str | None) -> Applied:
    """Make the changes; `job_id` is None when the job is to be created.

    Raises Trouble that says what was done before it.
    """
    writer, done, left = _Writer(api, job_id), list[Change](), list[Change]()
    for change in plan.changes:
        try:
            (done if writer.write(change) else left).append(change)
        except Trouble as trouble:
            so_far = f"Before that: {tell_done(done)}. " if done else "Nothing was written. "
            what = f"can't {change.kind} {change.subject} {change.name!r}"
            raise Trouble(
                f"{what}: {trouble}\n{so_far}Once that is mended, apply it again: it goes on there."
            ) from None
    return Applied(job_id=writer.job_id, done=tuple(done), left=tuple(left))


def apply_plan(api: Api, plan: Plan, job_id: str | None) -> str:
    """The same, for a plan that deletes nothing; gives the job's id."""
    return write_plan(api, plan, job_id).job_id


class _Writer:
    def __init__(self, api: Api, job_id: str | None) -> None:
        self._api, self.job_id = api, job_id or ""
        self._job_version: int | None = None
        # A key of its own for each time it is applied: after a deletion the same body must create anew.
        self._occasion = uuid4().hex

    def write(self, change: Change) -> bool:
        """Whether it was done: an endpoint that somebody edited meanwhile is not deleted."""
        if change.subject == "job":
            self._write_job(change)
        elif change.kind == "create":
            self._create(f"/jobs/{self.job_id}/endpoints", change)
        elif change.kind == "change":
            self._api.call("PATCH", f"/endpoints/{change.subject_id}", change.body, headers=_only(change.version))
        else:
            return self._delete(change)
        return True

    def _delete(self, change: Change) -> bool:
        # A DELETE knows no If-Match, so the version is compared just before it.
        if self._api.call("GET", f"/endpoints/{change.subject_id}")["version"] != change.version:
            return False
        reason = "not in the blueprint that was applied"
        self._api.call("DELETE", f"/endpoints/{change.subject_id}", reason=reason)
        return True

    def _write_job(self, change: Change) -> None:
        if change.kind == "create":
            job = self._create("/jobs", change)
        else:
            headers = _only(self._job_version or change.version)
            job = self._api.call("PATCH", f"/jobs/{self.job_id}", change.body, headers=headers)
        self.job_id, self._job_version = job["jobId"], job["version"]

    def _create(self, path: str, change: Change) -> Fields:
        place = sha256(f"{change.subject}/{change.name}".encode()).hexdigest()[:16]
        return self._api.call("POST", path, change.body, headers={"Idempotency-Key": f"{self._occasion}-{place}"})


def _only(version: int | None) -> dict[str, str]:
    """What was compared is what is changed: somebody else's edit meanwhile is refused, not overwritten."""
    return {} if version is None else {"If-Match": f'"{version}"'}
