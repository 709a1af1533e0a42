"""From rules to answers."""

from rubato.domain.instant import SECOND
from rubato.domain.rule_ledger import Trouble
from rubato.domain.rules import Rule, spell_action, spell_rule
from rubato.interface.outputs.rules import PreviewedRule, RuleTrouble, RuleView, RuleWarning
from rubato.usecases.preview_rules import Preview


def rule_view(rule: Rule) -> RuleView:
    """A rule."""
    return RuleView.model_validate(spell_rule(rule))


def trouble_view(trouble: Trouble) -> RuleTrouble:
    """What went wrong with a rule."""
    return RuleTrouble(rule=trouble.rule, kind=trouble.kind, message=trouble.message, at=trouble.at)


def warning_view(rule: str, message: str) -> RuleWarning:
    """What is odd about a rule."""
    return RuleWarning(rule=rule, message=message)


def previewed(preview: Preview) -> PreviewedRule:
    """What a rule would do."""
    return PreviewedRule(
        name=preview.name,
        value=preview.value,
        held_seconds=preview.held_ms // SECOND,
        would_fire=preview.blocked_by is None,
        blocked_by=preview.blocked_by,
        actions=[spell_action(action) for action in preview.actions],
        error=preview.error,
    )
