"""What the API holds of a job: the other half of every comparison."""

from dataclasses import dataclass
from typing import Any

from cli.api import Api
from cli.trouble import Trouble

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The answers of getJob and listJobEndpoints."""

    job: Fields
    endpoints: tuple[Fields, ...]


def find_job(api: Api, wanted: str) -> Fields | None:
    """The job of that id or, among those that are not archived, of that name. Raises Trouble when it fits several."""
    jobs = list(api.every("/jobs"))
    by_id = [job for job in jobs if job["jobId"] == wanted]
    found = by_id or [job for job in jobs if job["name"] == wanted and job["status"] != "archived"]
    if len(found) > 1:
        ids = ", ".join(job["jobId"] for job in found)
        raise Trouble(f"{len(found)} jobs are named {wanted!r}: {ids}; name one by its id")
    return found[0] if found else None


def the_job(api: Api, wanted: str) -> Fields:
    """The same; raises Trouble when there is none."""
    found = find_job(api, wanted)
    if found is None:
        raise Trouble(f"there is no job {wanted!r}, by id or by name, except perhaps an archived one")
    return found


def read_stored(api: Api, job: Fields) -> Stored:
    """The job with all its endpoints."""
    return Stored(job=job, endpoints=tuple(api.every(f"/jobs/{job['jobId']}/endpoints")))
