"""Forty minutes of a shop's flash sale, and the variant in which scaling fails."""

from collections.abc import Mapping
from dataclasses import replace

from cli.simulate.play.scenario import Scenario
from cli.simulate.scenarios.flash_sale.claims import claims, claims_when_scaling_fails
from cli.simulate.scenarios.flash_sale.phases import CRITICAL, PHASES, Phase, phase_of
from cli.simulate.scenarios.flash_sale.shop import Shop
from cli.simulate.scenarios.flash_sale.sums import sums


def _columns(phase: Phase) -> Mapping[str, str]:
    return {
        "phase": phase.name,
        "visitors": str(phase.visitors),
        "page ms": str(phase.page_ms),
        "orders": str(phase.orders),
        "db ms": str(phase.db_ms),
    }


FLASH_SALE = Scenario(
    name="flash-sale",
    blueprint="flash-sale",
    summary="a shop's sale: watch, investigate, recover, alert, and back to normal",
    minutes=40,
    targets=Shop,
    claims=claims,
    sums=sums,
    phases=tuple((phase.since, phase.name) for phase in PHASES),
    tell=lambda minute: _columns(phase_of(minute)),
)
SCALING_FAILS = replace(
    FLASH_SALE,
    name="flash-sale/scaling-fails",
    summary="a shop's sale in which no workers can be had: the trouble goes on, and the engineer on call is woken once",
    targets=lambda: Shop(scaling_fails=True),
    claims=claims_when_scaling_fails,
    sums=lambda _record: [],
    phases=tuple((phase.since, phase.name) for phase in PHASES if phase.since <= CRITICAL.since),
    tell=lambda minute: _columns(phase_of(min(minute, CRITICAL.since))),
)
