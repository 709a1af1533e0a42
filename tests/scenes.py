"""A tenant with one of everything, and for each action a call that succeeds there."""

from typing import Any

from rubato.domain.access import Caller
from rubato.interface.action import Action
from rubato.usecases.authenticate import authenticate
from tests.unit.clients import Client
from tests.worlds import ANNE, MemoryWorld, Stage, a_key

Json = dict[str, Any]
ENDPOINT = {"name": "probe", "request": {"url": "http://127.0.0.1/x"}, "baseline": {"intervalMs": 60_000}}


class Scene:
    """The tenant acme: `ids` by the names that inputs have for them. Its endpoint has run once."""

    def __init__(self) -> None:
        self.world = MemoryWorld()
        anne = Client(self.world, ANNE)
        job = anne("POST", "/jobs", {"name": "shop"}).body["jobId"]
        endpoint = anne("POST", f"/jobs/{job}/endpoints", ENDPOINT).body["endpointId"]
        anne("PUT", f"/jobs/{job}/secrets/API_KEY", {"value": "hunter2-hunter2"})
        Stage(self.world).play_seconds(61)
        self.ids = {
            "jobId": job,
            "endpointId": endpoint,
            "runId": anne("GET", "/runs").body["items"][0]["runId"],
            "agentId": anne("POST", "/agents", {"name": "scout", "owner": "shop team"}).body["agentId"],
            "signingKeyId": anne("POST", "/signing-keys", {}).body["signingKeyId"],
            "keyId": a_key(self.world, label="of acme")[0].key_id,
            "secretName": "API_KEY",
        }

    def caller(self, tenant: str = "acme", **key: Any) -> Caller:
        """Whoever holds a new key like this, as the authorizer finds them."""
        _, token = a_key(self.world, tenant, **key)
        return authenticate(self.world, {"x-api-key": token})


def call_of(action: Action, ids: dict[str, str]) -> Json:
    """What the action takes beside what its path names."""
    return _CALLS.get(action.name) or ({"endpointId": ids["endpointId"]} if action.name == "createSigningKey" else {})


_CALLS: dict[str, Json] = {
    "createJob": {"name": "another"},
    "updateJob": {"name": "renamed"},
    "addEndpointToJob": {**ENDPOINT, "name": "another"},
    "updateEndpointConfig": {"name": "renamed"},
    "applyIntervalHint": {"intervalMs": 5000},
    "scheduleOneShotRun": {"runInMs": 60_000},
    "pauseOrResumeEndpoint": {"pauseUntil": "indefinite"},
    "previewSchedule": {"baseline": {"intervalMs": 60_000}},
    "createApiKey": {"label": "more", "kind": "service", "scopes": ["keys:read"]},
    "registerAgent": {"name": "another", "owner": "shop team"},
    "putSecret": {"value": "hunter3-hunter3"},
}
"""A new action that needs more than its path fails until it stands here."""
