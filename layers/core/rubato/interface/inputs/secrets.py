"""What the actions on secrets take."""

from typing import Annotated

from pydantic import Field

from rubato.domain.hosts import MAX_HOSTS, MAX_LENGTH
from rubato.domain.placeholders import NAME
from rubato.domain.secrets import MAX_BYTES, MIN_LENGTH
from rubato.interface.inputs.fields import JobId, JobInput
from rubato.interface.wire import Wire

SecretName = Annotated[
    str,
    Field(
        pattern=rf"^{NAME}$",
        description="The secret's name: a letter, then up to 63 letters, digits or underscores.",
    ),
]

HostText = Annotated[
    str,
    Field(max_length=MAX_LENGTH, description="A host, or * for any.", json_schema_extra={"format": "secret-host"}),
]


class SecretInput(Wire):
    """Input that names a secret of a job."""

    job_id: JobId
    secret_name: SecretName


class PutSecretInput(SecretInput):
    """Input of putSecret."""

    hides_unknown = True

    value: str = Field(
        min_length=MIN_LENGTH,
        max_length=MAX_BYTES,
        description=f"The value, at most {MAX_BYTES} bytes of UTF-8; no answer ever gives it back.",
        json_schema_extra={"writeOnly": True},
        repr=False,
    )
    hosts: list[HostText] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_HOSTS,
        description="The only hosts that get the value: api.example.com, *.example.com (what is below it, not itself),"
        " api.example.com:8443; https is meant, http:// in front allows plain HTTP. * alone: any host. Omitted or null"
        " keeps the hosts; a new secret then goes to any.",
    )


class ListSecretsInput(JobInput):
    """Input of listSecrets."""
