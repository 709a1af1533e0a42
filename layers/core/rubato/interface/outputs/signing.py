"""What the actions on signing keys answer."""

from typing import ClassVar

from pydantic import Field

from rubato.interface.wire import Output, Time


class SigningKeyView(Output):
    """A signing key, without its secret."""

    signing_key_id: str = Field(description="The signing key's id.")
    endpoint_id: str | None = Field(description="The endpoint whose requests it signs; null for the tenant's.")
    created_at: Time = Field(description="When it was made.")


class CreatedSigningKey(SigningKeyView):
    """A new signing key, with its secret."""

    told_once: ClassVar[frozenset[str]] = frozenset({"secret"})

    secret: str | None = Field(
        description="whsec_..., for whoever verifies, shown this once; null when an Idempotency-Key repeats the answer."
    )
