"""Ask an advisory database whether the layer's dependencies have known vulnerabilities.

Usage: audit.py PIP_AUDIT REQUIREMENTS [OPTION ...], where PIP_AUDIT is the program and OPTIONs go to it as they are.
Exits with 1 for a known vulnerability. Where nobody can be asked it says so, loudly, and exits with 0: a build must not
depend on whether somebody else's service is up. AUDIT=required in the environment makes that a failure, too.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

_LONGEST_S = 120
_SOCKET_S = 10
# OSV's database holds the advisories of Python's packages and GitHub's. Nothing is resolved: every version is pinned.
_ASKED = (
    "--vulnerability-service",
    "osv",
    "--no-deps",
    "--disable-pip",
    "--format",
    "json",
    "--progress-spinner",
    "off",
)


class NotAudited(Exception):
    """Nobody knows whether there are vulnerabilities; the text says why."""


def main(program: str, requirements: str, options: Iterable[str]) -> int:
    """The exit code."""
    try:
        dependencies = read(ask(program, requirements, options))
    except NotAudited as error:
        print(
            f"!!! NOT AUDITED: whether {requirements} has known vulnerabilities was not found out: {error}",
            file=sys.stderr,
        )
        return 1 if os.environ.get("AUDIT") == "required" else 0
    found = [line for each in dependencies for line in told(each)]
    print("\n".join(found) or f"audited {len(dependencies)} packages: no known vulnerability")
    return 1 if found else 0


def ask(program: str, requirements: str, options: Iterable[str]) -> str:
    """What the program prints; raises NotAudited."""
    command = [program, *_ASKED, "--timeout", str(_SOCKET_S), "--requirement", requirements, *options]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotAudited(f"{type(error).__name__} of {program}") from None
    if not done.stdout.strip():
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise NotAudited(f"no answer from the advisory database ({last[:200]})")
    return done.stdout


def read(answer: str) -> list[dict[str, Any]]:
    """The dependencies, each with its vulnerabilities; raises NotAudited when it is not about all of them."""
    try:
        dependencies: list[dict[str, Any]] = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        raise NotAudited("the answer can't be read") from None
    skipped = [each["name"] for each in dependencies if "skip_reason" in each]
    if skipped or not dependencies:
        raise NotAudited(f"skipped: {', '.join(skipped) or 'everything'}")
    return dependencies


def told(dependency: dict[str, Any]) -> list[str]:
    """A line for each vulnerability: which, and where it is fixed."""
    return [
        f"VULNERABLE: {dependency['name']} {dependency['version']}: {each['id']}; "
        f"fixed in {', '.join(each['fix_versions']) or 'no version yet'}"
        for each in dependency["vulns"]
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
