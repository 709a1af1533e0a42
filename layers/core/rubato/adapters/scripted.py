"""A model that plays a part: for tests, simulations and trying things out without one."""

from collections.abc import Callable, Iterable
from typing import Any

from rubato.domain.conversation import Answer, Question, ToolCall, size_of, tokens_of

Line = Callable[[Question], Answer]


class ScriptedModel:
    """Implements ports.Model: each question is answered by the next line of the script, the last one stays.

    A line is an answer, a function of the question that gives one, or an exception to raise. `asked` keeps what was
    asked.
    """

    def __init__(self, *script: Answer | Line | Exception) -> None:
        self._script = script or (submit(),)
        self.asked: list[Question] = []

    def ask(self, question: Question) -> Answer:
        """The next line."""
        line = self._script[min(len(self.asked), len(self._script) - 1)]
        self.asked.append(question)
        if isinstance(line, Exception):
            raise line
        given = line if isinstance(line, Answer) else line(question)
        return given if given.tokens else _counted(given, question)


def calling(*calls: tuple[str, dict[str, Any] | None], text: str = "", **counts: int) -> Answer:
    """An answer that calls these tools with these arguments."""
    made = tuple(ToolCall(call_id=f"call_{n}", name=name, arguments=given) for n, (name, given) in enumerate(calls))
    return Answer(text=text, calls=made, **counts)


def submit(reasoning: str = "nothing to do", confidence: float = 0.5, minutes: int = 60) -> Answer:
    """An answer that ends the analysis."""
    given = {"reasoning": reasoning, "confidence": confidence, "nextAnalysisIn": minutes}
    return calling(("submit_analysis", given))


def _counted(answer: Answer, question: Question) -> Answer:
    said: Iterable[str] = (answer.text, *(f"{call.name}{call.arguments}" for call in answer.calls))
    return Answer(
        text=answer.text,
        calls=answer.calls,
        input_tokens=size_of(question) - question.max_output_tokens,
        output_tokens=max(tokens_of("".join(said)), 1),
    )
