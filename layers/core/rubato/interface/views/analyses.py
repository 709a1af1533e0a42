"""From analyses to answers."""

from rubato.domain.analysis import Analysis
from rubato.interface.outputs.analyses import AnalysisView, ToolUseView


def analysis_view(analysis: Analysis) -> AnalysisView:
    """An analysis in full."""
    calls = [
        ToolUseView(name=use.name, arguments=use.arguments, result=use.result, is_error=use.is_error)
        for use in analysis.calls
    ]
    return AnalysisView(
        analysis_id=analysis.analysis_id,
        endpoint_id=analysis.endpoint_id,
        job_id=analysis.job_id,
        model=analysis.model,
        dry_run=analysis.is_dry_run,
        started_at=analysis.started_at,
        finished_at=analysis.finished_at,
        duration_ms=analysis.duration_ms,
        outcome=analysis.outcome,
        error=analysis.error,
        fault=analysis.fault,
        reasoning=analysis.reasoning,
        confidence=analysis.confidence,
        next_analysis_in_ms=analysis.next_analysis_in_ms,
        tool_calls=calls,
        ignored_calls=analysis.ignored_calls,
        input_tokens=analysis.input_tokens,
        output_tokens=analysis.output_tokens,
        cost=analysis.cost,
    )
