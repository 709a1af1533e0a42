"""Rubato's API, as the commands use it."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
import typer

from cli.trouble import Trouble

Url = Annotated[str, typer.Option(envvar="RUBATO_URL", help="Base of the API: the output ApiUrl of the stack.")]
Key = Annotated[str, typer.Option(envvar="RUBATO_API_KEY", help="API key; `rubato keys create` makes one.")]

_TIMEOUT_S = 30.0  # as long as API Gateway waits for the function


class Api:
    """A client that turns refusals into Trouble. Close it, or use it as a context. `transport`: another than HTTP."""

    def __init__(self, url: str, key: str, transport: httpx.BaseTransport | None = None) -> None:
        self.url = url.rstrip("/")
        self._client = httpx.Client(
            base_url=self.url,
            headers={"x-api-key": key},
            timeout=_TIMEOUT_S,
            trust_env=not is_loopback(url),
            transport=transport,
        )

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def call(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None, **query: Any
    ) -> dict[str, Any]:
        """The answer's JSON; raises Trouble when there is none or it is an error.

        With an Idempotency-Key among the headers, a request whose answer was lost is sent once more.
        """
        try:
            answer = self._request(method, path, body, headers or {}, query)
        except httpx.HTTPError as error:
            raise Trouble(f"{self.url} can't be reached ({type(error).__name__}: {error}); is it up?") from error
        if answer.is_error:
            raise Trouble(f"{method} {path}: {answer.status_code} {_detail(answer)}")
        given: dict[str, Any] = answer.json() if answer.content else {}
        return given

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
        return fields or str(problem["detail"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return answer.text[:200]
