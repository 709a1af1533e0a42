"""Several who put or delete one secret at once: what is listed is what is sent, or nobody is called."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from rubato.domain.errors import Unreadable
from rubato.domain.secrets import Kept
from tests.unit.clients import Client
from tests.worlds import MemoryWorld, Stage

Step = tuple[str, str, int]
STEPS: list[Step] = [("secrets", "put", 0), ("secrets", "put", 1), ("vault", "put", 0), ("vault", "delete", 0)]
STEPS += [("secrets", "delete", 0), ("secrets", "of_job", 0)]
OURS, THEIRS, FIRST = ((f"{whose}-value", f"{whose}.example") for whose in ("ours", "theirs", "first"))


class Desk:
    """A job, one name, and whoever puts it and deletes it."""

    def __init__(self, world: MemoryWorld) -> None:
        self.world, self.client = world, Client(world)
        self.job = str(self.client("POST", "/jobs", {"name": "shop"}).body["jobId"])
        self.path = f"/jobs/{self.job}/secrets/API_KEY"

    def put(self, value: str, host: str) -> int:
        """The status of the answer."""
        return int(self.client("PUT", self.path, {"value": value, "hosts": [host]}).status)

    def delete(self) -> int:
        """The status of the answer."""
        return int(self.client("DELETE", self.path).status)

    def listed(self) -> tuple[str, ...] | None:
        """Its hosts, as the list tells them."""
        items = self.client("GET", f"/jobs/{self.job}/secrets").body["items"]
        return tuple(items[0]["hosts"]) if items else None

    def kept(self) -> Kept | None:
        """What a run would read."""
        text = self.world.vault.shelves.get(f"secrets/{self.job}", {}).get("API_KEY")
        return Kept.from_text(text) if text is not None else None

    def act(self, action: str, given: tuple[str, str]) -> int:
        """Put this, or delete."""
        return self.put(*given) if action == "put" else self.delete()


@pytest.fixture
def desk() -> Desk:
    return Desk(MemoryWorld())


def meanwhile(world: Any, step: Step, is_after: bool, act: Callable[[], Any]) -> Callable[[], Any]:
    """Once, before or after the n-th call of a port, something else happens; gives how to call that off."""
    port, method, number = getattr(world, step[0]), step[1], step[2]
    do, calls = getattr(port, method), iter(range(100))

    def wrapped(*given: Any) -> Any:
        if next(calls) != number:
            return do(*given)
        result = do(*given) if is_after else None
        setattr(port, method, do)
        act()
        return result if is_after else do(*given)

    setattr(port, method, wrapped)
    return lambda: vars(port).pop(method, None)


@pytest.mark.parametrize("stood_still_ms", [0, 61_000])
@pytest.mark.parametrize("is_there", [True, False])
def test_however_two_get_in_each_others_way_the_list_tells_what_is_sent_or_nothing_is(
    is_there: bool, stood_still_ms: int
) -> None:
    for case in product(("put", "delete"), ("put", "delete"), STEPS, (True, False)):
        ours, theirs, step, is_after = case
        desk, answers = Desk(MemoryWorld()), list[int]()
        if is_there:
            desk.put(*FIRST)

        def other(desk: Desk = desk, theirs: str = theirs, answers: list[int] = answers) -> None:
            desk.world.clock.instant += stood_still_ms
            answers.append(desk.act(theirs, THEIRS))

        forget = meanwhile(desk.world, step, is_after, other)
        answers.append(desk.act(ours, OURS))
        forget()
        kept = desk.kept()
        assert set(answers) <= {200, 204, 404, 409}, case
        assert kept is None or kept.hosts == desk.listed() == (kept.value.replace("-value", ".example"),), case
        if sorted(answers) == [200, 409] and not stood_still_ms:
            winner = THEIRS if answers[0] == 200 else OURS
            assert kept is not None and kept.value == winner[0], case
        desk.world.clock.instant += 61_000
        assert desk.delete() in (204, 404) and desk.delete() == 404 and desk.kept() is None, case


def test_while_one_puts_it_another_is_told_to_come_again(desk: Desk) -> None:
    refused: list[Any] = []
    given = {"value": THEIRS[0]}
    meanwhile(desk.world, ("vault", "put", 0), False, lambda: refused.append(desk.client("PUT", desk.path, given)))
    assert desk.put(*OURS) == 200
    assert (refused[0].status, refused[0].headers["Retry-After"]) == (409, "1") and "API_KEY" in refused[0].text
    assert (desk.listed(), desk.kept()) == (("ours.example",), Kept(OURS[0], ("ours.example",)))


def test_a_vault_that_fails_in_between_leaves_a_name_that_can_be_put_and_deleted_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise Unreadable("InternalServerError")

    desk.put(*FIRST)
    for action in ("put", "delete"):
        with monkeypatch.context() as patched:
            patched.setattr(desk.world.vault, action, fails)
            assert desk.act(action, OURS) == 500
        assert desk.listed() == ("first.example",)
        assert desk.act(action, FIRST) in (200, 204)


def test_a_value_that_nobody_tells_of_any_more_is_deleted_by_a_delete_that_finds_no_name(desk: Desk) -> None:
    desk.put(*FIRST)
    desk.world.secrets._secrets.clear()
    events = len(desk.world.trail.events)
    assert desk.delete() == 404
    assert desk.kept() is None and desk.listed() is None and len(desk.world.trail.events) == events


def test_who_stood_still_for_too_long_leaves_nothing_of_its_own(desk: Desk) -> None:
    def later() -> None:
        desk.world.clock.instant += 61_000
        assert desk.put(*THEIRS) == 200

    desk.put(*FIRST)
    desk.client(
        "POST",
        f"/jobs/{desk.job}/endpoints",
        {
            "name": "probe",
            "baseline": {"intervalMs": 60_000},
            "request": {"url": "https://first.example/?k={{secret:API_KEY}}"},
        },
    )
    meanwhile(desk.world, ("vault", "put", 0), False, later)
    assert desk.put(*OURS) == 409
    assert desk.kept() is None and desk.listed() == ("theirs.example",)
    Stage(desk.world).play_seconds(130)
    assert desk.world.outbound.calls == []
