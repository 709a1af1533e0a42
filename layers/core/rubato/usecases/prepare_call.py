"""From a composed call to what goes out: secrets in their places, and signed. What is missing forbids the call."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rubato.domain import secrets, signing
from rubato.domain.compose import compose
from rubato.domain.endpoint import Endpoint
from rubato.domain.errors import Invalid, RubatoError, Unreadable
from rubato.domain.exchange import Call, ErrorKind, Reply
from rubato.domain.hosts import ANYWHERE
from rubato.domain.placeholders import fill, names_in_call, names_in_request
from rubato.domain.secrets import Kept
from rubato.domain.signing import SignedBy
from rubato.ports import Outbound, World

_SEE = "see docs/operations.md"


class _Refused(RubatoError):
    """The call can't be made; the text is for the owner, `may_pass` and `is_outage` as in a Reply."""

    def __init__(self, message: str, *, may_pass: bool = False, is_outage: bool = False) -> None:
        super().__init__(message)
        self.may_pass, self.is_outage = may_pass, is_outage


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A call that is ready, or why it must not be made.

    `shown` is what records may tell of it: with placeholders where `call` has values.
    """

    shown: Call
    call: Call
    values: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    refusal: Reply | None = None

    def signed(self, message_id: str, at_ms: int) -> "Prepared":
        """With the headers of a signature by every key; the same when there is none."""
        if not self.keys:
            return self
        headers = signing.signature_headers(message_id, at_ms, self.call.body or b"", self.keys)
        # A signature can be replayed for some minutes: it is hidden, too, where a target repeats it.
        signatures = headers[-1][1].replace("v1,", "").split(" ")
        return replace(
            self,
            shown=_carrying(self.shown, headers),
            call=_carrying(self.call, headers),
            values=(*self.values, *signatures),
        )

    def send(self, outbound: Outbound) -> Reply:
        """What came of it, with every value hidden; without calling anybody when there is a refusal."""
        if self.refusal is not None:
            return self.refusal
        reply = outbound.send(self.call)
        return _masked(reply, self.values) if self.values else reply


def _masked(reply: Reply, values: tuple[str, ...]) -> Reply:
    # NOTE: imported late: its tables of spellings are for those runs alone that have something to hide.
    from rubato.domain.mask import Mask

    return Mask(values).reply(reply)


def prepare_call(world: World, endpoint: Endpoint, call: Call) -> Prepared:
    """Read what the call needs from the vault: nothing for a call without secrets of an endpoint without keys."""
    try:
        kept = _secrets(world, endpoint, call)
        keys = _keys(world, endpoint)
        values = {name: each.value for name, each in kept.items()}
        filled = fill(call, values, is_json=not isinstance(endpoint.config.request.body, str)) if values else call
    except Invalid as refused:
        return Prepared(shown=call, call=call, refusal=_refusal(str(refused)))
    except _Refused as refused:
        return Prepared(shown=call, call=call, refusal=_refusal(str(refused), refused.may_pass, refused.is_outage))
    return Prepared(shown=call, call=_bound(filled, kept), values=tuple(values.values()), keys=keys)


def _refusal(reason: str, may_pass: bool = False, is_outage: bool = False) -> Reply:
    return Reply(
        duration_ms=0, error_kind=ErrorKind.CONFIG, error_message=reason, may_pass=may_pass, is_outage=is_outage
    )


def look_ahead(world: World, endpoint: Endpoint) -> None:
    """Have at hand what the claimed run needs, while there is time; what fails here is told by the attempt itself."""
    claim = endpoint.state.claim
    if claim is not None and (endpoint.state.signed_by is not None or names_in_request(endpoint.config.request)):
        prepare_call(world, endpoint, compose(endpoint.config, claim))


def _secrets(world: World, endpoint: Endpoint, call: Call) -> Mapping[str, Kept]:
    names = names_in_call(call)
    if not names:
        return {}
    job_id = endpoint.config.job_id
    try:
        texts = world.vault.read(secrets.shelf(job_id), sorted(names))
    except Unreadable as error:
        raise _unread("the job's secrets", error) from error
    missing = sorted(names - texts.keys())
    if missing:
        told = ", ".join(missing)
        raise _Refused(
            f"the job has no secret {told}; put it with PUT /jobs/{job_id}/secrets/{missing[0]},"
            " or take it out of the request"
        )
    found = {name: _kept(name, text, job_id) for name, text in texts.items()}
    reasons = (secrets.why_not_to(call.url, name, found[name].hosts, job_id) for name in sorted(names))
    refused = "; ".join(filter(None, reasons))
    if refused:
        raise _Refused(refused)
    return found


def _kept(name: str, text: str, job_id: str) -> Kept:
    try:
        return Kept.from_text(text)
    except Unreadable as error:
        raise _Refused(
            f"what is kept of the secret {name} is broken; put it again: PUT /jobs/{job_id}/secrets/{name}"
        ) from error


def _bound(call: Call, kept: Mapping[str, Kept]) -> Call:
    bound = tuple(each.hosts for each in kept.values() if each.hosts != ANYWHERE)
    return replace(call, bound=bound) if bound else call


def _keys(world: World, endpoint: Endpoint) -> tuple[str, ...]:
    signer = endpoint.state.signed_by
    if signer is None:
        return ()
    told, signers = f"the signing key of the {signer.value}", endpoint.state.signers
    holder = endpoint.id if signer is SignedBy.ENDPOINT else None
    try:
        found = world.vault.read(signing.shelf(endpoint.config.tenant_id, holder), signers)
    except Unreadable as error:
        raise _unread(told, error) from error
    if not all(map(signing.is_secret, found.values())):
        raise _Refused(f"{told} is none; {_SEE}")
    if not found:
        # One that is quite new may not be everywhere yet, and one that was deleted is about to be taken away here.
        raise _Refused(f"{told} is gone; {_SEE}", may_pass=True)
    return tuple(found[key_id] for key_id in reversed(signers) if key_id in found)


def _unread(what: str, error: Unreadable) -> _Refused:
    return _Refused(f"{what} can't be read ({error}); {_SEE}", may_pass=True, is_outage=True)


def _carrying(call: Call, headers: tuple[tuple[str, str], ...]) -> Call:
    return replace(call, headers=(*signing.without_signature(call.headers), *headers))
