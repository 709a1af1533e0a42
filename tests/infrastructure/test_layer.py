"""The layer as `sam build` makes it for AWS, on whatever machine this is."""

import json
import re
import runpy
from pathlib import Path

import pytest

from cli.bench.footprint import PORTS, build_layer, layer_sizes, open_function
from cli.local.build import TEMPLATE, built
from cli.local.emulator import INTERPRETER
from tests.infrastructure.conftest import ROOT

CORE = ROOT / "layers" / "core"
SERVICES = runpy.run_path(str(CORE / "prune.py"))["SERVICES"]
MB = 1_000_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that becomes /opt/python."""
    return build_layer(tmp_path_factory.mktemp("layer"))


@pytest.fixture(scope="module")
def own_site() -> Path:
    """The same for an interpreter of this machine, as the local stack deploys it."""
    with built():
        return TEMPLATE.parent / "CoreLayer" / "python"


def test_it_is_small(site: Path) -> None:
    """Each MB more is a slower cold start. The budgets are 30 and 12 MB; this is what was reached."""
    sizes = layer_sizes(site)
    assert sizes["unpackedBytes"] < 20 * MB and sizes["zippedBytes"] < 8 * MB


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
        "publicsuffixlist",
        "tzdata",
    ]
    assert all((site / module / "__init__.py").exists() for module in modules)
    assert (site / "six.py").exists() and (site / "typing_extensions.py").exists()


def test_it_holds_nothing_but_the_package_and_its_requirements(site: Path) -> None:
    """Whatever else lay there would run with the functions' rights."""
    requirements = re.findall(r"^([a-z0-9-]+)==", (CORE / "requirements.txt").read_text(), re.MULTILINE)
    modules = {"python-dateutil": "dateutil"}
    expected = {modules.get(name, name.replace("-", "_")) for name in requirements} | {"rubato"}
    assert {path.name.split(".")[0] for path in site.iterdir()} - {"__pycache__"} == expected


def test_it_carries_no_ballast(site: Path) -> None:
    assert not [*site.rglob("tests"), *site.rglob("*.dist-info")]
    assert {path.name for path in (site / "botocore" / "data").iterdir() if path.is_dir()} == SERVICES
    endpoints = json.loads((site / "botocore" / "data" / "endpoints.json").read_text())
    # Newer services have rules of their own for their hosts, and no place in the list.
    assert set(endpoints["partitions"][0]["services"]) == SERVICES - {"bedrock-runtime"}


def test_its_bytecode_is_trusted_unchecked(site: Path) -> None:
    compiled = list(site.rglob("*.pyc"))
    if not compiled:
        pytest.skip("no Python 3.13 on this machine to compile with")
    assert all(path.name.endswith(".cpython-313.pyc") for path in compiled)
    # PEP 552: flags 1 = by hash, not checked against the source.
    assert {path.read_bytes()[4:8] for path in compiled} == {b"\x01\x00\x00\x00"}
    assert len(compiled) == len(list(site.rglob("*.py")))


@pytest.mark.parametrize("function", PORTS)
def test_each_function_starts_from_the_layer_alone(own_site: Path, function: str) -> None:
    """Every handler is imported and opens every client of its own: nothing that they open was pruned."""
    assert len(open_function(own_site, str(INTERPRETER), function)) == 3


def test_every_function_is_opened_here() -> None:
    assert set(PORTS) == {path.parent.name for path in (ROOT / "functions").glob("*/handler.py")}


def test_every_door_of_the_layer_opens(own_site: Path, tmp_path: Path) -> None:
    """What is imported only when it is needed, too: metrics, schemas, cron in any zone, a client of each service."""
    program = tmp_path / "handler.py"
    program.write_text(
        "import pkgutil, importlib, rubato, certifi\n"
        "for module in pkgutil.walk_packages(rubato.__path__, 'rubato.'):\n"
        "    importlib.import_module(module.name)\n"
        "from botocore.session import get_session\n"
        f"for service in {sorted(SERVICES)!r}:\n"
        "    for region in ('eu-central-1', 'us-gov-west-1', 'cn-north-1'):\n"
        "        client = get_session().create_client(service, region_name=region)\n"
        "        assert region in client.meta.endpoint_url and client.meta.config\n"
        "from rubato.domain.cron import CronExpression\n"
        "CronExpression.parse('0 9 * * 1-5', 'Antarctica/Troll').next_after(0)\n"
        "from rubato.observability import LambdaTelemetry\n"
        "telemetry = LambdaTelemetry()\n"
        "telemetry.count('x'); telemetry.flush(); telemetry.info('x')\n"
        "from rubato.interface.openapi import *\n"
        "from rubato.interface.mcp import resources\n"
        "assert all(resources.contents(each['uri']) for each in resources.listed())\n"
        "assert open(certifi.where()).read(10)\n"
        "from rubato.domain.hosts import read_hosts\n"
        "assert read_hosts(['*.example.com'])\n"
    )
    open_function(own_site, str(INTERPRETER), "api", folder=tmp_path)
