"""`sam build` for the interpreter that runs the functions here; skipped while nothing has changed."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.local.emulator import INTERPRETER, environment, tail
from cli.local.home import ROOT
from cli.local.progress import step
from cli.trouble import Trouble

SAM = ROOT / ".tools" / "sam" / "bin" / "sam"

# Apart from .aws-sam, which is built for Lambda's own interpreter.
_FOLDER = ROOT / ".local" / f"build-{sys.version_info.major}.{sys.version_info.minor}"
_STAMP = _FOLDER / "fingerprint"
_LOG = _FOLDER / "sam-build.log"
TEMPLATE = _FOLDER / "out" / "template.yaml"

_FILES = ("template.yaml", "samconfig.toml")
_FOLDERS = ("functions", "layers")


def fingerprint() -> str:
    """Changes whenever what is deployed here does."""
    digest = hashlib.sha256(sys.version.encode())
    found = [path for folder in _FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    source = [path for path in found if path.parent.name != "__pycache__"]
    for path in sorted([*source, *(ROOT / name for name in _FILES)]):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT)} {len(content)} ".encode() + content)
    return digest.hexdigest()


@contextmanager
def built() -> Iterator[str]:
    """A build of the present source, not touched by another process meanwhile; gives its fingerprint."""
    if not SAM.exists():
        raise Trouble("sam is not installed; run `make env` first")
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with (_FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Bytecode is no source: it would change fingerprint and packages, and so what is deployed, without a reason.
        for folder in _FOLDERS:
            for rubbish in [*(ROOT / folder).rglob("__pycache__")]:
                shutil.rmtree(rubbish, ignore_errors=True)
        current = fingerprint()
        if not (TEMPLATE.exists() and _STAMP.exists() and _STAMP.read_text() == current):
            _STAMP.unlink(missing_ok=True)
            with step("building"):
                _build()
            _STAMP.write_text(current)
        yield current


def _build() -> None:
    command = [str(SAM), "build", "--cached", "--template-file", str(ROOT / "template.yaml")]
    places = ["--build-dir", str(TEMPLATE.parent), "--cache-dir", str(_FOLDER / "cache")]
    own = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"  # uv stands beside this interpreter
    env = environment(0) | {"PATH": own, "LAYER_INTERPRETER": str(INTERPRETER)}
    with _LOG.open("wb") as log:
        done = subprocess.run([*command, *places], cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise Trouble(f"sam build failed:\n{tail(_LOG)}")
