"""The items of the keys table: API keys, registered agents, and the names that agents have taken."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from rubato.adapters.dynamodb.tables import SCHEMA_VERSION, BaseMeta, CompactJSON


def ends(prefix: str, after: str | None) -> tuple[str, str]:
    """The range of ids with this prefix, up to and including `after` whatever that is: two kinds share an index."""
    last = prefix + "~"
    return prefix, min(max(after, prefix), last) if after is not None else last


class KeysByTenant(GlobalSecondaryIndex["KeyItem"]):
    """Keys of a tenant in the order of their creation; agents of the tenant stand before them."""

    class Meta(BaseMeta):
        """Index name and projection."""

        index_name = "byTenant"
        projection = AllProjection()

    tenant_id = UnicodeAttribute(hash_key=True, attr_name="tenantId")
    key_id = UnicodeAttribute(range_key=True, attr_name="keyId")


class KeyItem(Model):
    """One API key; `digest` is the SHA-256 of the token."""

    class Meta(BaseMeta):
        """Bound by Keys."""

    key_id = UnicodeAttribute(hash_key=True, attr_name="keyId")
    tenant_id = UnicodeAttribute(attr_name="tenantId")
    digest = UnicodeAttribute()
    label = UnicodeAttribute()
    kind = UnicodeAttribute()
    scopes = CompactJSON()
    budget = CompactJSON(null=True)
    agent_id = UnicodeAttribute(null=True, attr_name="agentId")
    created_at = NumberAttribute(attr_name="createdAt")
    expires_at = NumberAttribute(null=True, attr_name="expiresAt")
    revoked_at = NumberAttribute(null=True, attr_name="revokedAt")
    last_used_at = NumberAttribute(null=True, attr_name="lastUsedAt")
    ttl = NumberAttribute(null=True)
    v = NumberAttribute(default=SCHEMA_VERSION)
    by_tenant = KeysByTenant()


class AgentsByTenant(GlobalSecondaryIndex["AgentItem"]):
    """Agents of a tenant in the order of their registration."""

    class Meta(BaseMeta):
        """Index name and projection."""

        index_name = "byTenant"
        projection = AllProjection()

    tenant_id = UnicodeAttribute(hash_key=True, attr_name="tenantId")
    agent_id = UnicodeAttribute(range_key=True, attr_name="keyId")


class AgentItem(Model):
    """One registered agent."""

    class Meta(BaseMeta):
        """Bound by Agents."""

    agent_id = UnicodeAttribute(hash_key=True, attr_name="keyId")
    tenant_id = UnicodeAttribute(attr_name="tenantId")
    name = UnicodeAttribute()
    owner = UnicodeAttribute()
    created_at = NumberAttribute(attr_name="createdAt")
    retired_at = NumberAttribute(null=True, attr_name="retiredAt")
    ttl = NumberAttribute(null=True)
    v = NumberAttribute(default=SCHEMA_VERSION)
    by_tenant = AgentsByTenant()


class AgentNameItem(Model):
    """A name that an agent of a tenant has, or had until it was retired. In no index."""

    class Meta(BaseMeta):
        """Bound by Agents."""

    name_id = UnicodeAttribute(hash_key=True, attr_name="keyId")
    agent_id = UnicodeAttribute(attr_name="agentId")
    retired_at = NumberAttribute(null=True, attr_name="retiredAt")
    ttl = NumberAttribute(null=True)
    v = NumberAttribute(default=SCHEMA_VERSION)
