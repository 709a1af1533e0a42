"""What an endpoint says about others of its job: whom it follows (`after`) and on whom it depends (`dependsOn`)."""

from collections.abc import Mapping

from rubato.domain.endpoint import EndpointConfig, EndpointState, RunStatus
from rubato.domain.schedule import AfterBaseline

AFTER_PATH = "baseline.after"
DEPENDS_PATH = "dependsOn"
_SHOWN = 60


def followed(config: EndpointConfig) -> tuple[str, ...]:
    """The names that its baseline follows."""
    return config.baseline.names if isinstance(config.baseline, AfterBaseline) else ()


def references(config: EndpointConfig) -> dict[str, tuple[str, ...]]:
    """The names, by the field that holds them; fields without names are left out."""
    found = {AFTER_PATH: followed(config), DEPENDS_PATH: config.depends_on}
    return {path: names for path, names in found.items() if names}


def closed_by(names: tuple[str, ...], states: Mapping[str, EndpointState]) -> str | None:
    """Why the gate is closed, `states` being those of the endpoints that exist; None when it is open."""
    reasons = [reason for name in names if (reason := _closed_by(name, states.get(name)))]
    if len(reasons) < 2:
        return reasons[0] if reasons else None
    # It is kept in the state, whose bytes each run pays.
    return f"{reasons[0]}, and {len(reasons) - 1} more of them"


def _closed_by(name: str, state: EndpointState | None) -> str | None:
    name = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}..."
    if state is None:
        return f"dependsOn: the job has no endpoint {name!r} any more"
    if state.outcome is None:
        return f"dependsOn: {name!r} has not run yet"
    return f"dependsOn: the latest scheduled run of {name!r} failed" if state.outcome is RunStatus.FAILURE else None
