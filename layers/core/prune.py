"""Make the built layer small and quick to import: drop what is never opened, compile the rest for the runtime.

Usage: prune.py SITE_FOLDER PYTHON, where PYTHON is a version such as 3.13 or the path of an interpreter.
Lambda's file system is read-only: modules without .pyc files would be compiled anew at every cold start. Unchecked-hash
files need no time stamps, which packing does not keep.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# The AWS services that Rubato speaks to; the files beside the folders are what botocore itself needs.
_SERVICES = {"dynamodb", "lambda", "sqs", "sts"}
_FOLDERS = ("__pycache__", "bin", "*.dist-info", "tests")
_FILES = ("*.pyi", "*.pyx", "*.c", "*.h", "py.typed", "examples-1.json", "waiters-2.json")


def main(site: Path, python: str) -> None:
    """Prune, then compile."""
    for folder in [path for pattern in _FOLDERS for path in site.rglob(pattern) if path.is_dir()]:
        shutil.rmtree(folder, ignore_errors=True)
    for file in [path for pattern in _FILES for path in site.rglob(pattern)]:
        file.unlink()
    for service in (site / "botocore" / "data").iterdir():
        if service.is_dir() and service.name not in _SERVICES:
            shutil.rmtree(service)
    compile_for(site, python)


def compile_for(site: Path, python: str) -> None:
    """Compile with the runtime's own minor version; without one at hand the layer works, but starts more slowly."""
    interpreter = find_interpreter(python)
    if interpreter is None:
        print(f"no Python {python} here: the layer goes without .pyc files, cold starts take longer", file=sys.stderr)
        return
    # -s and -p: tracebacks show the path in Lambda, not that of this build.
    command = [interpreter, "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([*command, "-s", str(site), "-p", "/opt/python", str(site)], check=True)


def find_interpreter(python: str) -> str | None:
    """An interpreter of exactly this minor version, or the one that is named by its path."""
    if os.sep in python:
        return python
    for candidate in candidates(python):
        # NOTE: pyenv's shims are on the PATH also for versions that are switched off; only running one tells.
        probe = [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        found = subprocess.run(probe, capture_output=True, text=True, check=False)
        if found.returncode == 0 and found.stdout.strip() == python:
            return candidate
    return None


def candidates(version: str) -> Iterator[str]:
    """Where an interpreter may be: here, on the PATH, with uv, with pyenv."""
    yield sys.executable
    if on_path := shutil.which(f"python{version}"):
        yield on_path
    command = ["uv", "python", "find", "--no-python-downloads", version]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode == 0:
        yield found.stdout.strip()
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from (str(path) for path in sorted(pyenv.glob(f"versions/{version}*/bin/python{version}"), reverse=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
