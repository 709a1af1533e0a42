"""What a cold start pays for: size of the layer, CPU time and memory of importing each handler from it."""

import json
import os
import runpy
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cli.local.home import ROOT
from cli.trouble import Trouble

RUNTIME = "3.13"
# What the first invocation of each function opens.
PORTS = {
    "api": ("jobs", "rule_ledgers", "endpoints", "runs", "keys", "trail", "usage", "idempotency", "queue"),
    "authorizer": ("keys",),
    "tick": ("endpoints", "queue", "usage"),
    "dispatcher": ("endpoints", "runs", "jobs", "queue", "deliveries", "outbound", "usage", "notifications", "vault"),
    "rules": ("jobs", "rule_ledgers", "endpoints", "runs", "trail", "queue", "deliveries"),
    "planner": ("endpoints", "jobs", "runs", "usage", "analyses", "queue", "deliveries", "model"),
    "synthetic": (),
}
BUDGETS_MS = {
    "api": 400,
    "authorizer": 250,
    "tick": 250,
    "dispatcher": 320,
    "rules": 320,
    "planner": 320,
    "synthetic": 250,
}
_CORE = ROOT / "layers" / "core"
_TIMES = 5
_ENVIRONMENT = {
    **{
        f"{name}_TABLE": name
        for name in ("JOBS", "RULES", "ENDPOINTS", "RUNS", "KEYS", "AUDIT", "USAGE", "IDEMPOTENCY", "ANALYSES")
    },
    "RUN_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/runs",
    "SLOW_RUN_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/slow",
    "RULE_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/rules",
    "ANALYSIS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/analyses",
    "MODEL_PROVIDER": "bedrock",
    "VAULT": "rubato",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_EC2_METADATA_DISABLED": "true",
    "PATH": os.environ.get("PATH", ""),
}
# NOTE: run with -S: a development machine's own site-packages must not help or hinder.
_PROGRAM = """
import json, resource, sys, time
began = time.process_time()
import handler
imported = time.process_time()
from rubato.bootstrap import world
world().open(*sys.argv[1:])
opened = time.process_time()
try:
    # Linux lets ru_maxrss of a process begin with that of the one which made it.
    peak = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([(imported - began) * 1000, (opened - imported) * 1000, peak]))
"""
Fact = dict[str, Any]


def layer_facts() -> Iterator[Fact]:
    """The layer as it is built for Lambda."""
    with tempfile.TemporaryDirectory() as folder:
        site = build_layer(Path(folder) / "layer")
        compiled = sum(1 for _ in site.rglob("*.pyc"))
        yield {"bench": "layer", **layer_sizes(site), "compiledModules": compiled}


def import_facts() -> Iterator[Fact]:
    """Medians of five processes each, with Lambda's version of Python when it is here."""
    interpreter = _interpreter()
    with tempfile.TemporaryDirectory() as folder:
        site = build_layer(Path(folder) / "layer", interpreter)
        for function in PORTS:
            yield {"bench": "import", "function": function, **measure_import(site, interpreter, function)}


def build_layer(folder: Path, interpreter: str | None = None) -> Path:
    """The layer's make rule, for Lambda or for an interpreter of this machine; gives the folder to import from."""
    default = {name: value for name, value in os.environ.items() if not name.startswith("LAYER_")}
    own = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"  # uv stands beside this interpreter
    env = default | {"PATH": own, "ARTIFACTS_DIR": str(folder)}
    if interpreter is not None:
        env["LAYER_INTERPRETER"] = interpreter
    command = ["make", "build-CoreLayer"]
    done = subprocess.run(command, cwd=_CORE, env=env, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise Trouble(f"the layer can't be built:\n{done.stdout}{done.stderr}")
    return folder / "python"


def layer_sizes(site: Path) -> dict[str, int]:
    """Bytes unpacked, and as a zip file."""
    with tempfile.TemporaryDirectory() as folder:
        packed = shutil.make_archive(str(Path(folder) / "layer"), "zip", site.parent, site.name)
        zipped = Path(packed).stat().st_size
    return {
        "unpackedBytes": sum(path.stat().st_size for path in site.rglob("*") if path.is_file()),
        "zippedBytes": zipped,
    }


def measure_import(site: Path, interpreter: str, function: str) -> dict[str, Any]:
    """CPU ms of the import and of opening its clients, peak memory in MB. Raises Trouble when either fails."""
    runs = [open_function(site, interpreter, function) for _ in range(_TIMES)]
    importing, opening, peak = (statistics.median(each) for each in zip(*runs, strict=True))
    return {
        "importCpuMs": round(importing),
        "budgetMs": BUDGETS_MS[function],
        "openCpuMs": round(opening),
        "peakMb": round(peak / 1024, 1),
        "timesMeasured": _TIMES,
    }


def open_function(site: Path, interpreter: str, function: str, folder: Path | None = None) -> list[float]:
    """Import a handler (or what stands in `folder`) from the layer alone and open the function's clients.

    In a process of its own; gives CPU ms of either, and the peak of its memory in KB.
    """
    path = os.pathsep.join([str(site), str(folder or ROOT / "functions" / function)])
    env = _ENVIRONMENT | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [interpreter, "-S", "-c", _PROGRAM, *PORTS[function]]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise Trouble(f"{function} does not start from the layer alone:\n{done.stderr}")
    measured: list[float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _interpreter() -> str:
    found = runpy.run_path(str(_CORE / "prune.py"))["find_interpreter"](RUNTIME)
    return str(found or sys.executable)
