"""The vault in Systems Manager's Parameter Store: a SecureString for each value, under /rubato/<deployment>/.

NOTE: values stand there in base64: Parameter Store takes no `{{` and no empty text, and counts characters.
"""

import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rubato.domain.errors import Unreadable

_PAGE = 10  # the most that Parameter Store gives at once
_CONNECT_TIMEOUT_S = 1
_READ_TIMEOUT_S = 2
_ATTEMPTS = 3


class SsmVault:
    """Implements ports.Vault. `open_client` makes a botocore client of SSM; it is called once, when one is needed."""

    def __init__(self, open_client: Callable[[], Any], deployment: str) -> None:
        self._open = open_client
        self._root = f"/rubato/{deployment}"
        self._opened: Any = None
        self._lock = threading.Lock()

    def put(self, shelf: str, name: str, value: str) -> None:
        """A standard parameter, which costs nothing; each use of the account's key for Parameter Store does."""
        encoded = b64encode(value.encode()).decode()
        self._client.put_parameter(
            Name=self._path(shelf, name), Value=encoded, Type="SecureString", Tier="Standard", Overwrite=True
        )

    def delete(self, shelf: str, name: str) -> bool:
        """With all its earlier versions."""
        client = self._client
        try:
            client.delete_parameter(Name=self._path(shelf, name))
        except client.exceptions.ParameterNotFound:
            return False
        return True

    def read(self, shelf: str, names: Sequence[str]) -> dict[str, str]:
        """One request for every ten names."""
        found: dict[str, str] = {}
        for start in range(0, len(names), _PAGE):
            wanted = [self._path(shelf, name) for name in names[start : start + _PAGE]]
            found |= _values(self._ask(wanted)["Parameters"])
        return found

    def _ask(self, names: Sequence[str]) -> dict[str, Any]:
        # NOTE: by name and not by path: what nobody names signs nothing, and paths have a much lower limit.
        try:
            answer: dict[str, Any] = self._client.get_parameters(Names=list(names), WithDecryption=True)
        except Exception as error:
            response = getattr(error, "response", None) or {}
            raise Unreadable(response.get("Error", {}).get("Code") or type(error).__name__) from error
        return answer

    @property
    def _client(self) -> Any:
        # NOTE: on first use: most dispatchers need no value. botocore does not make clients in several threads at once.
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _path(self, shelf: str, name: str) -> str:
        return f"{self._root}/{shelf}/{name}"


def open_client(region: str | None) -> Any:
    """A botocore client; impatient, as a run waits for it."""
    from botocore.config import Config
    from botocore.session import get_session

    config = Config(
        connect_timeout=_CONNECT_TIMEOUT_S,
        read_timeout=_READ_TIMEOUT_S,
        retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
    )
    return get_session().create_client("ssm", region_name=region, config=config)


def _values(parameters: Iterable[dict[str, Any]]) -> dict[str, str]:
    try:
        return {each["Name"].rpartition("/")[2]: _text(each["Value"]) for each in parameters}
    except ValueError as error:  # put by hand
        raise Unreadable("NotBase64") from error


def _text(encoded: str) -> str:
    return b64decode(encoded, validate=True).decode()
