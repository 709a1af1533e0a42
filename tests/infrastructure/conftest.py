"""template.yaml as a person would read it: plain dictionaries, short intrinsics resolved to long ones."""

from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

ROOT = Path(__file__).parent.parent.parent


# Granted only where a parameter asks for it; test_operations pins these.
ON_REQUEST = {
    "DispatcherTellsTopic",
    "DispatcherTellsMail",
    "DispatcherTellsBus",
    "FunctionsSendTraces",
    "PlannerAsksBedrock",
    "PlannerReadsKey",
}


class Template:
    """The template with a few questions that tests ask."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        self.resources: dict[str, dict[str, Any]] = body["Resources"]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties of the resources of a type, by logical id."""
        return {name: each["Properties"] for name, each in self.resources.items() if each["Type"] == kind}

    @property
    def functions(self) -> dict[str, dict[str, Any]]:
        """Properties of the functions, by logical id."""
        return self.of_type("AWS::Serverless::Function")

    def grants(self, function: str) -> dict[str, set[str]]:
        """What the role of a function allows: resource as text -> actions. Fails when two statements name one resource."""
        role = self.functions[function]["Role"]["Fn::GetAtt"][0]
        granted: dict[str, set[str]] = {}
        policies = {name: each for name, each in self.of_type("AWS::IAM::Policy").items() if name not in ON_REQUEST}
        apart = [each for each in policies.values() if {"Ref": role} in each["Roles"]]
        for policy in (*self.resources[role]["Properties"]["Policies"], *apart):
            for statement in policy["PolicyDocument"]["Statement"]:
                assert statement["Effect"] == "Allow"
                resource, actions = name_of(statement["Resource"]), statement["Action"]
                assert resource not in granted
                granted[resource] = {actions} if isinstance(actions, str) else set(actions)
        return granted


def name_of(resource: Any) -> str:
    """`JobsTable` for its ARN, `JobsTable/index/x` for an index of it; other text as it is."""
    if isinstance(resource, dict) and "Fn::GetAtt" in resource:
        logical, attribute = resource["Fn::GetAtt"]
        assert attribute == "Arn"
        return str(logical)
    if isinstance(resource, dict) and "Fn::Sub" in resource:
        return str(resource["Fn::Sub"]).replace("${", "").replace(".Arn}", "")
    return str(resource)


@pytest.fixture(scope="session")
def template() -> Template:
    """template.yaml."""
    return Template(cfn_yaml.load(str(ROOT / "template.yaml")))
