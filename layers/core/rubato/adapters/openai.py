"""Models behind any OpenAI-compatible URL: chat completions with tools.

It calls through the outbound adapter of targets, which bounds the whole exchange by one deadline, cuts long answers,
pins the checked address and follows no redirect when told so: a model's server is trusted as little as a target.
"""

import json
from collections.abc import Iterator
from typing import Any, Protocol

from rubato.domain.addresses import Networks, opens_loopback
from rubato.domain.conversation import (
    Answer,
    Briefing,
    ModelFailed,
    ModelFault,
    Question,
    ToolCall,
    Turn,
    size_of,
    tokens_of,
)
from rubato.domain.errors import Invalid
from rubato.domain.exchange import Call, ErrorKind, Reply
from rubato.domain.targets import Target, check_url
from rubato.ports import Outbound

_MAX_ANSWER_BYTES = 262_144
_LONGEST_WAIT_S = 3_600
_PATH = "/chat/completions"
# This one has a name of its own for the bound on an answer, and refuses the one that all others know.
_NEWER_HOST = "api.openai.com"
Json = dict[str, Any]


class Secret(Protocol):
    """Where the key comes from."""

    def read(self) -> str:
        """The key."""
        ...

    def forget(self) -> None:
        """It was refused."""
        ...


class OpenAiModel:
    """Implements ports.Model. `url` ends before /chat/completions; in `allowed` ranges it may begin with http."""

    def __init__(
        self, url: str, model: str, outbound: Outbound, allowed: Networks = (), key: Secret | None = None
    ) -> None:
        self._url, self._model, self._outbound = url.rstrip("/") + _PATH, model, outbound
        self._allowed, self._key = allowed, key

    def ask(self, question: Question) -> Answer:
        """One POST."""
        target = self._target()
        reply = self._outbound.send(
            Call(
                method="POST",
                url=self._url,
                headers=self._headers(),
                body=json.dumps(self._body(question, target)).encode(),
                timeout_ms=max(question.timeout_ms, 1),
                max_response_bytes=_MAX_ANSWER_BYTES,
                follow_redirects=False,
            )
        )
        if reply.status_code in (401, 403) and self._key is not None:
            self._key.forget()
        _check(reply)
        return _answer(_read(reply), question)

    def _target(self) -> Target:
        try:
            target = check_url(self._url, self._allowed)
        except Invalid as refused:
            raise ModelFailed(ModelFault.UNAVAILABLE, f"ModelUrl can't be called: {refused}") from refused
        is_own = target.address is not None or (target.host == "localhost" and opens_loopback(self._allowed))
        if target.scheme != "https" and not (is_own and self._allowed):
            raise ModelFailed(ModelFault.UNAVAILABLE, "ModelUrl must begin with https://; the key would travel openly")
        return target

    def _headers(self) -> tuple[tuple[str, str], ...]:
        headers = (("Content-Type", "application/json"), ("Accept", "application/json"))
        return headers if self._key is None else (*headers, ("Authorization", f"Bearer {_key(self._key)}"))

    def _body(self, question: Question, target: Target) -> Json:
        bound = "max_completion_tokens" if target.host == _NEWER_HOST else "max_tokens"
        return {
            "model": self._model,
            "messages": [{"role": "system", "content": question.system}, *_messages(question.turns)],
            "tools": [
                {
                    "type": "function",
                    "function": {"name": tool.name, "description": tool.description, "parameters": tool.schema},
                }
                for tool in question.tools
            ],
            bound: question.max_output_tokens,
        }


def _key(secret: Secret) -> str:
    try:
        return secret.read()
    except Exception as error:  # noqa: BLE001 - whatever it is, the model can't be asked, and the analysis says why
        raise ModelFailed(ModelFault.UNAUTHORIZED, f"the key can't be read: {type(error).__name__}") from None


def _messages(turns: tuple[Turn, ...]) -> Iterator[Json]:
    for turn in turns:
        if isinstance(turn, Briefing):
            yield {"role": "user", "content": turn.text}
        elif isinstance(turn, Answer):
            yield {"role": "assistant", "content": turn.text or None, "tool_calls": [_spell(c) for c in turn.calls]}
        else:
            for each in turn.results:
                yield {"role": "tool", "tool_call_id": each.call_id, "content": each.text}


def _spell(call: ToolCall) -> Json:
    function = {"name": call.name, "arguments": json.dumps(call.arguments or {})}
    return {"id": call.call_id, "type": "function", "function": function}


def _check(reply: Reply) -> None:
    """Raise ModelFailed unless it is an answer. The server's own words stay out: they may quote the key."""
    status = reply.status_code
    if status is None:
        fault = ModelFault.TIMEOUT if reply.error_kind is ErrorKind.TIMEOUT else ModelFault.UNAVAILABLE
        raise ModelFailed(fault, f"the model could not be reached: {reply.error_message}")
    if 200 <= status < 300:
        return
    if status in (401, 403):
        raise ModelFailed(ModelFault.UNAUTHORIZED, f"the model refused the key (status {status}); check ModelKeyArn")
    if status == 429:
        raise ModelFailed(ModelFault.THROTTLED, "the model asked to slow down (status 429)", _wait_s(reply))
    if status == 408 or status >= 500:
        raise ModelFailed(ModelFault.UNAVAILABLE, f"the model is in trouble (status {status})", _wait_s(reply))
    raise ModelFailed(ModelFault.REFUSED, f"the model refused the request (status {status}); check ModelId, ModelUrl")


def _wait_s(reply: Reply) -> int | None:
    """Retry-After in seconds; a date, or nonsense, counts as none."""
    text = next((value for name, value in reply.headers if name.lower() == "retry-after"), "").strip()
    return min(int(text), _LONGEST_WAIT_S) if text.isascii() and text.isdecimal() and len(text) < 9 else None


def _read(reply: Reply) -> Json:
    try:
        plain = json.loads(reply.body)
    except (ValueError, RecursionError):
        plain = None
    if reply.truncated or not isinstance(plain, dict):
        raise ModelFailed(ModelFault.MALFORMED, "the model's answer is not JSON, or too long")
    return plain


def _answer(plain: Json, question: Question) -> Answer:
    try:
        message = plain["choices"][0]["message"]
        text, calls = message.get("content"), message.get("tool_calls")
        read = tuple(_call(each, n) for n, each in enumerate(calls or ()))
    except (AttributeError, IndexError, KeyError, TypeError):
        raise ModelFailed(ModelFault.MALFORMED, "the model's answer is no chat completion") from None
    spent = plain.get("usage")
    usage: Json = spent if isinstance(spent, dict) else {}
    return Answer(
        text=text if isinstance(text, str) else "",
        calls=read,
        input_tokens=_count(usage.get("prompt_tokens"), size_of(question) - question.max_output_tokens),
        output_tokens=_count(usage.get("completion_tokens"), tokens_of(_written(text, calls))),
    )


def _written(text: Any, calls: Any) -> str:
    """All that the model wrote, for an estimate of its tokens."""
    return f"{text or ''}{json.dumps(calls) if calls else ''}"


def _call(plain: Json, number: int) -> ToolCall:
    function = plain["function"]
    name, identifier = function.get("name"), plain.get("id")
    return ToolCall(
        call_id=identifier if isinstance(identifier, str) and identifier else f"call_{number}",
        name=name if isinstance(name, str) else "",
        arguments=_arguments(function.get("arguments")),
    )


def _arguments(given: Any) -> Json | None:
    """Some servers give an object instead of its text, and nothing instead of an empty one."""
    if isinstance(given, str):
        try:
            given = json.loads(given or "{}")
        except (ValueError, RecursionError):
            return None
    return given if isinstance(given, dict) else None


def _count(given: Any, estimate: int) -> int:
    """As the provider counts; by estimate where it does not."""
    is_count = isinstance(given, int) and not isinstance(given, bool) and given >= 0
    return given if is_count else estimate
