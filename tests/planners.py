"""A memory world with a model, and what a test does with it: look around, let time pass, read what was kept."""

import json
from dataclasses import replace
from typing import Any

from rubato.adapters.scripted import ScriptedModel
from rubato.domain.analysis import Analysis
from rubato.domain.conversation import Results
from rubato.domain.endpoint import Endpoint
from rubato.domain.instant import MINUTE
from rubato.domain.jobs import Job, PlannerSettings
from rubato.domain.limits import Planning
from rubato.usecases.create_job import create_job
from rubato.usecases.handle_message import handle_message
from rubato.usecases.run_planner import run_planner
from tests.worlds import ANNE, MemoryWorld, an_endpoint

MODEL = Planning(model="scripted/test", input_price=3, output_price=15)
ON = PlannerSettings(enabled=True)


def planner_world(*script: Any, **terms: Any) -> Any:
    """A world whose model plays this script."""
    world = MemoryWorld()
    world.limits = replace(world.limits, planning=replace(MODEL, **terms))
    world.model = ScriptedModel(*script)
    return world


def a_planned_job(world: Any, settings: PlannerSettings = ON, caller: Any = ANNE, **fields: Any) -> Job:
    """A job with a planner."""
    draft = Job(job_id="", tenant_id="", name="shop", created_at=0, updated_at=0, planner=settings)
    return create_job(world, caller, replace(draft, **fields))


def a_planned_endpoint(world: Any, baseline: Any = None, settings: PlannerSettings = ON, **config: Any) -> Endpoint:
    """An endpoint of a job with a planner."""
    return an_endpoint(world, baseline, config.pop("job", None) or a_planned_job(world, settings), **config)


def look_around(world: Any) -> list[str]:
    """One schedule of the planner and all that its queue then holds; gives the outcomes of analyses."""
    run_planner(world, world.clock.now() + MINUTE)
    return drain(world)


def drain(world: Any) -> list[str]:
    """Everything that is on the queues now."""
    outcomes = [handle_message(world, message) for message in world.queue.receive(world.clock.now())]
    return [outcome for outcome in outcomes if "analysis" in outcome or outcome == "not_due"]


def analyses(world: Any, endpoint: Endpoint) -> tuple[Analysis, ...]:
    """Newest first."""
    found: tuple[Analysis, ...] = world.analyses.of_endpoint(endpoint.id, 50, None).items
    return found


def told(world: Any) -> list[dict[str, Any]]:
    """What the model was told of its calls so far, as it stands within the fences."""
    turns = world.model.asked[-1].turns
    texts = [result.text for turn in turns if isinstance(turn, Results) for result in turn.results]
    return [json.loads(text.removeprefix("<data>").removesuffix("</data>")) for text in texts]
