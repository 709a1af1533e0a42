"""The one list of actions. Routes, schemas and tools are drawn from it; nothing is callable that is not here."""

from rubato.interface.action import Action
from rubato.interface.actions import (
    agents,
    analyses,
    catalog,
    endpoints,
    history,
    jobs,
    keys,
    rules,
    runs,
    schedules,
    secrets,
    signing,
    steering,
    usage,
)

CATALOG: tuple[Action, ...] = (
    *jobs.ACTIONS,
    *endpoints.ACTIONS,
    *rules.ACTIONS,
    *steering.ACTIONS,
    *schedules.ACTIONS,
    *runs.ACTIONS,
    *history.ACTIONS,
    *analyses.ACTIONS,
    *keys.ACTIONS,
    *agents.ACTIONS,
    *signing.ACTIONS,
    *secrets.ACTIONS,
    *usage.ACTIONS,
    *catalog.ACTIONS,
)
