"""The actions on secrets."""

from rubato.domain.access import Caller, Scope
from rubato.interface.action import Action, action
from rubato.interface.inputs.secrets import ListSecretsInput, PutSecretInput, SecretInput
from rubato.interface.outputs.secrets import SecretsView, SecretView
from rubato.interface.views.custody import secret_view
from rubato.ports import World
from rubato.usecases import manage_secrets


def put_secret(world: World, caller: Caller, given: PutSecretInput) -> SecretView:
    """putSecret."""
    put = manage_secrets.put_secret(world, caller, given.job_id, given.secret_name, given.value, given.hosts)
    return secret_view(put)


def list_secrets(world: World, caller: Caller, given: ListSecretsInput) -> SecretsView:
    """listSecrets."""
    return SecretsView(items=[secret_view(each) for each in manage_secrets.list_secrets(world, caller, given.job_id)])


def delete_secret(world: World, caller: Caller, given: SecretInput) -> None:
    """deleteSecret."""
    manage_secrets.delete_secret(world, caller, given.job_id, given.secret_name)


ACTIONS: tuple[Action, ...] = (
    action(
        "putSecret",
        "PUT /jobs/{jobId}/secrets/{secretName}",
        Scope.KEYS_WRITE,
        "Keep a secret for a job's requests to the given hosts, in place of an older one; it counts within 60 seconds.",
        takes=PutSecretInput,
        gives=SecretView,
        run=put_secret,
        idempotent=True,
    ),
    action(
        "listSecrets",
        "GET /jobs/{jobId}/secrets",
        Scope.KEYS_READ,
        "List the names of a job's secrets and the hosts that get them, never their values.",
        takes=ListSecretsInput,
        gives=SecretsView,
        run=list_secrets,
        read_only=True,
        idempotent=True,
    ),
    action(
        "deleteSecret",
        "DELETE /jobs/{jobId}/secrets/{secretName}",
        Scope.KEYS_WRITE,
        "Forget a secret; runs that name it fail within 60 seconds and call nobody.",
        takes=SecretInput,
        gives=None,
        run=delete_secret,
        status=204,
        destructive=True,
        deletes=True,
        idempotent=True,
    ),
)
