"""What the actions on signing keys take."""

from pydantic import Field

from rubato.interface.inputs.fields import PageInput
from rubato.interface.wire import Wire


class CreateSigningKeyInput(Wire):
    """Input of createSigningKey."""

    endpoint_id: str | None = Field(
        default=None, description="The endpoint whose requests it signs; without it, those of all that have no own key."
    )


class SigningKeyInput(Wire):
    """Input that names a signing key."""

    signing_key_id: str = Field(description="The signing key's id.")


class ListSigningKeysInput(PageInput):
    """Input of listSigningKeys."""
