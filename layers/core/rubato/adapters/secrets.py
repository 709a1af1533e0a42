"""A secret in Secrets Manager or in the Parameter Store, read when it is needed and remembered for some minutes."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

_KEPT_S = 300
_CONNECT_TIMEOUT_S = 2
_READ_TIMEOUT_S = 5
_ATTEMPTS = 2
# Of a secret that is a JSON object, this field.
_FIELD = "apiKey"


class StoredSecret:
    """The text behind an ARN. `clock` gives monotonic seconds."""

    def __init__(
        self, arn: str, open_client: Callable[[str, str], Any], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._arn = arn
        self._open_client = open_client
        self._clock = clock
        self._lock = threading.Lock()
        self._known: tuple[float, str] | None = None

    def read(self) -> str:
        """The text. Raises what AWS raises, and ValueError when there is none."""
        with self._lock:
            if self._known is None or self._clock() >= self._known[0]:
                self._known = (self._clock() + _KEPT_S, self._fetch())
            return self._known[1]

    def forget(self) -> None:
        """It was refused, and may have been replaced: the next reading fetches it anew."""
        with self._lock:
            self._known = None

    def _fetch(self) -> str:
        if ":ssm:" in self._arn:
            answer = self._open("ssm").get_parameter(Name=self._arn, WithDecryption=True)
            return _text_in(answer["Parameter"]["Value"])
        answer = self._open("secretsmanager").get_secret_value(SecretId=self._arn)
        return _text_in(answer.get("SecretString") or "")

    def _open(self, service: str) -> Any:
        """In the region of the ARN: asked elsewhere, a store knows nothing of it."""
        return self._open_client(service, self._arn.split(":")[3])


def _text_in(stored: str) -> str:
    text: Any = stored.strip()
    if text.startswith("{"):
        try:
            text = json.loads(text).get(_FIELD)
        except ValueError:
            text = None
    if not isinstance(text, str) or not text or not text.isascii() or not text.isprintable():
        raise ValueError("the secret holds no key: store its text, or a JSON object with apiKey")
    return text


def opener(session: Callable[[], Any]) -> Callable[[str, str], Any]:
    """Opens botocore clients of services by name, in a region."""

    def open_client(service: str, region: str) -> Any:
        from botocore.config import Config

        config = Config(
            connect_timeout=_CONNECT_TIMEOUT_S,
            read_timeout=_READ_TIMEOUT_S,
            retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
        )
        return session().create_client(service, region_name=region, config=config)

    return open_client
