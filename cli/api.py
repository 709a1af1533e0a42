"""Rubato's API, as the commands use it."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
import typer

from cli.drawing.attribution import plain
from cli.trouble import Trouble, Unreachable

Url = Annotated[str, typer.Option(envvar="RUBATO_URL", help="Base of the API: the output ApiUrl of the stack.")]
Key = Annotated[str, typer.Option(envvar="RUBATO_API_KEY", help="API key; `rubato keys create` makes one.")]

_LETS_NOBODY_IN = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
_TIMEOUT_S = 30.0  # as long as API Gateway waits for the function


class Refusal(Trouble):
    """The API answered with an error; `status` is its code."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
        if status in _LETS_NOBODY_IN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.exit_code = Unreachable.exit_code


class Api:
    """A client that turns refusals into Trouble. Close it, or use it as a context. `transport`: another than HTTP."""

    def __init__(self, url: str, key: str, transport: httpx.BaseTransport | None = None) -> None:
        """Raises Trouble for what can't be the URL of an API or a key."""
        self.url = url.rstrip("/")
        if not (key.isascii() and key.isprintable()):
            # A client would refuse it too, and repeat it in the message.
            raise Trouble("the API key has letters that no key has, such as a line break; look at RUBATO_API_KEY")
        try:
            self._client = httpx.Client(
                base_url=self.url,
                headers={"x-api-key": key},
                timeout=_TIMEOUT_S,
                trust_env=not is_loopback(url),
                transport=transport,
            )
        except (ValueError, httpx.InvalidURL) as error:
            raise Unreachable(f"{self._is_no_api()} ({error})") from None

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def call(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None, **query: Any
    ) -> dict[str, Any]:
        """The answer's JSON; raises Trouble when there is none, Refusal when it is an error.

        With an Idempotency-Key among the headers, a request whose answer was lost is sent once more.
        """
        try:
            answer = self._request(method, path, body, headers or {}, query)
        except httpx.HTTPError as error:
            raise Unreachable(f"{self.url} can't be reached ({type(error).__name__}: {error}); is it up?") from error
        except httpx.InvalidURL as error:
            raise Trouble(f"{path!r} can't be asked for: {error}") from None
        if answer.is_error:
            raise Refusal(f"{method} {path}: {answer.status_code} {_detail(answer)}", answer.status_code)
        return self._object(answer) if answer.content else {}

    def _object(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            given = answer.json()
        except ValueError:
            given = None
        if not isinstance(given, dict):
            raise Unreachable(f"{self._is_no_api()} (it answers with something else than a JSON object)")
        return given

    def _is_no_api(self) -> str:
        return f"{self.url!r} is no Rubato API; look at RUBATO_URL, the output ApiUrl of the stack"

    def _request(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], query: Mapping[str, Any]
    ) -> httpx.Response:
        asked: dict[str, Any] = {"json": body, "params": query, "headers": headers}
        try:
            return self._client.request(method, path, **asked)
        except httpx.HTTPError:
            if "Idempotency-Key" not in headers:
                raise
            return self._client.request(method, path, **asked)

    def every(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """The items of a list, across pages."""
        cursor: str | None = None
        while True:
            asked: dict[str, Any] = {"limit": 200, **query} | ({"cursor": cursor} if cursor else {})
            page = self.call("GET", path, **asked)
            if not {"items", "nextCursor"} <= page.keys():
                raise Unreachable(f"{self._is_no_api()} (its list {path} has no items)")
            yield from page["items"]
            cursor = page["nextCursor"]
            if cursor is None:
                return


def is_loopback(url: str) -> bool:
    """Whether the API runs on this machine and so can reach a target on it."""
    return (urlsplit(url).hostname or "") in ("127.0.0.1", "localhost", "::1")


def _detail(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
        fields = "; ".join(f"{each['path']}: {each['message']}" for each in problem.get("errors") or ())
        return plain(fields or str(problem["detail"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return plain(answer.text[:400])[:200]
