"""What AWS asks: on-demand list prices of us-east-1 in dollars, as published in November 2026."""

REGION = "us-east-1"
MILLION = 1_000_000
PRICES = {
    "writeUnits": 0.625 / MILLION,
    "readUnits": 0.125 / MILLION,
    "sqsRequests": 0.40 / MILLION,
    "lambdaRequests": 0.20 / MILLION,
    "lambdaGbSeconds": 0.0000133334,  # arm64
}


def dollars(amounts: dict[str, float], times: float = 1) -> dict[str, float]:
    """The price of each amount, `times` over, and their sum. Raises KeyError for what has no price."""
    parts = {name: round(amount * PRICES[name] * times, 4) for name, amount in amounts.items()}
    return {**parts, "sum": round(sum(parts.values()), 4)}
