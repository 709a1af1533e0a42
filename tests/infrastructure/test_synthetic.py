"""The targets at /synthetic in template.yaml: open to strangers, so each of them is bounded, in number and in price."""

from typing import Any

from cli.bench.prices import PRICES
from rubato.interface.synthetic import FAILURE_STATUS, MAX_DELAY_MS, TARGETS
from rubato.settings import Settings
from tests.infrastructure.conftest import ROOT, Template
from tests.infrastructure.test_functions import METHODS

_MONTH_S = 365 * 86_400 / 12
_API_REQUEST = 3.50 / 1_000_000  # what API Gateway asks for a request that it does not throttle
_QUICK_S = 0.05


def throttles(template: Template) -> dict[tuple[str, str], tuple[float, int]]:
    """Rate a second and burst, by path and method."""
    settings: list[dict[str, Any]] = template.of_type("AWS::Serverless::Api")["Api"]["MethodSettings"][1:]
    return {
        (each["ResourcePath"].replace("~1", "/").removeprefix("/"), each["HttpMethod"]): (
            each["ThrottlingRateLimit"],
            each["ThrottlingBurstLimit"],
        )
        for each in settings
    }


def test_every_method_that_does_something_has_a_low_throttle_of_its_own(template: Template) -> None:
    wanted = {(path, target.method) for path, target in TARGETS.items()}
    wanted |= {(path, "HEAD") for path, target in TARGETS.items() if target.method == "GET"}
    found = throttles(template)
    assert set(found) == wanted
    assert all(0 < rate <= 1 and 0 < burst <= 10 for rate, burst in found.values())


def test_calls_that_wait_take_few_of_an_accounts_concurrent_executions(template: Template) -> None:
    rate, burst = throttles(template)["/synthetic/slow", "GET"]
    assert rate * MAX_DELAY_MS / 1000 + burst <= 10
    assert "ReservedConcurrentExecutions" not in template.functions["SyntheticFunction"]  # a new account refuses it


def test_whoever_calls_them_without_end_costs_no_more_than_operations_says(template: Template) -> None:
    memory = template.functions["SyntheticFunction"]["MemorySize"] / 1024
    sum_ = 0.0
    for (path, method), (rate, _) in throttles(template).items():
        waits_s = MAX_DELAY_MS / 1000 if (path, method) == ("/synthetic/slow", "GET") else 0
        seconds = (waits_s + _QUICK_S) * memory * PRICES["lambdaGbSeconds"]
        sum_ += rate * _MONTH_S * (_API_REQUEST + PRICES["lambdaRequests"] + seconds)
    assert f"${sum_:.0f} a month" in (ROOT / "docs" / "operations.md").read_text()


def test_they_answer_every_method_and_end_within_what_api_gateway_waits(template: Template) -> None:
    paths = template.of_type("AWS::Serverless::Api")["Api"]["DefinitionBody"]["paths"]
    assert {path for path in paths if path.startswith("/synthetic")} == set(TARGETS)
    assert all(set(paths[path]) == METHODS for path in TARGETS)
    timeout = template.functions["SyntheticFunction"]["Timeout"]
    assert MAX_DELAY_MS / 1000 + 3 < timeout < 29


def test_what_fails_on_purpose_sets_off_no_alarm_of_the_api(template: Template) -> None:
    alarm = template.of_type("AWS::CloudWatch::Alarm")["ApiErrorsAlarm"]
    assert alarm["MetricName"] == "5XXError" and FAILURE_STATUS < 500
    watched = {each["MetricName"] for each in template.of_type("AWS::CloudWatch::Alarm").values()}
    assert not [name for name in watched if name.startswith("Synthetic") or name in ("RunsFailed", "Lateness")]


def test_they_are_on_until_switched_off(template: Template) -> None:
    parameter = template.body["Parameters"]["SyntheticTargets"]
    assert (parameter["Default"], parameter["AllowedValues"]) == ("on", ["on", "off"])
    variables = template.functions["SyntheticFunction"]["Environment"]["Variables"]
    assert variables == {"SYNTHETIC_TARGETS": {"Ref": "SyntheticTargets"}}
    assert Settings.from_env({}).limits.synthetic_targets
    assert not Settings.from_env({"SYNTHETIC_TARGETS": "off"}).limits.synthetic_targets
