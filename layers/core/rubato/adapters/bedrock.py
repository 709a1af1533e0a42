"""Models of Amazon Bedrock through Converse, over botocore."""

from collections.abc import Callable
from typing import Any

from rubato.domain.conversation import (
    Answer,
    Briefing,
    ModelFailed,
    ModelFault,
    Question,
    ToolCall,
    ToolResult,
    Turn,
)
from rubato.domain.instant import SECOND

_CONNECT_TIMEOUT_S = 3
Json = dict[str, Any]

_FAULTS = {
    "AccessDeniedException": ModelFault.UNAUTHORIZED,
    "UnrecognizedClientException": ModelFault.UNAUTHORIZED,
    "ExpiredTokenException": ModelFault.UNAUTHORIZED,
    "ThrottlingException": ModelFault.THROTTLED,
    "ServiceQuotaExceededException": ModelFault.THROTTLED,
    "ModelTimeoutException": ModelFault.TIMEOUT,
    "ValidationException": ModelFault.REFUSED,
    "ResourceNotFoundException": ModelFault.REFUSED,
    "ModelErrorException": ModelFault.MALFORMED,
}


class BedrockModel:
    """Implements ports.Model. `open_client` takes a timeout in seconds: each call has what is left of its analysis."""

    def __init__(self, model: str, open_client: Callable[[float], Any]) -> None:
        self._model, self._open_client = model, open_client

    def ask(self, question: Question) -> Answer:
        """One Converse."""
        from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError

        try:
            client = self._open_client(max(question.timeout_ms, SECOND) / SECOND)
            given = client.converse(modelId=self._model, **_request(question))
        except (ReadTimeoutError, ConnectTimeoutError):
            raise ModelFailed(ModelFault.TIMEOUT, "Bedrock gave no answer in time") from None
        except ClientError as error:
            raise _refused(error) from None
        except BotoCoreError as error:
            raise ModelFailed(ModelFault.UNAVAILABLE, f"Bedrock could not be reached: {type(error).__name__}") from None
        return _answer(given)


def _refused(error: Any) -> ModelFailed:
    """Named by its code alone: the words of the service may quote what was sent."""
    code = str((error.response.get("Error") or {}).get("Code") or "")
    return ModelFailed(_FAULTS.get(code, ModelFault.UNAVAILABLE), f"Bedrock refused: {code[:64]}")


def _request(question: Question) -> Json:
    return {
        "system": [{"text": question.system}],
        "messages": [_message(turn) for turn in question.turns],
        "inferenceConfig": {"maxTokens": question.max_output_tokens},
        "toolConfig": {
            "tools": [
                {
                    "toolSpec": {
                        "name": tool.name,
                        "description": tool.description,
                        "inputSchema": {"json": tool.schema},
                    }
                }
                for tool in question.tools
            ]
        },
    }


def _message(turn: Turn) -> Json:
    if isinstance(turn, Briefing):
        return {"role": "user", "content": [{"text": turn.text}]}
    if isinstance(turn, Answer):
        text = [{"text": turn.text}] if turn.text.strip() else []
        return {"role": "assistant", "content": [*text, *map(_spell, turn.calls)]}
    return {"role": "user", "content": [_result(each) for each in turn.results]}


def _spell(call: ToolCall) -> Json:
    return {"toolUse": {"toolUseId": call.call_id, "name": call.name or "unnamed", "input": call.arguments or {}}}


def _result(result: ToolResult) -> Json:
    status = "error" if result.is_error else "success"
    return {"toolResult": {"toolUseId": result.call_id, "content": [{"text": result.text}], "status": status}}


def _answer(given: Json) -> Answer:
    try:
        content = given["output"]["message"]["content"]
        calls = [part["toolUse"] for part in content if "toolUse" in part]
        return Answer(
            text="".join(part.get("text") or "" for part in content),
            calls=tuple(ToolCall(call_id=c["toolUseId"], name=c["name"], arguments=_object(c["input"])) for c in calls),
            input_tokens=int(given["usage"]["inputTokens"]),
            output_tokens=int(given["usage"]["outputTokens"]),
        )
    except (AttributeError, KeyError, TypeError):
        raise ModelFailed(ModelFault.MALFORMED, "Bedrock's answer is no message") from None


def _object(given: Any) -> Json | None:
    return given if isinstance(given, dict) else None


def opener(region: str | None, session: Callable[[], Any]) -> Callable[[float], Any]:
    """Opens a client that waits so many seconds for an answer. Tries nothing twice: the next look does."""

    def open_client(timeout_s: float) -> Any:
        from botocore.config import Config

        config = Config(
            connect_timeout=min(_CONNECT_TIMEOUT_S, timeout_s),
            read_timeout=timeout_s,
            retries={"total_max_attempts": 1, "mode": "standard"},
        )
        return session().create_client("bedrock-runtime", region_name=region, config=config)

    return open_client
