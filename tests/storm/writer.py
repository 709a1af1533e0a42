"""One who writes over the API's door, and keeps a diary of what was asked and answered."""

import time
from datetime import UTC, datetime
from typing import Any

from rubato.bootstrap import AwsWorld
from rubato.domain.access import Caller
from tests.storm.diary import Diary
from tests.storm.script import Deed
from tests.unit.clients import Client


class Writer:
    """Does deeds to the endpoints of a fleet: {"stormy": [ids], "job": id, "url": base of the target}."""

    def __init__(self, world: AwsWorld, caller: Caller, diary: Diary, fleet: dict[str, Any]) -> None:
        anybody: Any = world
        self._client = Client(anybody, caller)
        self._name, self._diary, self._fleet = caller.key_id, diary, fleet
        self._guests: list[str] = []
        self._count = 0

    def do(self, deed: Deed) -> None:
        """One request; its answer is kept, whatever it is."""
        known = [*self._fleet["stormy"], *self._guests]
        one = f"/endpoints/{known[deed.index % len(known)]}"
        match deed.action:
            case "hint":
                self._ask("POST", f"{one}/hints/interval", deed.given)
            case "one_shot":
                self._ask("POST", f"{one}/hints/one-shot", deed.given)
            case "clear":
                self._ask("DELETE", f"{one}/hints")
            case "pause":
                self._ask("POST", f"{one}/pause", {"pauseUntil": "indefinite"})
            case "nap":
                self._ask("POST", f"{one}/pause", {"pauseUntil": _iso(time.time() * 1000 + deed.given["ms"])})
            case "resume":
                self._ask("POST", f"{one}/pause", {"pauseUntil": None})
            case "run":
                self._ask("POST", f"{one}/run")
            case "reset":
                self._ask("POST", f"{one}/reset-failures")
            case "edit":
                self._ask("PATCH", one, deed.given)
            case _:
                self._do_more(deed)

    def _do_more(self, deed: Deed) -> None:
        job = f"/jobs/{self._fleet['job']}"
        match deed.action:
            case "rebase":
                interval = self._fleet["steady"][deed.index % len(self._fleet["steady"])]
                self._ask("PATCH", f"/endpoints/{interval}", {"baseline": deed.given})
            case "hold_job":
                self._ask("PATCH", job, {"status": "paused"})
            case "free_job":
                self._ask("PATCH", job, {"status": "active"})
            case "arrive":
                self._count += 1
                request = {"url": self._fleet["url"] + "/ok"}
                wanted = {"name": f"{self._name} {time.time_ns()}", "request": request, "timeoutMs": 1500}
                made = self._ask("POST", f"{job}/endpoints", {**wanted, "baseline": deed.given})
                self._guests += [made["endpointId"]] if made and "endpointId" in made else []
            case "leave" if self._guests:
                self._ask("DELETE", f"/endpoints/{self._guests.pop(0)}")

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        asked = time.time() * 1000
        facts = {"by": self._name, "method": method, "path": path, "given": body}
        # Before and after: one that is killed in between may have changed what it asked for.
        self._diary.note(asked=asked, **facts)
        try:
            answer = self._client(method, path, body)
        except Exception as crash:  # noqa: BLE001 - what the API function would answer with 500
            self._diary.note(asked=asked, answered=time.time() * 1000, status=500, told=repr(crash), **facts)
            return None
        self._diary.note(asked=asked, answered=time.time() * 1000, status=answer.status, told=answer.body, **facts)
        return answer.body


def _iso(instant_ms: float) -> str:
    return datetime.fromtimestamp(instant_ms / 1000, UTC).isoformat(timespec="milliseconds")
