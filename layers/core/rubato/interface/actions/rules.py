"""The action that tries rules without effect."""

from rubato.domain.access import Caller, Scope
from rubato.interface.action import Action, action
from rubato.interface.inputs.rules import PreviewRulesInput
from rubato.interface.outputs.rules import RulesPreview
from rubato.interface.views import rules as views
from rubato.ports import World
from rubato.usecases import preview_rules as previewing


def preview_rules(world: World, caller: Caller, given: PreviewRulesInput) -> RulesPreview:
    """previewRules."""
    found = previewing.preview_rules(world, caller, given.job_id, given.document)
    return RulesPreview(items=[views.previewed(each) for each in found])


ACTIONS: tuple[Action, ...] = (
    action(
        "previewRules",
        "POST /jobs/{jobId}/rules/preview",
        Scope.JOBS_READ,
        "Try a job's rules over what is there now, or over a document of yours. Changes nothing.",
        takes=PreviewRulesInput,
        gives=RulesPreview,
        run=preview_rules,
        read_only=True,
        idempotent=True,
        when="After saving rules, or in trouble: which of the job's rules would fire, and what keeps the others.",
    ),
)
