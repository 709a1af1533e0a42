"""What the actions on secrets answer: names, never values."""

from pydantic import Field

from rubato.interface.wire import Output, Time


class SecretView(Output):
    """A secret, without its value."""

    name: str = Field(description="What {{secret:NAME}} calls it.")
    hosts: list[str] = Field(
        description='The hosts that get its value; ["*"] is any host.', examples=[["api.example.com"]]
    )
    updated_at: Time = Field(description="When its value was put last.")


class SecretsView(Output):
    """The secrets of a job."""

    items: list[SecretView] = Field(description="By name.")
