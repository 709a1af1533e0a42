"""`rubato simulate load`: would it carry so many endpoints, how late would they be, and what would it cost?"""

import json
from typing import Annotated, Any

import typer

from cli.simulate.capacity import measured
from cli.simulate.capacity.answer import answer, enough, first_dispatchers, needs_of, shards_for, tick_workers_for
from cli.simulate.capacity.deployment import Deployment
from cli.simulate.capacity.traffic import Spread, Traffic
from cli.trouble import Trouble

_AUTO = 0


def load(
    endpoints: Annotated[int, typer.Option(min=1, help="How many endpoints.")] = 10_000,
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds between the runs of each.")] = 60,
    spread: Annotated[Spread, typer.Option(help="How their slots lie within the interval.")] = Spread.EVEN,
    target_ms: Annotated[float, typer.Option(min=0, help="How long a target takes, half as much more or less.")] = 200,
    slow_share: Annotated[float, typer.Option(min=0, max=1, help="Share of targets that take 5 s.")] = 0.01,
    shards: Annotated[int, typer.Option(min=0, help="ScheduleShards; 0 finds how many are needed.")] = _AUTO,
    tick_workers: Annotated[int, typer.Option(min=0, help="Invocations that share a tick; 0 finds out.")] = _AUTO,
    dispatchers: Annotated[int, typer.Option(min=0, help="DispatcherConcurrency; 0 finds out.")] = _AUTO,
    memory_mb: Annotated[int, typer.Option(min=128, help="Memory, and so processor, of a dispatcher.")] = 512,
    p99_ms: Annotated[float, typer.Option(min=1, help="What 99 % of the calls may be late by, to find out.")] = 500,
    published: Annotated[bool, typer.Option(help="Keep within the default quotas.")] = False,
    local: Annotated[bool, typer.Option(help="A local stack instead of AWS.")] = False,
    seed: Annotated[int, typer.Option(help="Another seed, other chances.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Simulate a load on paper: shards, workers, lateness and cost, from published limits and measured calls."""
    traffic = Traffic(
        endpoints=endpoints,
        interval_ms=round(interval * 1000),
        spread=spread,
        target_ms=target_ms,
        slow_share=slow_share,
        seed=seed,
    )
    if local and (shards or tick_workers or dispatchers or published):
        raise Trouble(
            "--local has the workers and shards of samconfig.toml; leave --shards, --tick-workers, --dispatchers out"
        )
    deployment = _local() if local else _aws(traffic, shards, tick_workers, dispatchers, memory_mb, p99_ms)
    if published:
        deployment = deployment.within_quotas()
    facts = answer(traffic, deployment)
    typer.echo(json.dumps(facts) if as_json else _told(facts))


def _aws(
    traffic: Traffic, shards: int, tick_workers: int, dispatchers: int, memory_mb: int, p99_ms: float
) -> Deployment:
    needs, place = needs_of(traffic), measured.aws(memory_mb)
    return Deployment(
        shards=shards or shards_for(needs),
        tick_workers=tick_workers or tick_workers_for(needs),
        dispatchers=dispatchers or enough(traffic, p99_ms, place),
        first_dispatchers=first_dispatchers(traffic.spread),
        writes_per_s=None,
        place=place,
    )


def _local() -> Deployment:
    return Deployment(dispatchers=measured.LOCAL_DISPATCHERS, writes_per_s=None, place=measured.LOCAL)


def _told(facts: dict[str, Any]) -> str:
    return "\n".join(f"{name:16} {_line(value)}" for name, value in facts.items())


def _line(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {amount}" for name, amount in value.items())
    if isinstance(value, list):
        return "; ".join(_line(each) for each in value) or "none"
    return str(value)
