"""What an actor did, a line each, written at once: it may be killed at any moment."""

import json
import threading
from pathlib import Path
from typing import Any


class Diary:
    """Appends entries to a file, from any thread."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)
        self._lock = threading.Lock()

    def note(self, **entry: Any) -> None:
        """One entry."""
        with self._lock:
            self._file.write(json.dumps(entry) + "\n")

    def close(self) -> None:
        """Nothing more happens."""
        self._file.close()
