"""Breaks the domain on purpose, one small change at a time, and asks the fast tests whether they notice.

    python -m tests.mutation governor lease      these modules; none named means all of them
    python -m tests.mutation -j 2 governor:120   two at once; only what stands on line 120

Files stay as they are: each mutant lives in a forked process, which loads the broken module in place of the real one.
A mutant that no test notices is printed, and makes the command fail.
"""

import argparse
import ast
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType
from typing import Any

import hypothesis  # noqa: F401 - once for all mutants, which find it loaded
import pytest

from tests.mutation.sites import sites

ROOT = Path(__file__).parents[2]
DOMAIN = ROOT / "layers/core/rubato/domain"
TIMEOUT_S = 60
_LOOP = [
    "governor",
    "governor_bounds",
    "boundaries",
    "lease_boundaries",
    "found_by_properties",
    "dependencies",
    "retries",
    "loop",
    "steering",
]
_DOOR = ["boundaries", "loop", "http"]
# Which tests speak of a module, the quickest first. What is not named belongs to the heart of the schedule.
TESTS = {
    "access": ["boundaries", "http", "keys"],
    "addresses": ["addresses", "targets"],
    "checks": ["boundaries", "targets", "dependencies", "http"],
    "compose": _DOOR,
    "cron": ["cron", "cron_oracle"],
    "cron_fields": ["cron", "cron_oracle"],
    "health": ["boundaries", "health"],
    "idempotency": ["boundaries", "idempotency", "http"],
    "ids": [*_DOOR, "run_lists"],
    "preview": ["boundaries", "preview"],
    "quota": ["boundaries", "quota"],
    "references": ["boundaries", "dependencies", "http"],
    "retries": ["boundaries", "retries"],
    "runs": [*_DOOR, "retries"],
    "standing": ["boundaries", "seeing", "dependencies", "steering", "loop", "http"],
    "targets": ["targets"],
}


@dataclass(frozen=True)
class Mutant:
    """The site with this number in a module."""

    module: str
    number: int
    line: int
    what: str


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        return self._code


class _Finder(MetaPathFinder):
    """Serves the mutant's module from memory."""

    def __init__(self, mutant: Mutant) -> None:
        self._name, self._path = f"rubato.domain.{mutant.module}", DOMAIN / f"{mutant.module}.py"
        tree = ast.parse(self._path.read_text())
        sites(tree)[mutant.number].change()
        self._code = compile(ast.fix_missing_locations(tree), str(self._path), "exec")

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        return spec_from_file_location(fullname, loader=_Loader(fullname, str(self._path), self._code))


def mutants_of(name: str) -> list[Mutant]:
    """Of a module, or of one of its lines (`governor:120`)."""
    module, _, line = name.partition(":")
    found = sites(ast.parse((DOMAIN / f"{module}.py").read_text()))
    mutants = [Mutant(module, number, site.line, site.what) for number, site in enumerate(found)]
    return [mutant for mutant in mutants if not line or mutant.line == int(line)]


def spawn(module: str, mutant: Mutant | None) -> int:
    """Run the module's tests in a process of their own, which ends with pytest's code."""
    child = os.fork()
    if child:
        return child
    signal.alarm(TIMEOUT_S)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    if mutant:
        sys.meta_path.insert(0, _Finder(mutant))
    names = TESTS.get(module, _LOOP)
    chosen = [path for path in (ROOT / f"tests/unit/test_{name}.py" for name in names) if path.exists()]
    quiet = [
        f"--rootdir={ROOT}",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
    ]
    # One file after the other: the first mostly notices, and what the others import need not be loaded.
    codes = (int(pytest.main([str(path), *quiet])) for path in chosen)
    os._exit(next((code for code in codes if code), 0))


def survivors(mutants: list[Mutant], jobs: int) -> Iterator[Mutant]:
    """Those that no test noticed, as they are found."""
    waiting, running = list(mutants), dict[int, Mutant]()
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop(0)
            running[spawn(mutant.module, mutant)] = mutant
        child, status = os.wait()
        mutant = running.pop(child)
        if status == 0:
            yield mutant


def main() -> int:
    """0 when every mutant was noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("modules", nargs="*")
    parser.add_argument("-j", dest="jobs", type=int, default=1)
    given = parser.parse_args()
    every = [path.stem for path in sorted(DOMAIN.glob("*.py")) if path.stem != "__init__"]
    total = 0
    for name in given.modules or every:
        begun, mutants = time.monotonic(), mutants_of(name)
        if os.waitpid(spawn(name.partition(":")[0], None), 0)[1] != 0:
            sys.exit(f"{name}: its tests fail without any mutant, or take longer than {TIMEOUT_S} s")
        alive = 0
        for mutant in survivors(mutants, given.jobs):
            alive += 1
            _say(f"  {mutant.module}.py:{mutant.line}  {mutant.what}")
        total += alive
        _say(f"{name}: {len(mutants) - alive} of {len(mutants)} noticed, {time.monotonic() - begun:.0f} s")
    return int(total > 0)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
