"""How long hiding secrets in an answer takes: CPU of one run, from values to what is stored."""

import time
from base64 import b64encode
from collections.abc import Iterator
from random import Random
from typing import Any

from rubato.domain.exchange import Reply
from rubato.domain.mask import Mask

_BODY = 65_536
_ROUNDS = 3
_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789äö&\"'<"
_HEADERS = tuple((f"x-header-{number}", "value") for number in range(20))


def mask_facts() -> Iterator[dict[str, Any]]:
    """Answers of 64 KB that were cut, for one token, one large value, and as many as a job may have."""
    random = Random(1)  # noqa: S311 - the same texts each time
    for count, length in ((1, 40), (1, 2_000), (50, 40), (50, 2_000)):
        values = ["".join(random.choices(_ALPHABET, k=length)) for _ in range(count)]
        for kind, body in _bodies(random):
            reply = Reply(duration_ms=0, status_code=200, headers=_HEADERS, body=body[:_BODY], truncated=True)
            cpu_ms = min(_cpu_ms(values, reply) for _ in range(_ROUNDS))
            yield {"bench": "mask", "secrets": count, "characters": length, "body": kind, "cpuMs": round(cpu_ms, 1)}


def _bodies(random: Random) -> Iterator[tuple[str, bytes]]:
    yield "words", b"ok " * _BODY
    yield "json", b'{"id": 123, "name": "some text, with more", "list": [1, 2, 3]}' * _BODY
    yield "base64", b64encode(random.randbytes(_BODY))


def _cpu_ms(values: list[str], reply: Reply) -> float:
    began = time.process_time()
    Mask(values).reply(reply)
    return (time.process_time() - began) * 1000
