"""API keys in DynamoDB."""

from pynamodb.exceptions import UpdateError

from rubato.adapters.dynamodb.tables import KeyItem, whole
from rubato.domain.access import ApiKey, Scope
from rubato.domain.errors import NotFound
from rubato.domain.hints import ActorKind

_LOST = "ConditionalCheckFailedException"


class DynamoKeys:
    """Implements ports.Keys."""

    def create(self, key: ApiKey) -> None:
        """One conditional put."""
        KeyItem(
            key_id=key.key_id,
            tenant_id=key.tenant_id,
            digest=key.digest,
            label=key.label,
            kind=key.kind.value,
            scopes=sorted(scope.value for scope in key.scopes),
            created_at=key.created_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
        ).save(condition=KeyItem.key_id.does_not_exist())

    def get(self, key_id: str) -> ApiKey | None:
        """One consistent read: a revoked key must not live on in a lagging replica."""
        try:
            return _load(KeyItem.get(key_id, consistent_read=True))
        except KeyItem.DoesNotExist:
            return None

    def list(self, tenant_id: str) -> list[ApiKey]:
        """One query of the index."""
        return [_load(item) for item in KeyItem.by_tenant.query(tenant_id)]

    def revoke(self, key_id: str, at: int) -> None:
        """One conditional update."""
        try:
            KeyItem(key_id).update([KeyItem.revoked_at.set(KeyItem.revoked_at | at)], condition=KeyItem.digest.exists())
        except UpdateError as error:
            if error.cause_response_code == _LOST:
                raise NotFound("key", key_id) from error
            raise


def _load(item: KeyItem) -> ApiKey:
    return ApiKey(
        key_id=item.key_id,
        tenant_id=item.tenant_id,
        digest=item.digest,
        label=item.label,
        kind=ActorKind(item.kind),
        scopes=frozenset(Scope(scope) for scope in item.scopes),
        created_at=int(item.created_at),
        expires_at=whole(item.expires_at),
        revoked_at=whole(item.revoked_at),
    )
