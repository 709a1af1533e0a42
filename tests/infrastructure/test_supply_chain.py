"""What the layer packs: only what is known, pinned to the byte, under licences that allow it, and asked about."""

import json
import re
import runpy
import subprocess
import sys
from importlib.metadata import metadata, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.infrastructure.conftest import ROOT

CORE = ROOT / "layers" / "core"
PINS = CORE / "requirements.txt"
TEXT = PINS.read_text()
PIN = re.compile(r"^([a-z0-9-]+)==(\S+) \\$", re.MULTILINE)
# Whoever adds a dependency says so here, with its licence; all of these may be used in, and shipped with, anything.
LICENCES = {
    "annotated-types": "MIT",
    "aws-lambda-powertools": "MIT",
    "botocore": "Apache-2.0",
    "certifi": "MPL-2.0",
    "croniter": "MIT",
    "h11": "MIT",
    "jmespath": "MIT",
    "publicsuffixlist": "MPL-2.0",
    "pydantic": "MIT",
    "pydantic-core": "MIT",
    "pynamodb": "MIT",
    "python-dateutil": "Dual License",  # BSD or Apache
    "six": "MIT",
    "typing-extensions": "PSF-2.0",
    "typing-inspection": "MIT",
    "tzdata": "Apache-2.0",
    "urllib3": "MIT",
}
LAMBDA = {"python_version": "3.13", "python_full_version": "3.13.0", "sys_platform": "linux", "extra": "",
          "platform_system": "Linux", "implementation_name": "cpython", "platform_python_implementation": "CPython",
          "os_name": "posix", "platform_machine": "aarch64"}  # fmt: skip


def test_every_dependency_is_known_with_its_licence() -> None:
    assert dict(PIN.findall(TEXT)).keys() == LICENCES.keys()
    told = {name: metadata(name).json for name in LICENCES}
    assert {name: each.get("license_expression") or each["license"] for name, each in told.items()} == LICENCES


@pytest.mark.parametrize("name", LICENCES)
def test_whatever_a_dependency_needs_on_lambda_is_pinned_too(name: str) -> None:
    needed = [Requirement(each) for each in requires(name) or ()]
    missing = {
        each.name.lower().replace("_", "-") for each in needed if each.marker is None or each.marker.evaluate(LAMBDA)
    }
    assert missing <= LICENCES.keys()


def test_every_file_is_pinned_by_its_hash_and_no_line_says_where_to_get_it() -> None:
    for part in re.split(r"^(?=[a-z])", TEXT, flags=re.MULTILINE)[1:]:
        head, *hashes = part.rstrip().splitlines()
        assert PIN.match(head + "\n") and hashes
        assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?", line) for line in hashes)
    assert "://" not in TEXT and not re.search(r"^\s*-(?!-hash)", TEXT, re.MULTILINE)
    assert "--require-hashes" in (CORE / "Makefile").read_text()


def test_the_tests_run_against_what_is_shipped() -> None:
    assert {name: version(name) for name in LICENCES} == dict(PIN.findall(TEXT))


def audit(*options: str, required: bool = False) -> tuple[int, str, str]:
    """As `make audit` runs it."""
    program = ROOT / ".tools" / "audit" / "bin" / "pip-audit"
    command = [sys.executable, str(CORE / "audit.py"), str(program), str(PINS), *options]
    environment = {"AUDIT": "required"} if required else {}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_known_vulnerability_fails_the_check(httpserver: HTTPServer, tmp_path: Path) -> None:
    """The real pip-audit, which asks a database in which one version is vulnerable."""
    flaw = {"id": "GHSA-test", "summary": "x", "schema_version": "1.6.0", "affected": [
        {"package": {"name": "urllib3", "ecosystem": "PyPI"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "99"}]}]},
    ]}  # fmt: skip

    def answer(request: Request) -> Response:
        name = request.get_json(force=True)["package"]["name"]
        return Response(json.dumps({"vulns": [flaw]} if name == "urllib3" else {}), content_type="application/json")

    httpserver.expect_request("/v1/query").respond_with_handler(answer)
    where = ("--osv-url", httpserver.url_for("/v1/query"), "--cache-dir", str(tmp_path))
    code, out, err = audit(*where)
    assert code == 1 and re.match(r"VULNERABLE: urllib3 \S+: GHSA-test; fixed in 99\n", out), (out, err)
    assert len(httpserver.log) == len(LICENCES)


@pytest.mark.parametrize("required", [False, True])
def test_a_database_that_does_not_answer_is_told_of_loudly_and_fails_only_where_that_is_asked_for(
    required: bool,
) -> None:
    code, out, err = audit("--osv-url", "http://127.0.0.1:1/", required=required)
    assert code == int(required) and out == "" and err.startswith("!!! NOT AUDITED")


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "[]",
        "{}",
        '{"dependencies": []}',
        '{"dependencies": [{"name": "six", "skip_reason": "not found"}]}',
        "<html>",
    ],
)
def test_an_answer_that_is_not_about_every_package_is_no_clean_bill(answer: str) -> None:
    script = runpy.run_path(str(CORE / "audit.py"))
    with pytest.raises(script["NotAudited"]):
        script["read"](answer)


def test_make_hands_on_an_environment_that_programs_can_read() -> None:
    """Two variables in one `export` line once made one without a name, at which clearing the environment fails."""
    show = f"show: ; @{sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    given = subprocess.run(
        ["make", "--silent", f"--eval={show}", "show"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    environment = json.loads(given.stdout.splitlines()[-1])
    assert environment["SAM_CLI_TELEMETRY"] == "0"
    assert not {"", "0", "="} & environment.keys()
