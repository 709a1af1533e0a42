"""What the actions on secrets take."""

from typing import Annotated

from pydantic import Field

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


class SecretInput(Wire):
    """Input that names a secret of a job."""

    job_id: JobId
    secret_name: SecretName


class PutSecretInput(SecretInput):
    """Input of putSecret."""

    value: str = Field(
        min_length=MIN_LENGTH,
        max_length=MAX_BYTES,
        description=f"The value, at most {MAX_BYTES} bytes of UTF-8; no answer ever gives it back.",
        json_schema_extra={"writeOnly": True},
        repr=False,
    )


class ListSecretsInput(JobInput):
    """Input of listSecrets."""
