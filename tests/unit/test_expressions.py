"""JMESPath as rules use it: forgiving of what is missing, deaf to what would hold a worker."""

import time
from typing import Any

import pytest

from rubato.domain.errors import Invalid
from rubato.domain.expressions import MAX_LENGTH, Unevaluable, check_expression, evaluate, is_true
from rubato.domain.mentions import mentions_of

TRAFFIC = {"endpoints": {"traffic": {"body": {"visitors": 5000, "name": "shop", "slow": ["a", "b"], "nil": None}}}}


@pytest.mark.parametrize(
    ("when", "value"),
    [
        ("endpoints.traffic.body.visitors > `2000`", True),
        ("endpoints.traffic.body.visitors > `2000` && endpoints.traffic.body.visitors < `4000`", False),
        ("endpoints.traffic.body.missing > `2000`", None),
        ("endpoints.absent.body.visitors", None),
        ("length(endpoints.traffic.body.slow) > `1`", True),
        ("length(endpoints.absent.body.slow) > `1`", None),
        ("contains(endpoints.traffic.body.slow, 'b')", True),
        ("contains(endpoints.absent.body.slow, 'b')", None),
        ("contains(endpoints.traffic.body.name, endpoints.absent.status)", False),
        ("starts_with(endpoints.traffic.body.nil, 'x')", None),
        ("sum([endpoints.traffic.body.visitors, endpoints.absent.body.visitors])", 5000),
        ("max_by(endpoints.*.body, &missing)", None),
        ("sort_by(endpoints.*.body, &visitors)[0].name", "shop"),
        ("!(endpoints.absent)", True),
        ("endpoints.*.body.visitors | [0]", 5000),
        ("to_number('abc')", None),
        ("endpoints.traffic.body.visitors == `5000`", True),
    ],
)
def test_a_missing_value_is_null_and_false_and_never_an_error(when: str, value: Any) -> None:
    check_expression(when, "when")
    assert evaluate(when, TRAFFIC) == value


@pytest.mark.parametrize(
    ("value", "truth"), [(None, False), (False, False), ("", False), ([], False), ({}, False), (0, True), ("x", True)]
)
def test_truth_is_that_of_jmespath(value: Any, truth: bool) -> None:
    assert is_true(value) is truth


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("endpoints.traffic.body.name > `5`", "not supported between"),
        ("length(endpoints.traffic.body.visitors)", "length() takes string or array or object, not number"),
        ("sum(endpoints.traffic.body.slow)", "sum() takes"),
    ],
)
def test_what_has_no_value_says_why_and_quotes_no_answer(when: str, message: str) -> None:
    with pytest.raises(Unevaluable) as refused:
        evaluate(when, TRAFFIC)
    assert message in str(refused.value) and "shop" not in str(refused.value)


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("a >", "is no JMESPath expression"),
        ("a > 5", "write numbers as `5`"),
        ("a &&& b", "& stands only before"),
        ("!endpoints.a.paused", "write !(a.b) for !a.b"),
        ("", "is no JMESPath expression"),
        ("frobnicate(a)", "JMESPath has no function frobnicate()"),
        ("length(a, b)", "length() takes 1 arguments, not 2"),
        ("length()", "length() takes 1 arguments, not 0"),
        ("&a", "& stands only before an argument"),
        ("[&a]", "& stands only before an argument"),
        ("a" * (MAX_LENGTH + 1), "at most 2000 are allowed"),
        ("(" * 900 + "a" + ")" * 900, "nested too deeply"),
        ("!" * 1900 + "a", "nested too deeply"),
        ("||".join(["a"] * 200), "nested too deeply"),
        ("[" + ",".join(["a"] * 600) + "]", "too many parts"),
        ("a.b[" * 200 + "0" + "]" * 200, "expression"),
        ('"' + "a" * 50, "is no JMESPath expression"),
    ],
)
def test_what_is_no_expression_or_too_much_of_one_is_refused(when: str, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_expression(when, "rules.0.when")
    assert refused.value.errors[0].path == "rules.0.when" and message in refused.value.errors[0].message


HOSTILE = {
    "doubling lists": "[[@,@,@,@]|[@,@,@,@]|[@,@,@,@]|[@,@,@,@]|[@,@,@,@]|[@,@,@,@]|[@,@,@,@]|[@,@,@,@]] | to_string(@)",
    "doubling flat lists": " | ".join(["[@,@,@,@,@,@,@,@][]"] * 12),
    "doubling text": " | ".join(["join('', [@,@,@,@,@,@,@,@])"] * 20).replace(
        "join('', [@", "join('', [to_string(@)", 1
    ),
    "wide joins": "join(join('', long), long)",
    "equal but not same": "|".join(["[@,@,@,@]"] * 30) + "|@ == [@[0],@[1],@[2],@[3]]",
    "searching shared parts": "|".join(["[@,@,@,@]"] * 30) + "|contains(@, `1`)",
    "nested projections": "long[*].[@,@,@,@,@,@,@,@] | [*][*].[@,@,@,@]",
    "sorting by sorting": "sort_by(long, &length(sort(map(&length(@), [@,@,@,@,@,@,@,@,@,@]))))",
    "deep document": "deep == deep",
    "deep text": "to_string(deep)",
    "maps of maps": "map(&map(&map(&[@,@,@,@], [@,@,@,@]), [@,@,@,@]), long)",
    "huge number": "to_number(digits) > `1`",
    "reversing": " | ".join(["long"] + ["reverse(@)"] * 25),
}


def _hostile_document() -> dict[str, Any]:
    deep: Any = 1
    for _ in range(20_000):
        deep = [deep]
    return {"long": ["x" * 60] * 1000, "deep": deep, "digits": "9" * 60_000}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_expression_holds_a_worker(name: str) -> None:
    document, began = _hostile_document(), time.process_time()
    check_expression(HOSTILE[name], "when")
    try:
        evaluate(HOSTILE[name], document)
    except Unevaluable as refused:
        assert str(refused)
    # Without the caps each would take hours, or all the memory; with them some 50 ms and what the collector adds.
    assert time.process_time() - began < 10


@pytest.mark.parametrize("when", ["items != `null`", "length(items) > `5`", "contains(items, `7`)", "items && !(gone)"])
def test_a_large_answer_is_no_reason_to_refuse_what_looks_at_it_briefly(when: str) -> None:
    assert evaluate(when, {"items": [*range(9_000), *([[1, 2, 3]] * 6_000)]}) is True


@pytest.mark.parametrize(
    ("when", "endpoints"),
    [
        ("endpoints.a.status == 'failure'", {"a": {"status"}}),
        ("endpoints.a.body.x[0].y > `1` && endpoints.b.ageSeconds > `5`", {"a": {"body"}, "b": {"ageSeconds"}}),
        ("endpoints.*.status", {"*": {"status"}}),
        ("endpoints.a", {"a": {"*"}}),
        ("endpoints.a.[status, body.x]", {"a": {"status", "body"}}),
        ("endpoints.a | body", {"a": {"body"}}),
        ("endpoints.a.body.items[?price > `5`].name", {"a": {"body"}}),
        ("keys(endpoints)", {"*": {"*"}}),
        ("@", {"*": {"*"}}),
        ("*.a", {"a": {"*"}}),
        ("(endpoints.a || endpoints.b).body", {"a": {"*"}, "b": {"*"}}),
        ("length(endpoints.a.body.items[*].x) > `3`", {"a": {"body"}}),
        ("max_by(endpoints.a.body.items, &price).name", {"a": {"body"}}),
        ("rules.surge.heldSeconds > `900`", {}),
        ("minuteOfDay > `540` && weekday < `6`", {}),
        ('endpoints."my probe".runsLastHour', {"my probe": {"runsLastHour"}}),
        ("{x: endpoints.a.paused}.x", {"a": {"paused"}}),
        ("endpoints.a.body[].x", {"a": {"body"}}),
    ],
)
def test_only_what_is_mentioned_is_read(when: str, endpoints: dict[str, set[str]]) -> None:
    assert mentions_of([when]).endpoints == endpoints
