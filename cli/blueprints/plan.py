"""What to write so that the API holds what a blueprint says. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from cli.blueprints import spelling
from cli.blueprints.document import Blueprint
from cli.blueprints.order import in_order, named_by
from cli.blueprints.stored import Stored
from cli.trouble import Trouble
from rubato.domain.errors import Invalid

Fields = dict[str, Any]

# They may name endpoints and are checked against them, so they come last.
_LAST = "rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One request. `body` is what it sends, `before` and `after` what people are shown: secrets masked."""

    kind: Literal["create", "change", "delete"]
    subject: Literal["job", "endpoint"]
    name: str
    body: Fields
    before: Fields
    after: Fields
    subject_id: str = ""
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Changes in the order in which they are to be made; names of endpoints that are there and not in the file.

    `unseen` names headers, `endpoint: header`, that the file gives and that can't be compared.
    """

    changes: tuple[Change, ...]
    kept: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


def make_plan(blueprint: Blueprint, stored: Stored | None, *, prune: bool = False, secrets: bool = False) -> Plan:
    """`prune` deletes what the file does not name; `secrets` writes headers that can't be compared.

    Raises Trouble that tells of everything that is wrong with the file, each with its place.
    """
    return _Planner(blueprint, stored, prune, secrets).plan()


class _Planner:
    def __init__(self, blueprint: Blueprint, stored: Stored | None, prune: bool, secrets: bool) -> None:
        self._blueprint, self._stored, self._prune, self._secrets = blueprint, stored, prune, secrets
        self._known = {each["name"]: each for each in stored.endpoints} if stored else {}
        self._given = {each["name"]: each for each in blueprint.endpoints}
        self._wrong: list[str] = []
        self._becomes: dict[str, Fields] = {}

    def plan(self) -> Plan:
        if self._prune and not self._blueprint.lists_endpoints:
            advice = 'to delete every endpoint say "endpoints": []'
            raise Trouble(f"{self._blueprint.origin}: has no endpoints, so --prune can't tell which to keep; {advice}")
        jobs = list(self._job_changes())
        self._refuse_what_is_wrong()
        written = {name: self._endpoint_change(name) for name in self._given}
        self._refuse_what_is_wrong()
        self._check_references()
        ordered = [change for name in in_order(self._becomes.values()) if (change := written[name]) is not None]
        first = [change for change in jobs if _LAST not in change.body]
        last = [change for change in jobs if _LAST in change.body]
        others = [name for name in self._known if name not in self._given]
        deleted = [self._deletion(name) for name in others] if self._prune else []
        return Plan(
            changes=(*first, *ordered, *last, *deleted),
            kept=() if self._prune else tuple(others),
            unseen=() if self._secrets else tuple(self._unseen()),
        )

    def _job_changes(self) -> Iterator[Change]:
        given = self._blueprint.job if self._stored else spelling.without_nulls(self._blueprint.job)
        soon, later = ({key: value for key, value in given.items() if (key == _LAST) is last} for last in (False, True))
        if self._stored is None:
            after = self._read("job", lambda: spelling.new_job(given))
            if after is not None:
                yield Change(kind="create", subject="job", name=given["name"], body=soon, before={}, after=soon)
            if later.get(_LAST):
                yield Change(kind="change", subject="job", name=given["name"], body=later, before={}, after=later)
            return
        before = spelling.stored_job(self._stored.job)
        after = self._read("job", lambda: spelling.changed_job(before, given))
        for part in (soon, later):
            body = {key: value for key, value in part.items() if after is not None and before.get(key) != after[key]}
            if after is not None and body:
                yield Change(
                    kind="change", subject="job", name=given["name"], body=body,
                    before={key: before.get(key) for key in body}, after={key: after[key] for key in body},
                    subject_id=self._stored.job["jobId"], version=self._stored.job["version"],
                )  # fmt: skip

    def _endpoint_change(self, name: str) -> Change | None:
        given, known = self._meant(name), self._known.get(name)
        after = self._read(self._place(name), lambda: self._after(given, known))
        if after is None:
            return None
        self._becomes[name] = after
        if known is None:
            body = spelling.without_nulls(given)
            shown = spelling.masked(body)
            return Change(kind="create", subject="endpoint", name=name, body=body, before={}, after=shown)
        return self._edit(given, known, after)

    def _meant(self, name: str) -> Fields:
        """What the file gives of it; a secret that is there already stays, unless secrets are to be written."""
        given, known = self._given[name], self._known.get(name)
        if known is None or self._secrets:
            return given
        return spelling.without_known_secrets(known, given)

    def _after(self, given: Fields, known: Fields | None) -> Fields:
        if known is not None:
            before = spelling.stored_endpoint(known)
            return spelling.changed_endpoint(before, spelling.endpoint_patch(before, given))
        hidden = spelling.masked_headers(given)
        if hidden:
            advice = f"{', '.join(hidden)} is ***, and there is no endpoint yet that has its value; give it, "
            raise Invalid.field("request.headers", f"{advice}for example as ${{token}} with --set token=...")
        return spelling.new_endpoint(spelling.without_nulls(given), self._job_after())

    def _job_after(self) -> Fields:
        if self._stored is None:
            return spelling.new_job(spelling.without_nulls(self._blueprint.job))
        return spelling.changed_job(spelling.stored_job(self._stored.job), self._blueprint.job)

    def _edit(self, given: Fields, known: Fields, after: Fields) -> Change | None:
        before = spelling.stored_endpoint(known)
        patch = spelling.endpoint_patch(before, given)
        forced = {"request"} if self._secrets and spelling.secret_headers(given) else set[str]()
        changed = [key for key in patch if before[key] != after[key] or key in forced]
        if not changed:
            return None
        return Change(
            kind="change", subject="endpoint", name=given["name"], body={key: patch[key] for key in changed},
            before={key: before[key] for key in changed}, after={key: after[key] for key in changed},
            subject_id=known["endpointId"], version=known["version"],
        )  # fmt: skip

    def _deletion(self, name: str) -> Change:
        known = self._known[name]
        return Change(
            kind="delete", subject="endpoint", name=name, body={}, before={}, after={},
            subject_id=known["endpointId"], version=known["version"],
        )  # fmt: skip

    def _unseen(self) -> Iterator[str]:
        for name in self._given.keys() & self._known.keys():
            written = spelling.secret_headers(self._meant(name))
            yield from (
                f"{name}: {header}" for header in spelling.secret_headers(self._given[name]) if header not in written
            )

    def _place(self, name: str) -> str:
        return f"{self._blueprint.place(name)} ({name!r})"

    def _read(self, place: str, spell: Callable[[], Fields]) -> Fields | None:
        try:
            return spell()
        except Invalid as refused:
            self._wrong += [f"{place} {each.path}: {each.message}" for each in refused.errors]
            return None

    def _refuse_what_is_wrong(self) -> None:
        if self._wrong:
            raise Trouble("\n".join(f"{self._blueprint.origin}: {each}" for each in self._wrong))

    def _check_references(self) -> None:
        for name, endpoint in self._becomes.items():
            for other in named_by(endpoint):
                if other == name:
                    self._wrong.append(f"{self._place(name)}: names itself in dependsOn or after; name others")
                elif other not in self._given and not self._may_name(name, other):
                    self._wrong.append(f"{self._place(name)}: names {other!r}, which is no endpoint of the job")
        self._refuse_what_is_wrong()

    def _may_name(self, name: str, other: str) -> bool:
        """What the file does not name but stays, or what had gone before and is named since."""
        if other in self._known:
            return not self._prune
        known = self._known.get(name)
        return known is not None and other in named_by(known)
