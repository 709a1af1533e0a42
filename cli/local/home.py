"""The folder of one local stack: what it keeps, and whether it runs."""

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class Home:
    """Everything a local stack writes stands below `folder`."""

    folder: Path
    port: int

    @classmethod
    def at(cls, port: int, folder: Path | None = None) -> "Home":
        """The folder given, or that of the port."""
        return cls((folder or ROOT / ".local" / str(port)).resolve(), port)

    @property
    def log(self) -> Path:
        """What the emulator and sam say."""
        return self.folder / "emulator.log"

    @property
    def temporary(self) -> Path:
        """Unpacked functions; worthless once the emulator has ended."""
        return self.folder / "tmp"

    @property
    def key_file(self) -> Path:
        """The API key, readable by the owner alone."""
        return self.folder / "api-key"

    @property
    def _record(self) -> Path:
        return self.folder / "stack.json"

    def acquire(self) -> int | None:
        """The lock as an open file descriptor, or None when another process holds it.

        The emulator inherits it, so that it is free again exactly when the emulator has ended, however it ended. A
        process id in a file can't tell that: the number may belong to another process by now.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return None
        return descriptor

    def is_running(self) -> bool:
        """Whether an emulator runs on this folder."""
        if not self.folder.is_dir():
            return False
        descriptor = self.acquire()
        if descriptor is None:
            return True
        os.close(descriptor)
        return False

    def record(self, **facts: Any) -> None:
        """Keep facts for later commands: pid, port, url, deployed."""
        whole = {**self.facts(), **facts}
        fresh = self._record.with_suffix(".new")
        fresh.write_text(json.dumps(whole))
        fresh.replace(self._record)

    def facts(self) -> dict[str, Any]:
        """What was recorded."""
        try:
            facts: dict[str, Any] = json.loads(self._record.read_text())
        except (OSError, ValueError):
            return {}
        return facts

    def keep_key(self, key: str) -> None:
        """Write the API key so that nobody else can read it, not even for a moment."""
        self.key_file.unlink(missing_ok=True)
        descriptor = os.open(self.key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(key)

    def key(self) -> str | None:
        """The API key, if one was made."""
        return self.key_file.read_text() if self.key_file.exists() else None


def known_homes() -> list[Home]:
    """The stacks below .local, by port."""
    folders = sorted(path for path in (ROOT / ".local").glob("*") if path.name.isdecimal())
    return [Home(folder, int(folder.name)) for folder in folders]
