"""How many runs there were, beside what the design states and what its own timeline has room for."""

from cli.simulate.play.record import Record
from cli.simulate.play.scenario import Verdict
from cli.simulate.scenarios.flash_sale.expected import SUMS, Sum


def sums(record: Record) -> list[dict[str, str]]:
    """What the design states, what its own timeline has room for, and what was counted."""
    health = ("health checks", "most of them", "", len(record.of_tier("health")))
    stated = [
        (each.what, f"{each.low}-{each.high}", "{}-{}".format(*each.room), len(record.of_tier(*each.tiers)))
        for each in SUMS
    ]
    rows = [("endpoints", "10", "", len(record.members)), health, *stated]
    return [
        {"what": what, "stated": low_high, "timeline": room, "counted": str(count)}
        for what, low_high, room, count in rows
    ]


def sum_of(record: Record, wanted: Sum) -> Verdict:
    count = len(record.of_tier(*wanted.tiers))
    low, high = wanted.room
    stated = f"{wanted.low}-{wanted.high}"
    if wanted.low <= high and low <= wanted.high:
        return Verdict(f"{stated} {wanted.what}.", wanted.low <= count <= wanted.high, f"{count}")
    # Where both can't hold the timeline wins, and the claim says so itself.
    claim = f"{low}-{high} {wanted.what}, the timeline's room; stated: {stated}."
    return Verdict(claim, low <= count <= high, f"{count}")
