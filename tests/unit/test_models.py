"""The adapters of models: over real sockets what an OpenAI-compatible server may do to us, Bedrock, and the key."""

import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from moto import mock_aws
from pytest_httpserver import HTTPServer
from werkzeug import Response

from rubato.adapters import secrets
from rubato.adapters.bedrock import BedrockModel
from rubato.adapters.http import PinnedOutbound
from rubato.adapters.openai import OpenAiModel
from rubato.adapters.scripted import ScriptedModel
from rubato.adapters.secrets import StoredSecret
from rubato.domain.analysis import Outcome
from rubato.domain.conversation import (
    Answer,
    Briefing,
    ModelFailed,
    ModelFault,
    Question,
    Results,
    ToolCall,
    ToolResult,
)
from rubato.domain.instant import MINUTE
from rubato.domain.planner_tools import TOOLS
from rubato.domain.schedule import ManualBaseline
from tests.planners import a_planned_endpoint, analyses, look_around, planner_world
from tests.unit.servers import LOCAL, Connection, serving

KEY = "sk-secret-12345"
PATH = "/v1/chat/completions"
CALL = ToolCall(call_id="c1", name="get_latest_response", arguments={"includeBody": True})
SAID = (
    Briefing(text="<briefing>{}</briefing>"),
    Answer(text="let me see", calls=(CALL, ToolCall(call_id="c2", name="oops", arguments=None))),
    Results(
        results=(
            ToolResult(call_id="c1", text="<data>1</data>"),
            ToolResult(call_id="c2", text="<data>2</data>", is_error=True),
        )
    ),
)


def question(timeout_ms: int = 5_000, turns: Any = SAID) -> Question:
    return Question(system="be brief", turns=turns, tools=TOOLS, max_output_tokens=800, timeout_ms=timeout_ms)


class Key:
    """A key that counts how often it was refused."""

    forgotten = 0

    def read(self) -> str:
        return KEY

    def forget(self) -> None:
        self.forgotten += 1


def a_model(url: str, key: Any = None, allowed: Any = LOCAL) -> OpenAiModel:
    return OpenAiModel(url, "small", PinnedOutbound(LOCAL), allowed, key)


def completion(message: dict[str, Any], **usage: int) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", **message}}], "usage": usage}


def calls(*made: tuple[str, Any]) -> list[dict[str, Any]]:
    return [
        {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for number, (name, arguments) in enumerate(made)
    ]


def fault_of(model: Any, **asked: Any) -> ModelFailed:
    with pytest.raises(ModelFailed) as caught:
        model.ask(question(**asked))
    return caught.value


def test_a_conversation_is_spelled_as_servers_of_this_kind_want_it(httpserver: HTTPServer) -> None:
    answer = completion({"content": None, "tool_calls": calls(("submit_analysis", '{"confidence": 1}'))})
    answer["usage"] = {"prompt_tokens": 700, "completion_tokens": 20}
    httpserver.expect_oneshot_request(PATH, method="POST").respond_with_json(answer)
    given = a_model(httpserver.url_for("/v1/"), Key()).ask(question())
    assert given.calls == (ToolCall(call_id="call_0", name="submit_analysis", arguments={"confidence": 1}),)
    assert (given.text, given.input_tokens, given.output_tokens) == ("", 700, 20)
    request, _ = httpserver.log[0]
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    body = json.loads(request.data)
    assert (body["model"], body["max_tokens"], len(body["tools"])) == ("small", 800, len(TOOLS))
    assert [each["role"] for each in body["messages"]] == ["system", "user", "assistant", "tool", "tool"]
    assert [call["function"]["arguments"] for call in body["messages"][2]["tool_calls"]] == [
        '{"includeBody": true}',
        "{}",
    ]
    assert body["messages"][3]["tool_call_id"] == "c1"


@pytest.mark.parametrize(
    ("status", "headers", "fault", "wait"),
    [
        (401, {}, ModelFault.UNAUTHORIZED, None),
        (403, {}, ModelFault.UNAUTHORIZED, None),
        (429, {"Retry-After": "30"}, ModelFault.THROTTLED, 30),
        (429, {"Retry-After": "9999999"}, ModelFault.THROTTLED, 3600),
        (429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, ModelFault.THROTTLED, None),
        (500, {}, ModelFault.UNAVAILABLE, None),
        (503, {"Retry-After": "7"}, ModelFault.UNAVAILABLE, 7),
        (400, {}, ModelFault.REFUSED, None),
        (404, {}, ModelFault.REFUSED, None),
        (302, {"Location": "https://elsewhere.example/"}, ModelFault.REFUSED, None),
    ],
)
def test_a_refusal_has_its_fault_and_never_the_words_of_the_server(
    httpserver: HTTPServer, status: int, headers: dict[str, str], fault: ModelFault, wait: int | None
) -> None:
    echo = Response(f"you sent {KEY}", status=status, headers=headers)
    httpserver.expect_request(PATH).respond_with_response(echo)
    key = Key()
    failed = fault_of(a_model(httpserver.url_for("/v1"), key))
    assert (failed.fault, failed.retry_after_s) == (fault, wait)
    assert KEY not in str(failed) and str(status) in str(failed)
    assert len(httpserver.log) == 1  # tried once, and no redirect followed
    assert key.forgotten == (status in (401, 403))  # it may have been replaced


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"choices": []}',
        b'{"choices": [{"message": null}]}',
        b'{"choices": [{"message": {"tool_calls": [7]}}]}',
        b'{"choices": [{"message": {"tool_calls": [{}]}}]}',
        b'{"choices": "' + b"x" * 300_000 + b'"}',
    ],
    ids=lambda body: body[:20].decode(),
)
def test_an_answer_that_is_none_is_malformed(httpserver: HTTPServer, body: bytes) -> None:
    httpserver.expect_request(PATH).respond_with_data(body)
    assert fault_of(a_model(httpserver.url_for("/v1"))).fault is ModelFault.MALFORMED


def test_calls_that_can_not_be_read_come_through_as_such_and_missing_counts_are_estimated(
    httpserver: HTTPServer,
) -> None:
    made = calls(("a", "{oops"), ("b", "[1]"), ("c", ""), ("d", {"x": 1}), ("e", "[" * 50_000), ("f", '{"x": 1e999}'))
    made += [{"function": {"name": None, "arguments": None}}]
    httpserver.expect_request(PATH).respond_with_json({"choices": [{"message": {"tool_calls": made}}], "usage": "none"})
    given = a_model(httpserver.url_for("/v1")).ask(question())
    assert [call.arguments for call in given.calls] == [None, None, {}, {"x": 1}, None, {"x": float("inf")}, None]
    assert given.calls[6].name == "" and given.calls[6].call_id == "call_6"
    assert given.input_tokens > 500 and given.output_tokens > 100


def test_a_server_that_hangs_or_drips_is_left_when_the_time_is_over() -> None:
    def hang(connection: Connection) -> None:
        connection.read_request()
        connection.stopped.wait(10)

    def drip(connection: Connection) -> None:
        connection.read_request()
        connection.drip(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + b" " * 10_000)

    for script in (hang, drip):
        with serving(script) as server:
            began = time.monotonic()
            failed = fault_of(a_model(server.url("/v1")), timeout_ms=300)
            assert failed.fault is ModelFault.TIMEOUT and time.monotonic() - began < 2


def test_a_server_that_is_not_there_is_unavailable() -> None:
    assert fault_of(a_model("http://127.0.0.1:9/v1")).fault is ModelFault.UNAVAILABLE


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://models.example.com/v1", LOCAL),
        ("http://127.0.0.1:1/v1", ()),
        ("http://8.8.8.8/v1", ()),
        ("https://user:pw@models.example.com/v1", ()),
        ("https://169.254.169.254/v1", LOCAL),
        ("ftp://models.example.com/v1", ()),
        ("", ()),
    ],
)
def test_a_url_in_the_clear_or_into_a_private_network_is_never_called(url: str, allowed: Any) -> None:
    outbound = ScriptedModel()  # anything without `send`
    model = OpenAiModel(url, "small", outbound, allowed, Key())  # type: ignore[arg-type]
    failed = fault_of(model)
    assert failed.fault is ModelFault.UNAVAILABLE and "ModelUrl" in str(failed)


def test_a_key_that_can_not_be_read_is_unauthorized_and_told_without_its_cause() -> None:
    class Broken(Key):
        def read(self) -> str:
            raise RuntimeError(f"could not parse {KEY}")

    failed = fault_of(a_model("http://127.0.0.1:9/v1", Broken()))
    assert failed.fault is ModelFault.UNAUTHORIZED and KEY not in str(failed) and "RuntimeError" in str(failed)


# ------------------------------------------------------------------- whole analyses over real sockets


def over(httpserver: HTTPServer, **terms: Any) -> Any:
    world = planner_world(**terms)
    world.model = a_model(httpserver.url_for("/v1"), Key())
    return world


def test_an_analysis_goes_all_the_way_over_a_real_server(httpserver: HTTPServer) -> None:
    hint = '{"intervalMs": 30000, "ttlMinutes": 5, "reason": "busy"}'
    submitted = '{"reasoning": "watch it", "confidence": 0.9, "nextAnalysisIn": 30}'
    for message in (calls(("propose_interval", hint), ("nope", "{")), calls(("submit_analysis", submitted))):
        answer = completion({"tool_calls": message}, prompt_tokens=1000, completion_tokens=50)
        httpserver.expect_ordered_request(PATH).respond_with_json(answer)
    world = over(httpserver)
    endpoint = a_planned_endpoint(world)
    assert look_around(world) == ["analysis_submitted"]
    (kept,) = analyses(world, endpoint)
    assert (kept.input_tokens, kept.output_tokens, kept.reasoning) == (2000, 100, "watch it")
    assert world.usage.of("acme", "2025-01-01").planner_tokens_today == 2100
    tool = json.loads(httpserver.log[1][0].data)["messages"][-1]
    assert tool["tool_call_id"] == "call_1" and "no tool 'nope'" in tool["content"]


def test_a_server_that_calls_for_ever_is_stopped_by_the_steps(httpserver: HTTPServer) -> None:
    looping = completion({"tool_calls": calls(("get_latest_response", "{}"))}, prompt_tokens=10, completion_tokens=1)
    httpserver.expect_request(PATH).respond_with_json(looping)
    world = over(httpserver)
    a_planned_endpoint(world)
    assert look_around(world) == ["analysis_steps_exhausted"] and len(httpserver.log) == 15


def test_a_server_that_counts_beyond_the_quota_is_asked_no_more_that_day(httpserver: HTTPServer) -> None:
    greedy = completion({"tool_calls": calls(("get_latest_response", "{}"))}, prompt_tokens=60_000, completion_tokens=1)
    httpserver.expect_request(PATH).respond_with_json(greedy)
    world = over(httpserver, tokens_per_day=50_000)
    endpoint = a_planned_endpoint(world, ManualBaseline())
    assert look_around(world) == ["analysis_quota_exhausted"]
    world.clock.sleep_until(world.clock.now() + 60 * MINUTE)
    assert look_around(world) == ["analysis_quota_exhausted"] and len(httpserver.log) == 1
    assert [each.input_tokens for each in analyses(world, endpoint)] == [0, 60_000]


def test_the_cause_of_a_wrong_key_is_in_the_record(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_json({"error": {"message": f"bad {KEY}"}}, status=401)
    world = over(httpserver)
    endpoint = a_planned_endpoint(world)
    assert look_around(world) == ["analysis_model_error"]
    (kept,) = analyses(world, endpoint)
    assert (kept.outcome, kept.fault) == (Outcome.MODEL_ERROR, ModelFault.UNAUTHORIZED)
    assert "check ModelKeyArn" in str(kept.error) and KEY not in str(kept)


# ------------------------------------------------------------------------------------------------- Bedrock


class Bedrock:
    """What botocore's client would give."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.asked, self.timeouts = answer, [], []  # type: ignore[var-annotated]

    def opened(self, timeout_s: float) -> "Bedrock":
        self.timeouts.append(timeout_s)
        return self

    def converse(self, **asked: Any) -> Any:
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_conversation_is_spelled_as_converse_wants_it() -> None:
    content = [{"text": "so"}, {"toolUse": {"toolUseId": "t1", "name": "clear_hints", "input": {"reason": "x"}}}]
    usage = {"inputTokens": 11, "outputTokens": 3}
    bedrock = Bedrock({"output": {"message": {"content": content}}, "usage": usage})
    given = BedrockModel("some.model", bedrock.opened).ask(question(timeout_ms=42_000))
    assert (given.text, given.tokens) == ("so", 14)
    assert given.calls == (ToolCall(call_id="t1", name="clear_hints", arguments={"reason": "x"}),)
    (asked,) = bedrock.asked
    assert bedrock.timeouts == [42.0] and asked["modelId"] == "some.model"
    assert asked["inferenceConfig"] == {"maxTokens": 800}
    assert [each["role"] for each in asked["messages"]] == ["user", "assistant", "user"]
    results = [part["toolResult"]["status"] for part in asked["messages"][2]["content"]]
    assert results == ["success", "error"]
    _validate(asked)


def _validate(asked: dict[str, Any]) -> None:
    """Against botocore's own description of the service."""
    from botocore.session import get_session
    from botocore.validate import ParamValidator

    service = get_session().get_service_model("bedrock-runtime")
    report = ParamValidator().validate(asked, service.operation_model("Converse").input_shape)
    assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        ("AccessDeniedException", ModelFault.UNAUTHORIZED),
        ("ThrottlingException", ModelFault.THROTTLED),
        ("ModelTimeoutException", ModelFault.TIMEOUT),
        ("ValidationException", ModelFault.REFUSED),
        ("ResourceNotFoundException", ModelFault.REFUSED),
        ("ModelErrorException", ModelFault.MALFORMED),
        ("ServiceUnavailableException", ModelFault.UNAVAILABLE),
        ("SomethingNew", ModelFault.UNAVAILABLE),
        (ReadTimeoutError(endpoint_url="x"), ModelFault.TIMEOUT),
        (EndpointConnectionError(endpoint_url="x"), ModelFault.UNAVAILABLE),
    ],
)
def test_what_bedrock_refuses_has_its_fault_and_not_its_words(error: Any, fault: ModelFault) -> None:
    if isinstance(error, str):
        error = ClientError({"Error": {"Code": error, "Message": f"you said {KEY}"}}, "Converse")
    failed = fault_of(BedrockModel("some.model", Bedrock(error).opened))
    assert failed.fault is fault and KEY not in str(failed)


@pytest.mark.parametrize("answer", [{}, {"output": None}, {"output": {"message": {"content": [{"text": "x"}]}}}])
def test_an_answer_of_bedrock_that_is_none_is_malformed(answer: Any) -> None:
    assert fault_of(BedrockModel("some.model", Bedrock(answer).opened)).fault is ModelFault.MALFORMED


# ------------------------------------------------------------------------------------------------- the key


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield


def opener() -> Any:
    from botocore.session import get_session

    return secrets.opener(get_session)


def test_a_key_is_read_in_the_region_where_it_is(aws: None) -> None:
    manager: Any = boto3.client("secretsmanager", region_name="us-west-2")
    arn = manager.create_secret(Name="model-key", SecretString=KEY)["ARN"]
    parameters: Any = boto3.client("ssm", region_name="us-west-2")
    parameters.put_parameter(Name="/model/key", Value=KEY, Type="SecureString")
    found = parameters.get_parameter(Name="/model/key")["Parameter"]["ARN"]
    assert StoredSecret(arn, opener()).read() == StoredSecret(found, opener()).read() == KEY


def test_a_key_is_read_from_either_store_remembered_for_minutes_and_read_anew_when_refused(aws: None) -> None:
    manager: Any = boto3.client("secretsmanager", region_name="eu-central-1")
    arn = manager.create_secret(Name="model-key", SecretString=f" {KEY}\n")["ARN"]
    parameters: Any = boto3.client("ssm", region_name="eu-central-1")
    parameters.put_parameter(Name="/model/key", Value=json.dumps({"apiKey": KEY}), Type="SecureString")
    found = parameters.get_parameter(Name="/model/key")["Parameter"]["ARN"]
    clock = [0.0]
    stored = StoredSecret(arn, opener(), lambda: clock[0])
    assert stored.read() == StoredSecret(found, opener()).read() == KEY
    manager.put_secret_value(SecretId=arn, SecretString="new")
    assert stored.read() == KEY
    clock[0] = 300
    assert stored.read() == "new"
    manager.put_secret_value(SecretId=arn, SecretString="newer")
    stored.forget()
    assert stored.read() == "newer"


@pytest.mark.parametrize("text", ["{}", '{"apiKey": 7}', "{oops", "two\nlines", "schlüssel"])
def test_a_secret_without_a_key_says_what_is_wanted_and_not_what_it_is(aws: None, text: str) -> None:
    manager: Any = boto3.client("secretsmanager", region_name="eu-central-1")
    arn = manager.create_secret(Name="model-key", SecretString=text)["ARN"]
    with pytest.raises(ValueError, match="apiKey") as refused:
        StoredSecret(arn, opener()).read()
    assert text not in str(refused.value)
