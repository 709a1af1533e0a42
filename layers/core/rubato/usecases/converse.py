"""The conversation of one analysis: ask the model, do what it calls, until it submits or a bound is reached."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from rubato.domain.analysis import (
    MAX_ANSWER_TOKENS,
    MAX_DURATION_MS,
    MAX_OUTPUT_TOKENS,
    Analysis,
    Outcome,
    ToolUse,
    cut,
)
from rubato.domain.briefing import SYSTEM
from rubato.domain.conversation import (
    Answer,
    Briefing,
    ModelFailed,
    ModelFault,
    Question,
    Results,
    ToolCall,
    ToolResult,
    Turn,
    bounded,
)
from rubato.domain.instant import MINUTE, SECOND
from rubato.domain.planner_tools import MAX_REASONING, MAX_STEPS, SUBMIT, TOOLS
from rubato.ports import World
from rubato.usecases.guard_tokens import NoTokensLeft, ask_within_quota

# Less is not worth asking for.
_LEAST_MS = SECOND
_MAX_ARGUMENTS = 1_000
_MAX_RESULT = 1_500
_MAX_ERROR = 300

UseTool = Callable[[ToolCall], ToolResult]


@dataclass(slots=True)
class _Talk:
    """Where the conversation stands."""

    analysis: Analysis
    turns: tuple[Turn, ...]
    deadline: int

    @property
    def steps_left(self) -> int:
        return MAX_STEPS - len(self.analysis.calls)

    def note(self, call: ToolCall, result: ToolResult) -> None:
        use = ToolUse(
            name=call.name,
            arguments=cut(json.dumps(call.arguments, ensure_ascii=False, default=str), _MAX_ARGUMENTS),
            result=cut(result.text, _MAX_RESULT),
            is_error=result.is_error,
        )
        self.analysis = replace(self.analysis, calls=(*self.analysis.calls, use))

    def ended(self, outcome: Outcome, error: str | None = None, **more: object) -> Analysis:
        return replace(self.analysis, outcome=outcome, error=cut(error, _MAX_ERROR) if error else None, **more)  # type: ignore[arg-type]


def converse(world: World, analysis: Analysis, briefing: str, use_tool: UseTool) -> Analysis:
    """The analysis with its outcome and all that led to it. Raises only what the store raises."""
    deadline = analysis.started_at + MAX_DURATION_MS
    talk = _Talk(analysis, (Briefing(text=briefing),), deadline)
    while True:
        bound = _bound(world, talk)
        if bound is not None:
            return talk.ended(bound)
        try:
            answer = _ask(world, talk)
        except NoTokensLeft as refused:
            return talk.ended(Outcome.QUOTA_EXHAUSTED, str(refused))
        except ModelFailed as failed:
            return _failed(talk, failed)
        end = _obey(world, talk, answer, use_tool)
        if end is not None:
            return end


def _bound(world: World, talk: _Talk) -> Outcome | None:
    """Which of the bounds is reached, if any."""
    if talk.steps_left <= 0:
        return Outcome.STEPS_EXHAUSTED
    if talk.analysis.output_tokens >= MAX_OUTPUT_TOKENS:
        return Outcome.TOKENS_EXHAUSTED
    return Outcome.TIMEOUT if world.clock.now() + _LEAST_MS > talk.deadline else None


def _ask(world: World, talk: _Talk) -> Answer:
    question = Question(
        system=SYSTEM,
        turns=talk.turns,
        tools=TOOLS,
        max_output_tokens=min(MAX_OUTPUT_TOKENS - talk.analysis.output_tokens, MAX_ANSWER_TOKENS),
        timeout_ms=talk.deadline - world.clock.now(),
    )
    answer = bounded(ask_within_quota(world, talk.analysis.tenant_id, question))
    talk.analysis = replace(
        talk.analysis,
        input_tokens=talk.analysis.input_tokens + answer.input_tokens,
        output_tokens=talk.analysis.output_tokens + answer.output_tokens,
    )
    return answer


def _failed(talk: _Talk, failed: ModelFailed) -> Analysis:
    """A model that answered before, and not within what was left, has run out of time; else it is in trouble."""
    is_slow = failed.fault is ModelFault.TIMEOUT and talk.analysis.calls
    outcome = Outcome.TIMEOUT if is_slow else Outcome.MODEL_ERROR
    return talk.ended(outcome, str(failed), fault=failed.fault, retry_after_s=failed.retry_after_s)


def _obey(world: World, talk: _Talk, answer: Answer, use_tool: UseTool) -> Analysis | None:
    """Do what the answer calls for, in its order; gives the analysis when that was its end."""
    if not answer.calls:
        return talk.ended(Outcome.NO_SUBMIT, reasoning=answer.text[:MAX_REASONING] or None)
    results: list[ToolResult] = []
    for number, call in enumerate(answer.calls):
        if talk.steps_left <= 0 or world.clock.now() >= talk.deadline:
            outcome = Outcome.STEPS_EXHAUSTED if talk.steps_left <= 0 else Outcome.TIMEOUT
            return talk.ended(outcome, ignored_calls=len(answer.calls) - number)
        results.append(use_tool(call))
        talk.note(call, results[-1])
        if call.name == SUBMIT.name and not results[-1].is_error:
            return _submitted(talk, call, len(answer.calls) - number - 1)
    talk.turns = (*talk.turns, answer, Results(results=tuple(results)))
    return None


def _submitted(talk: _Talk, call: ToolCall, ignored: int) -> Analysis:
    given = call.arguments
    assert given is not None
    return talk.ended(
        Outcome.SUBMITTED,
        reasoning=given["reasoning"],
        confidence=float(given["confidence"]),
        next_analysis_in_ms=given["nextAnalysisIn"] * MINUTE,
        ignored_calls=ignored,
    )
