"""The processes that take part: started, killed, frozen, replaced."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field

from tests.storm.diary import Diary
from tests.storm.ground import Ground


@dataclass
class Cast:
    """The actors by role. A killed one is replaced at once by one of the next incarnation."""

    ground: Ground
    seed: int
    diary: Diary
    actors: dict[str, list[subprocess.Popen[bytes]]] = field(default_factory=dict)
    thaws: list[tuple[float, subprocess.Popen[bytes], float]] = field(default_factory=list)
    _started: int = 0

    def enter(self, role: str, count: int) -> None:
        """Start so many more of the role."""
        self.actors.setdefault(role, [])
        for number in range(count):
            self.actors[role].append(self._start(role, f"{role}-{number}"))

    def have_entered(self) -> bool:
        """Whether everybody is at work."""
        working = {each["entered"] for each in self.ground.diaries("*-*") if "entered" in each}
        return all(process.pid in working for each in self.actors.values() for process in each)

    def kill(self, role: str, index: int) -> None:
        """End one as a crash would, and start another in its place."""
        place = index % len(self.actors[role])
        _end(self.actors[role][place])
        self._started += 1
        self.diary.note(blow="kill", role=role, at=time.time() * 1000)
        self.actors[role][place] = self._start(role, f"{role}-{place}.{self._started}")

    def freeze(self, role: str, index: int, for_s: float) -> None:
        """Stop one where it stands; `thaw` lets it go on later."""
        process = self.actors[role][index % len(self.actors[role])]
        if any(frozen is process for _, frozen, _ in self.thaws):
            return
        process.send_signal(signal.SIGSTOP)
        self.thaws.append((time.monotonic() + for_s, process, time.time() * 1000))

    def thaw(self, everything: bool = False) -> None:
        """Let those go on whose time has come."""
        for due in [each for each in self.thaws if everything or each[0] <= time.monotonic()]:
            _, process, since = due
            process.send_signal(signal.SIGCONT)
            self.thaws.remove(due)
            self.diary.note(blow="freeze", since=since, until=time.time() * 1000)

    def leave(self, role: str) -> None:
        """End all of the role: by then there is nothing left that they could be in the middle of."""
        for process in self.actors.pop(role, []):
            _end(process)

    def disband(self) -> None:
        """The end, for everybody."""
        self.thaw(everything=True)
        for role in list(self.actors):
            self.leave(role)
        self.diary.close()

    def fallen(self) -> list[str]:
        """Those that ended by themselves, which none should, and their last words."""
        ended = [process for each in self.actors.values() for process in each if process.poll() is not None]
        return [f"{process.args!r} ended with {process.returncode}" for process in ended]

    def _start(self, role: str, name: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.storm.actors", role, name, str(self.ground.folder), str(self.seed)]
        with (self.ground.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command, env=self.ground.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def load() -> float:
    """How busy the machine is: the load average of the last minute."""
    return round(os.getloadavg()[0], 1)
