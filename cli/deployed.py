"""A deployed stack, as commands find it: on AWS with the user's credentials, or on the local stack."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from cli.local.deployment import configuration
from cli.local.emulator import credentials
from cli.trouble import Trouble


@dataclass(frozen=True, slots=True)
class Deployed:
    """What the stack says of itself, and how to reach its services (as boto3 takes it)."""

    outputs: Mapping[str, str]
    access: Mapping[str, Any]

    def client(self, service: str) -> Any:
        """A boto3 client."""
        return boto3.client(service, **self.access)

    def output(self, name: str) -> str:
        """Raises Trouble when the stack is too old to have it."""
        if name not in self.outputs:
            raise Trouble(f"the stack has no output {name}: it is of another version; deploy this one first")
        return self.outputs[name]


def find_stack(stack: str, region: str | None, local_port: int | None) -> Deployed:
    """The local stack on that port, else the stack of that name. Raises Trouble when it can't be read."""
    name = stack if local_port is None else configuration()["stack_name"]
    access = {"region_name": region} if local_port is None else credentials(local_port)
    try:
        found = boto3.client("cloudformation", **access).describe_stacks(StackName=name)["Stacks"][0]
    except (BotoCoreError, ClientError) as error:
        hint = "Is it deployed, and are your credentials set?" if local_port is None else "Does `rubato local up` run?"
        raise Trouble(f"can't read the stack {name!r}: {error}\n{hint}") from None
    return Deployed({each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}, access)
