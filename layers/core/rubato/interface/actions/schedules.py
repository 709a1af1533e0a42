"""The actions on schedules that no endpoint has yet."""

from rubato.domain.access import Caller, Scope
from rubato.domain.endpoint import Clamp
from rubato.domain.instant import from_iso
from rubato.domain.preview import local_time, zone_of
from rubato.domain.schedule import read_baseline
from rubato.interface.action import Action, action
from rubato.interface.inputs.schedules import PreviewInput
from rubato.interface.outputs.schedules import PreviewedRun, SchedulePreview
from rubato.ports import World
from rubato.usecases import preview_schedule as previewing


def preview_schedule(world: World, _caller: Caller, given: PreviewInput) -> SchedulePreview:
    """previewSchedule."""
    baseline = read_baseline(given.baseline.model_dump(by_alias=True))
    clamp = Clamp(min_interval_ms=given.clamp.min_interval_ms, max_interval_ms=given.clamp.max_interval_ms)
    since = from_iso(given.from_, "from") if given.from_ is not None else None
    slots = previewing.preview_schedule(world, baseline, clamp, since=since, count=given.count)
    zone = zone_of(baseline)
    return SchedulePreview(timezone=zone, items=[PreviewedRun(at=slot, local=local_time(slot, zone)) for slot in slots])


ACTIONS: tuple[Action, ...] = (
    action(
        "previewSchedule",
        "POST /schedules/preview",
        Scope.ENDPOINTS_READ,
        "Show when a baseline within a clamp would run, before there is an endpoint. Stores nothing.",
        takes=PreviewInput,
        gives=SchedulePreview,
        run=preview_schedule,
        read_only=True,
        idempotent=True,
        when="To check a cron expression or an interval before it is saved.",
    ),
)
