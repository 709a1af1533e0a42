"""`sam deploy` to the emulator, and what CloudFormation there leaves undone."""

import json
import platform
import subprocess
import tomllib
from contextlib import suppress
from typing import Any

import boto3
from botocore.exceptions import ClientError

from cli.local.build import SAM, TEMPLATE
from cli.local.emulator import credentials, environment, tail
from cli.local.home import ROOT, Home
from cli.trouble import Trouble

_CONFIG = ROOT / "samconfig.toml"
_ARCHITECTURES = {"aarch64": "arm64", "arm64": "arm64"}


def configuration() -> dict[str, Any]:
    """The deployment's parameters in samconfig.toml."""
    with _CONFIG.open("rb") as file:
        parameters: dict[str, Any] = tomllib.load(file)["local"]["deploy"]["parameters"]
    return parameters


class Deployment:
    """The stack on one emulator. Clients are made on use."""

    def __init__(self, home: Home) -> None:
        self._config = configuration()
        self._home = home
        self.name: str = self._config["stack_name"]

    def outputs(self) -> dict[str, str] | None:
        """The stack's outputs; None when it is not there in full."""
        try:
            stack = self._client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError:
            return None
        if not stack["StackStatus"].endswith("_COMPLETE") or "ROLLBACK" in stack["StackStatus"]:
            return None
        return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}

    def deploy(self) -> None:
        """Deploy what was built and finish the rest."""
        overrides = [*self._config["parameter_overrides"], f"Architecture={_architecture()}"]
        command = [str(SAM), "deploy", "--config-file", str(_CONFIG), "--config-env", "local"]
        given = ["--template-file", str(TEMPLATE), "--parameter-overrides", " ".join(overrides)]
        log = self._home.folder / "sam-deploy.log"
        with log.open("wb") as out:
            env = environment(self._home.port)
            done = subprocess.run([*command, *given], cwd=ROOT, env=env, stdout=out, stderr=out, check=False)
        if done.returncode != 0:
            raise Trouble(f"sam deploy failed:\n{tail(log)}")
        self._finish()

    def invoke(self, logical: str, event: dict[str, Any]) -> None:
        """Invoke a function and wait for its end."""
        described = self._client("cloudformation").describe_stack_resource(
            StackName=self.name, LogicalResourceId=logical
        )
        function = described["StackResourceDetail"]["PhysicalResourceId"]
        self._client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())

    def _finish(self) -> None:
        """Do what this emulator's CloudFormation accepts in a template and then forgets. Safe to repeat."""
        resources = self._client("cloudformation").describe_stack_resources(StackName=self.name)["StackResources"]
        physical = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources}
        template = self._client("cloudformation").get_template(StackName=self.name, TemplateStage="Processed")
        for logical, resource in template["TemplateBody"]["Resources"].items():
            if resource["Type"] == "AWS::DynamoDB::Table":
                self._expire(physical[logical], resource["Properties"].get("TimeToLiveSpecification"))
            elif resource["Type"] == "AWS::Lambda::EventSourceMapping":
                self._limit(physical[logical])
            elif resource["Type"] == "AWS::ApiGateway::RestApi":
                self._refuse_politely(physical[logical], resource["Properties"]["Body"])

    def _expire(self, table: str, wanted: dict[str, Any] | None) -> None:
        if wanted is None:
            return
        with suppress(ClientError):  # says so when it is on already
            self._client("dynamodb").update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)

    def _limit(self, mapping: str) -> None:
        # A number that comes from a parameter stays text there, and its poller then stumbles over it.
        functions = self._client("lambda")
        given = functions.get_event_source_mapping(UUID=mapping)["ScalingConfig"]["MaximumConcurrency"]
        functions.update_event_source_mapping(UUID=mapping, ScalingConfig={"MaximumConcurrency": int(given)})

    def _refuse_politely(self, api_id: str, body: dict[str, Any]) -> None:
        # Gateway responses in an OpenAPI body are dropped there, and take effect with a deployment.
        gateway = self._client("apigateway")
        for kind, given in body["x-amazon-apigateway-gateway-responses"].items():
            status = {"statusCode": str(given["statusCode"])} if "statusCode" in given else {}
            gateway.put_gateway_response(
                restApiId=api_id,
                responseType=kind,
                responseParameters=given["responseParameters"],
                responseTemplates=given["responseTemplates"],
                **status,
            )
        gateway.create_deployment(restApiId=api_id, stageName="v1")

    def _client(self, service: str) -> Any:
        return boto3.client(service, **credentials(self._home.port))


def _architecture() -> str:
    return _ARCHITECTURES.get(platform.machine().lower(), "x86_64")
