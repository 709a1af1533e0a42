"""The record of a run: what was asked, what came back, and whether it counts as a success."""

from dataclasses import dataclass

from rubato.domain.endpoint import RunStatus, Source
from rubato.domain.errors import Invalid
from rubato.domain.exchange import Attempt, ErrorKind, Headers, Reply
from rubato.domain.hints import Hint


@dataclass(frozen=True, slots=True, kw_only=True)
class SentRequest:
    """The request as sent; header values that may be secret are masked before it gets here."""

    method: str
    url: str
    headers: Headers
    body: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedResponse:
    """The response as received; `body` is text (undecodable bytes replaced), cut at maxResponseBytes."""

    status_code: int
    headers: Headers
    body: str
    truncated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run, of one or more attempts. Times in ms since the epoch; lateness = started_at - due_at, never negative.

    `is_late`: its holder had lost the lease, and no other record of the run exists yet; it decides nothing.
    `hint` is the hint of `hint_id` as it stood when the run was made; hints themselves come and go.
    """

    run_id: str
    tenant_id: str
    job_id: str
    endpoint_id: str
    slot: int
    due_at: int
    source: Source
    status: RunStatus
    started_at: int | None
    attempt: int = 1
    finished_at: int | None = None
    hint_id: str | None = None
    hint: Hint | None = None
    error_kind: ErrorKind | None = None
    error_message: str | None = None
    status_code: int | None = None
    attempts: tuple[Attempt, ...] = ()
    request: SentRequest | None = None
    response: ReceivedResponse | None = None
    is_late: bool = False

    @property
    def lateness_ms(self) -> int | None:
        """How long after its due time the first call began; None before it."""
        return None if self.started_at is None else max(self.started_at - self.due_at, 0)

    @property
    def duration_ms(self) -> int | None:
        """From the first call to the end of the last; None while running."""
        if self.finished_at is None or self.started_at is None:
            return None
        return max(self.finished_at - self.started_at, 0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a reply counts."""

    status: RunStatus
    error_kind: ErrorKind | None = None
    error_message: str | None = None


def judge(reply: Reply, success_codes: tuple[str, ...]) -> Verdict:
    """Success when the status is among the codes; else the error kind says why not."""
    if reply.error_kind is not None:
        return Verdict(RunStatus.FAILURE, reply.error_kind, reply.error_message)
    code = reply.status_code
    if code is not None and any(low <= code <= high for low, high in map(code_range, success_codes)):
        return Verdict(RunStatus.SUCCESS)
    return Verdict(RunStatus.FAILURE, ErrorKind.HTTP_STATUS, f"status {code} is not among {', '.join(success_codes)}")


def code_range(text: str, path: str = "successCodes") -> tuple[int, int]:
    """`200` or `200-299` as inclusive bounds; raises Invalid for anything else."""
    low_text, dash, high_text = text.partition("-")
    if text.isascii() and low_text.isdecimal() and (high_text.isdecimal() or not dash):
        low, high = int(low_text), int(high_text or low_text)
        if 100 <= low <= high <= 599:
            return low, high
    raise Invalid.field(path, f"{text!r} is no status code or range; write 200 or 200-299, within 100-599")
