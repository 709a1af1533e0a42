"""Every refusal that Rubato can give, as one tree; each error writes its own message.

RubatoError
+-- Invalid (ValueError)         the input breaks a rule; names each field            422
+-- Malformed (ValueError)       the input can't be read at all                       400
+-- Unauthenticated              no key, or one that is not valid                     401
+-- Forbidden (PermissionError)  the key lacks a scope, or its budget excludes it     403
+-- NotFound (LookupError)       unknown, deleted, or another tenant's                404
+-- Conflict                     a duplicate name, a run in flight                    409
+-- StaleVersion                 the caller's version is not the stored one           412
+-- LimitReached                 a quota or rate                                      429
+-- Unavailable                  nothing was changed, and trying again may help       503
+-- Unreadable                   the vault does not give what is in it                (inside only)
+-- WriteRaced                   a conditional write lost; re-read and decide again   (inside only)
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One broken rule: `path` is the field in the caller's spelling (`clamp.minIntervalMs`), `message` the remedy."""

    path: str
    message: str


class RubatoError(Exception):
    """Base of every refusal; `code` is stable and machine-readable.

    `retry_after_s`, where there is one, is in how many seconds the same request may succeed.
    """

    code = "error"
    retry_after_s: int | None = None


class Invalid(RubatoError, ValueError):
    """The input breaks one or more rules, each named with its field."""

    code = "invalid"

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(f"{e.path}: {e.message}" if e.path else e.message for e in errors))
        self.errors = errors

    @classmethod
    def field(cls, path: str, message: str) -> "Invalid":
        """The common case: one field, one message."""
        return cls(FieldError(path, message))


class Malformed(RubatoError, ValueError):
    """The input can't be read: not JSON, or a cursor that this service did not issue."""

    code = "malformed"


class Unauthenticated(RubatoError):
    """The request carries no valid API key."""

    code = "unauthenticated"


class Forbidden(RubatoError, PermissionError):
    """The key is valid but may not do this."""

    code = "forbidden"

    @classmethod
    def lacks(cls, scopes: str) -> "Forbidden":
        """The common case: scopes are missing."""
        return cls(f"this key lacks the scope {scopes}; ask for a key that has it")


class NotFound(RubatoError, LookupError):
    """Unknown, deleted and foreign look the same from outside."""

    code = "not_found"

    def __init__(self, kind: str, identifier: str) -> None:
        super().__init__(f"no {kind} {identifier!r}")


class Conflict(RubatoError):
    """The request contradicts what is stored; the message says what to do."""

    code = "conflict"

    def __init__(self, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StaleVersion(RubatoError):
    """If-Match named a version that is no longer the stored one."""

    code = "precondition_failed"


class LimitReached(RubatoError):
    """A quota or rate is used up; `retry_after_s` seconds until it may work again."""

    code = "limit_reached"

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(RubatoError):
    """What has to be known for certain before a change can't be known now; `retry_after_s` as for LimitReached."""

    code = "unavailable"

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unreadable(RubatoError):
    """The vault can't be read; the text is the type or AWS's code of what went wrong, never a value."""

    code = "unreadable"


class WriteRaced(RubatoError):
    """A conditional write found another version; the caller re-reads and decides again."""

    code = "write_raced"
