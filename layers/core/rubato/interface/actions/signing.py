"""The actions on signing keys."""

from rubato.domain.access import Caller, Scope
from rubato.interface.action import Action, action
from rubato.interface.actions.paging import next_cursor, position
from rubato.interface.inputs.signing import CreateSigningKeyInput, ListSigningKeysInput, SigningKeyInput
from rubato.interface.outputs.signing import CreatedSigningKey, SigningKeyView
from rubato.interface.views.custody import created_signing_key, signing_key_view
from rubato.interface.wire import Listing
from rubato.ports import World
from rubato.usecases import manage_signing_keys


def create_key(world: World, caller: Caller, given: CreateSigningKeyInput) -> CreatedSigningKey:
    """createSigningKey."""
    return created_signing_key(*manage_signing_keys.create_signing_key(world, caller, given.endpoint_id))


def rotate_key(world: World, caller: Caller, given: SigningKeyInput) -> CreatedSigningKey:
    """rotateSigningKey."""
    return created_signing_key(*manage_signing_keys.rotate_signing_key(world, caller, given.signing_key_id))


def list_keys(world: World, caller: Caller, given: ListSigningKeysInput) -> Listing[SigningKeyView]:
    """listSigningKeys."""
    page = manage_signing_keys.list_signing_keys(world, caller, given.limit, position(given))
    items = [signing_key_view(key) for key in page.items]
    return Listing[SigningKeyView](items=items, next_cursor=next_cursor(given, page.next))


def delete_key(world: World, caller: Caller, given: SigningKeyInput) -> None:
    """deleteSigningKey."""
    manage_signing_keys.delete_signing_key(world, caller, given.signing_key_id)


ACTIONS: tuple[Action, ...] = (
    action(
        "createSigningKey",
        "POST /signing-keys",
        Scope.KEYS_WRITE,
        "Begin to sign the requests of an endpoint, or of all endpoints; the key is shown this once.",
        takes=CreateSigningKeyInput,
        gives=CreatedSigningKey,
        run=create_key,
        status=201,
        creates=True,
    ),
    action(
        "rotateSigningKey",
        "POST /signing-keys/{signingKeyId}/rotate",
        Scope.KEYS_WRITE,
        "Add a second key that signs beside the first, until one of them is deleted; it is shown this once.",
        takes=SigningKeyInput,
        gives=CreatedSigningKey,
        run=rotate_key,
        status=201,
        creates=True,
    ),
    action(
        "listSigningKeys",
        "GET /signing-keys",
        Scope.KEYS_READ,
        "List signing keys, never their secrets.",
        takes=ListSigningKeysInput,
        gives=Listing[SigningKeyView],
        run=list_keys,
        read_only=True,
        idempotent=True,
    ),
    action(
        "deleteSigningKey",
        "DELETE /signing-keys/{signingKeyId}",
        Scope.KEYS_WRITE,
        "Retire a signing key within 60 seconds; without its last key, an endpoint or tenant signs no more.",
        takes=SigningKeyInput,
        gives=None,
        run=delete_key,
        status=204,
        destructive=True,
        deletes=True,
        idempotent=True,
    ),
)
