"""Every scenario that can be played, by name. A variant is named after its scenario, with a slash."""

from cli.simulate.play.scenario import Scenario
from cli.simulate.scenarios.flash_sale import FLASH_SALE, SCALING_FAILS

SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in (FLASH_SALE, SCALING_FAILS)}
