"""Every scenario that can be played, by name. A variant is named after its scenario, with a slash."""

from cli.simulate.play.scenario import Scenario
from cli.simulate.scenarios.content_publishing import CONTENT_PUBLISHING, DOES_NOT_APPEAR
from cli.simulate.scenarios.data_collection import DATA_COLLECTION
from cli.simulate.scenarios.devops_health import DEVOPS_HEALTH, RESTARTS_IN_VAIN
from cli.simulate.scenarios.etl_pipeline import ETL_PIPELINE
from cli.simulate.scenarios.flash_sale import FLASH_SALE, SCALING_FAILS
from cli.simulate.scenarios.saas_billing import PAID_IN_BETWEEN, SAAS_BILLING

_ALL = (
    FLASH_SALE,
    SCALING_FAILS,
    DEVOPS_HEALTH,
    RESTARTS_IN_VAIN,
    CONTENT_PUBLISHING,
    DOES_NOT_APPEAR,
    ETL_PIPELINE,
    SAAS_BILLING,
    PAID_IN_BETWEEN,
    DATA_COLLECTION,
)
SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in _ALL}
