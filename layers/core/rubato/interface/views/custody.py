"""From secrets and signing keys to answers."""

from rubato.domain.secrets import Secret
from rubato.domain.signing import SigningKey
from rubato.interface.outputs.secrets import SecretView
from rubato.interface.outputs.signing import CreatedSigningKey, SigningKeyView


def secret_view(secret: Secret) -> SecretView:
    """A secret's name and who may get it."""
    return SecretView(name=secret.name, hosts=list(secret.hosts), updated_at=secret.updated_at)


def signing_key_view(key: SigningKey) -> SigningKeyView:
    """A signing key."""
    return SigningKeyView(signing_key_id=key.key_id, endpoint_id=key.endpoint_id, created_at=key.created_at)


def created_signing_key(key: SigningKey, secret: str) -> CreatedSigningKey:
    """A signing key with the secret that is shown this once."""
    return CreatedSigningKey(
        signing_key_id=key.key_id, endpoint_id=key.endpoint_id, created_at=key.created_at, secret=secret
    )
