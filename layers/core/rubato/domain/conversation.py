"""A conversation with a model, as values: what is said, which tools it may call, what it answers and costs."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from rubato.domain.errors import RubatoError

# The usual rule of thumb for English and JSON. It decides what is reserved before a call, never what is counted after.
BYTES_PER_TOKEN = 4
_MAX_TEXT, _MAX_ARGUMENTS, _MAX_NAME, _MAX_ID = 16_000, 8_000, 64, 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Something that the model may call. `schema` is the JSON Schema of its arguments, an object."""

    name: str
    description: str
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """What the model wants done. `arguments` is None when they could not be read as a JSON object."""

    call_id: str
    name: str
    arguments: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What the model is told of a call of its own, as text."""

    call_id: str
    text: str
    is_error: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Briefing:
    """What is said first."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the model says: text, calls, or both. Tokens as the provider counts them."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def tokens(self) -> int:
        """In and out."""
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What became of the calls of the answer before, one for each."""

    results: tuple[ToolResult, ...]


Turn = Briefing | Answer | Results


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One call of a model, with all that was said before. The answer must be whole within `timeout_ms`."""

    system: str
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...]
    max_output_tokens: int
    timeout_ms: int


class ModelFault(StrEnum):
    """Why a model gave no answer; the names are part of the public API.

    refused: the provider would not take the request as it is, say for a model that it does not know; malformed: there
    was an answer, and it could not be read.
    """

    UNAUTHORIZED = "unauthorized"
    REFUSED = "refused"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"
    MALFORMED = "malformed"


class ModelFailed(RubatoError):
    """The model gave no answer. The message is safe to show: it quotes neither the key nor what was said.

    `retry_after_s` is what the provider asked for, if it did.
    """

    code = "model_failed"

    def __init__(self, fault: ModelFault, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.fault = fault
        self.retry_after_s = retry_after_s


def tokens_of(text: str) -> int:
    """An estimate, rounded up."""
    return -(-len(text.encode(errors="replace")) // BYTES_PER_TOKEN)


def size_of(question: Question) -> int:
    """The tokens that the question may cost at most, by estimate: all that is sent, and the longest answer."""
    tools = "".join(f"{tool.name}{tool.description}{tool.schema}" for tool in question.tools)
    said = "".join(map(_text_of, question.turns))
    return tokens_of(question.system + tools + said) + question.max_output_tokens


def _text_of(turn: Turn) -> str:
    if isinstance(turn, Briefing):
        return turn.text
    if isinstance(turn, Answer):
        return turn.text + "".join(f"{call.name}{call.arguments}" for call in turn.calls)
    return "".join(result.text for result in turn.results)


def bounded(answer: Answer) -> Answer:
    """What a model may say at most: beyond that, arguments count as unreadable, and the rest is cut."""
    calls = tuple(
        ToolCall(
            call_id=call.call_id[:_MAX_ID],
            name=call.name[:_MAX_NAME],
            arguments=call.arguments if len(str(call.arguments)) <= _MAX_ARGUMENTS else None,
        )
        for call in answer.calls
    )
    return replace(answer, text=answer.text[:_MAX_TEXT], calls=calls)
