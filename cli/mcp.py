"""`rubato mcp`: the Model Context Protocol over standard input and output, for clients that speak nothing else.

Each line is sent on to the deployment's /mcp, and the answer becomes a line. Nothing but messages goes to standard
output; trouble is told on standard error. The key travels in a header only.
"""

import base64
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, BinaryIO

import httpx

from cli.api import Key, Url, is_loopback

_TIMEOUT_S = 30.0  # as long as API Gateway waits for the function
_AT_ONCE = 8  # agents call several tools at a time
_VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
_PARSE_ERROR, _INTERNAL_ERROR = -32700, -32603


def mcp(url: Url, key: Key) -> None:
    """Serve MCP clients that speak stdio only: relay lines of JSON-RPC to the deployment until the input ends."""
    client = httpx.Client(timeout=_TIMEOUT_S, headers={"x-api-key": key}, trust_env=not is_loopback(url))
    with client, ThreadPoolExecutor(_AT_ONCE) as pool:
        bridge = Bridge(client, f"{url.rstrip('/')}/mcp", sys.stdout.buffer)
        _tell(f"relaying to {bridge.url}")
        for line in sys.stdin.buffer:
            if line.strip():
                pool.submit(bridge.relay, line)


class Bridge:
    """From lines to requests and back. Threads may share it."""

    def __init__(self, client: httpx.Client, url: str, out: BinaryIO) -> None:
        self.url = url
        self._client, self._out, self._writing = client, out, Lock()
        self._settled: str | None = None  # the version that a handshake gave

    def relay(self, line: bytes) -> None:
        """Send a message on, and write what comes back; trouble becomes a JSON-RPC error."""
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            self._write(_error(None, _PARSE_ERROR, "the line is not valid JSON"))
            return
        request_id = message.get("id") if isinstance(message, dict) else None
        try:
            answer = self._ask(message, line)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client waits for an answer and the next line counts
            # Its text may quote a header, and so the key.
            _tell(f"no answer: {type(error).__name__}")
            answer = _error(request_id, _INTERNAL_ERROR, f"{self.url} can't be reached ({type(error).__name__})")
        if request_id is not None or isinstance(answer, list):
            self._write(answer)

    def _ask(self, message: Any, line: bytes) -> Any:
        headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
        answer = self._client.post(self.url, content=line, headers=headers | self._routing(message))
        given = _json(answer)
        if isinstance(given, list) or (isinstance(given, dict) and given.get("jsonrpc") == "2.0"):
            self._note(message, given)
            return given
        if answer.status_code == httpx.codes.ACCEPTED:
            return None
        detail = given.get("detail") if isinstance(given, dict) else None
        words = f"{answer.status_code} {detail or answer.reason_phrase}"
        _tell(words)
        return _error(message.get("id") if isinstance(message, dict) else None, _INTERNAL_ERROR, words)

    def _routing(self, message: Any) -> dict[str, str]:
        """The headers that mirror the body; on stdio there are none."""
        if not isinstance(message, dict) or message.get("method") == "initialize":
            return {}
        params = _object(message, "params")
        name = params.get("name", params.get("uri"))
        mirrored = {
            "MCP-Protocol-Version": _object(params, "_meta").get(_VERSION_KEY, self._settled),
            "Mcp-Method": message.get("method"),
            "Mcp-Name": name,
        }
        return {key: _header_safe(value) for key, value in mirrored.items() if isinstance(value, str)}

    def _note(self, message: Any, given: Any) -> None:
        if isinstance(message, dict) and message.get("method") == "initialize" and isinstance(given, dict):
            self._settled = (given.get("result") or {}).get("protocolVersion")

    def _write(self, answer: Any) -> None:
        with self._writing:
            self._out.write(json.dumps(answer).encode() + b"\n")
            self._out.flush()


def _object(within: dict[str, Any], name: str) -> dict[str, Any]:
    given = within.get(name)
    return given if isinstance(given, dict) else {}


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _header_safe(text: str) -> str:
    """As it is where a header can hold it, else in Base64 between the protocol's marks."""
    if text.isascii() and text.isprintable() and text == text.strip() and not text.startswith("=?base64?"):
        return text
    return f"=?base64?{base64.b64encode(text.encode(errors='replace')).decode()}?="


def _error(request_id: Any, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": message}}


def _tell(words: str) -> None:
    print(f"rubato mcp: {words}", file=sys.stderr, flush=True)  # noqa: T201 - standard output belongs to the protocol
