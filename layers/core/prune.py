"""Make the built layer small and quick to import: drop what is never opened, compile the rest for the runtime.

Usage: prune.py SITE_FOLDER PYTHON, where PYTHON is a version such as 3.13 or the path of an interpreter.
Lambda's file system is read-only: modules without .pyc files would be compiled anew at every cold start. Unchecked-hash
files need no time stamps, which packing does not keep.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

# The AWS services that Rubato has clients of, by botocore's names; add one here before opening its client.
SERVICES = {"bedrock-runtime", "dynamodb", "events", "lambda", "secretsmanager", "sns", "sqs", "ssm"}
_FOLDERS = ("__pycache__", "bin", "*.dist-info", "tests")
_FILES = (".lock", "*.pyi", "*.pyx", "*.c", "*.h", "py.typed", "examples-1.json", "waiters-2.json")
# Parts of packages that nothing here opens. tests/infrastructure/test_layer.py opens everything else without them.
_UNUSED = (
    "aws_lambda_powertools/event_handler",
    "botocore/cacert.pem",  # certifi's is the one that counts
    "publicsuffixlist/test*",
    "publicsuffixlist/update.py",
    "dateutil/zoneinfo/*.tar.gz",  # tzdata's is the one that counts
    "pydantic/mypy.py",
    "pydantic/v1",
    "urllib3/contrib/emscripten",
)
_POWERTOOLS_UTILITIES = {"__init__.py", "jmespath_utils"}
_ENDPOINTS = Path("botocore/data/endpoints.json")


def main(site: Path, python: str) -> None:
    """Prune, then compile."""
    for pattern in (*_FOLDERS, *_FILES):
        remove(site.rglob(pattern))
    for pattern in _UNUSED:
        remove(site.glob(pattern))
    utilities = (site / "aws_lambda_powertools" / "utilities").iterdir()
    remove(path for path in utilities if path.name not in _POWERTOOLS_UTILITIES)
    services = (site / "botocore" / "data").iterdir()
    remove(path for path in services if path.is_dir() and path.name not in SERVICES)
    prune_endpoints(site / _ENDPOINTS)
    compile_for(site, python)


def remove(paths: Iterable[Path]) -> None:
    """Files, and folders with all that is in them."""
    for path in list(paths):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def prune_endpoints(file: Path) -> None:
    """Leave only our services in botocore's list of hosts, which is read whole each time a first client is opened."""
    content = json.loads(file.read_text())
    for partition in content["partitions"]:
        partition["services"] = {name: each for name, each in partition["services"].items() if name in SERVICES}
    file.write_text(json.dumps(content, separators=(",", ":")))


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
    if uv := shutil.which("uv"):
        command = [uv, "python", "find", "--no-python-downloads", version]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        if found.returncode == 0:
            yield found.stdout.strip()
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from (str(path) for path in sorted(pyenv.glob(f"versions/{version}*/bin/python{version}"), reverse=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
