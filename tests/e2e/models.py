"""A small OpenAI-compatible server on 127.0.0.1: a model that hints once and then submits."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HINT = {"intervalMs": 30_000, "ttlMinutes": 5, "reason": "the model said so"}
END = {"reasoning": "hinted", "confidence": 0.9, "nextAnalysisIn": 60}


@contextmanager
def modelling() -> Iterator[str]:
    """Serve until left; gives its URL without /v1."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Model) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


class _Model(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        is_told = asked["messages"][-1]["role"] == "tool"
        answer = _calling("submit_analysis", END) if is_told else _calling("propose_interval", HINT)
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quietly."""


def _calling(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    usage = {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050}
    return {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}], "usage": usage}
