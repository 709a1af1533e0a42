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
        """A standard parameter, which costs nothing, under the account's own key for Parameter Store."""
        encoded = b64encode(value.encode()).decode()
        self._client.put_parameter(
            Name=self._path(shelf, name), Value=encoded, Type="SecureString", Tier="Standard", Overwrite=True
        )

    def delete(self, shelf: str, name: str) -> None:
        """With all its earlier versions."""
        client = self._client
        try:
            client.delete_parameter(Name=self._path(shelf, name))
        except client.exceptions.ParameterNotFound:
            return

    def read(self, shelf: str, names: Sequence[str]) -> dict[str, str]:
        """One request for every ten names."""
        found: dict[str, str] = {}
        for start in range(0, len(names), _PAGE):
            wanted = [self._path(shelf, name) for name in names[start : start + _PAGE]]
            found |= _values(self._ask("get_parameters", Names=wanted)["Parameters"])
        return found

    def read_shelf(self, shelf: str) -> dict[str, str]:
        """One request for every ten values."""
        found: dict[str, str] = {}
        position: dict[str, str] = {}
        while True:
            page = self._ask("get_parameters_by_path", Path=f"{self._root}/{shelf}", MaxResults=_PAGE, **position)
            found |= _values(page["Parameters"])
            if not page.get("NextToken"):
                return found
            position = {"NextToken": page["NextToken"]}

    def _ask(self, operation: str, **wanted: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**wanted, WithDecryption=True)
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
        return {each["Name"].rpartition("/")[2]: b64decode(each["Value"]).decode() for each in parameters}
    except ValueError as error:  # put by hand
        raise Unreadable("NotBase64") from error
