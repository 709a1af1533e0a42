"""The layer as `sam build` makes it for AWS, on whatever machine this is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infrastructure.conftest import ROOT

_CORE = ROOT / "layers" / "core"
_LAMBDA_LIMIT = 250 * 1024 * 1024
_ENOUGH = 60 * 1024 * 1024  # each MB more is a slower cold start


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that becomes /opt/python."""
    target = tmp_path_factory.mktemp("layer")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    default = {name: value for name, value in os.environ.items() if not name.startswith("LAYER_")}
    env = default | {"PATH": path, "ARTIFACTS_DIR": str(target)}
    done = subprocess.run(
        ["make", "build-CoreLayer"], cwd=_CORE, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return target / "python"


def test_it_is_small(site: Path) -> None:
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    assert size < _ENOUGH < _LAMBDA_LIMIT


def test_its_binaries_are_for_lambda(site: Path) -> None:
    binaries = [path.name for path in site.rglob("*.so") if "cpython" in path.name]
    assert binaries and all("cpython-313-aarch64-linux-gnu" in name for name in binaries)


def test_it_holds_the_package_and_every_requirement(site: Path) -> None:
    modules = [
        "rubato",
        "pynamodb",
        "pydantic",
        "h11",
        "certifi",
        "croniter",
        "jmespath",
        "aws_lambda_powertools",
        "tzdata",
    ]
    assert all((site / module / "__init__.py").exists() for module in modules)
    assert (site / "six.py").exists() and (site / "typing_extensions.py").exists()


def test_it_carries_no_ballast(site: Path) -> None:
    assert not [*site.rglob("tests"), *site.rglob("*.dist-info")]
    services = {path.name for path in (site / "botocore" / "data").iterdir() if path.is_dir()}
    assert {"dynamodb", "lambda", "sqs"} <= services and len(services) < 10


def test_its_bytecode_is_trusted_unchecked(site: Path) -> None:
    compiled = list(site.rglob("*.pyc"))
    if not compiled:
        pytest.skip("no Python 3.13 on this machine to compile with")
    assert all(path.name.endswith(".cpython-313.pyc") for path in compiled)
    # PEP 552: flags 1 = by hash, not checked against the source.
    assert {path.read_bytes()[4:8] for path in compiled} == {b"\x01\x00\x00\x00"}
