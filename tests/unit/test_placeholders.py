"""Secrets in a request: where they may stand, and what takes their place."""

import json
import tracemalloc
from typing import Any

import pytest

from rubato.domain.endpoint import TargetRequest
from rubato.domain.errors import Invalid
from rubato.domain.exchange import Call
from rubato.domain.placeholders import (
    MAX_FILLED_BODY,
    MAX_FILLED_HEADERS,
    MAX_PLACEHOLDERS,
    check_placeholders,
    fill,
    hidden,
    names_in_call,
    names_in_request,
)

URL = "https://example.com/x"


def request(**parts: Any) -> TargetRequest:
    return TargetRequest(**{"url": URL, **parts})


def call(**parts: Any) -> Call:
    return Call(**{"method": "POST", "url": URL, **parts})


ALLOWED = [
    request(url=URL + "?token={{secret:A}}&b={{secret:B_2}}"),
    request(headers=(("Authorization", "Bearer {{secret:A}}"), ("X", "{{secret:A}}{{secret:B_2}}"))),
    request(body="a={{secret:A}} {{secret:B_2}}"),
    request(body={"deep": [{"er": "x{{secret:A}}"}, "{{secret:B_2}}"]}),
]
REFUSED = [
    (request(url="https://{{secret:A}}/"), "request.url"),
    (request(url="https://{{secret:A}}.example.com/?x={{secret:A}}"), "request.url"),
    (request(url="https://example.com/{{secret:A}}"), "request.url"),
    (request(url="https://example.com/?a#{{secret:A}}"), "request.url"),
    (request(url=URL + "?x={{secret:1A}}"), "request.url"),
    (request(headers=(("X", "{{secret:}}"),)), "request.headers.X"),
    (request(headers=(("X", "{{secret:A}"),)), "request.headers.X"),
    (request(body=["{{secret:A-B}}"]), "request.body"),
    (request(body="{{secret:" + "A" * 65 + "}}"), "request.body"),
]


@pytest.mark.parametrize("allowed", ALLOWED)
def test_a_secret_may_stand_in_query_headers_and_body(allowed: TargetRequest) -> None:
    check_placeholders(allowed)
    assert "A" in names_in_request(allowed) <= {"A", "B_2"}


@pytest.mark.parametrize(("refused", "path"), REFUSED)
def test_a_secret_elsewhere_or_misspelled_is_refused(refused: TargetRequest, path: str) -> None:
    with pytest.raises(Invalid) as error:
        check_placeholders(refused)
    assert path in {each.path for each in error.value.errors}


def test_in_the_query_a_value_is_percent_encoded_so_that_it_stays_one_value() -> None:
    filled = fill(call(url=URL + "?t={{secret:A}}&u=1"), {"A": "a&b=#/?@ü "}, is_json=False)
    assert filled.url == URL + "?t=a%26b%3D%23%2F%3F%40%C3%BC%20&u=1"


def test_in_a_json_body_a_value_stays_one_string() -> None:
    value = 'quote " backslash \\ line\nü'
    body = json.dumps({"x": ["<{{secret:A}}>"], "{{secret:A}}": 1}).encode()
    filled = fill(call(body=body), {"A": value}, is_json=True)
    assert filled.body is not None and json.loads(filled.body) == {"x": [f"<{value}>"], value: 1}
    assert filled.confidential_body and filled.confidential_headers == frozenset()


def test_in_a_text_body_and_in_headers_a_value_stands_as_it_is_and_is_not_looked_into() -> None:
    values = {"A": "{{secret:B}}", "B": "never"}
    filled = fill(
        call(body=b"a={{secret:A}}", headers=(("X-One", "k {{secret:A}}"), ("Two", "2"))), values, is_json=False
    )
    assert filled.body == b"a={{secret:B}}" and dict(filled.headers)["X-One"] == "k {{secret:B}}"
    assert filled.confidential_headers == {"x-one"}


@pytest.mark.parametrize("value", ["a\r\nHost: evil", "a\nb", "trailing ", "日本", "nul\0"])
def test_what_would_break_out_of_a_header_is_refused_without_telling_the_value(value: str) -> None:
    with pytest.raises(Invalid, match="API_KEY can't go there") as error:
        fill(call(headers=(("X", "{{secret:API_KEY}}"),)), {"API_KEY": value}, is_json=False)
    assert value not in str(error.value)


def test_a_request_takes_so_many_placeholders_and_no_more() -> None:
    most: dict[str, Any] = {"headers": (("X", "{{secret:A}}"),), "body": "{{secret:B}}" * (MAX_PLACEHOLDERS - 1)}
    check_placeholders(request(**most))
    with pytest.raises(Invalid, match="101 placeholders"):
        check_placeholders(request(**most, url=URL + "?x={{secret:A}}"))


BIG = "swordfish" * 300
FITTING: dict[str, Any] = {
    "url": URL + "?k={{secret:S}}",
    "headers": (("A", "{{secret:B}}" * 6),),
    "body": b"{{secret:B}}" * 97,
}
TOO_LARGE: list[tuple[dict[str, Any], str, int]] = [
    ({"url": URL + "?k={{secret:B}}"}, "request.url", 2048),
    ({"headers": tuple((f"H{n}", "{{secret:B}}") for n in range(7))}, "request.headers", MAX_FILLED_HEADERS),
    ({"body": b"{{secret:B}}" * 98}, "request.body", MAX_FILLED_BODY),
]


def test_what_becomes_too_large_is_told_with_its_size_before_it_is_made() -> None:
    values = {"B": BIG, "S": "short"}
    filled = fill(call(**FITTING), values, is_json=False)
    assert filled.body is not None and len(filled.body) == 97 * len(BIG) <= MAX_FILLED_BODY
    for parts, path, limit in TOO_LARGE:
        with pytest.raises(Invalid, match=f"at most {limit} can be sent") as error:
            fill(call(**parts), values, is_json=False)
        assert {each.path for each in error.value.errors} == {path} and "swordfish" not in str(error.value)


def test_the_size_is_that_of_a_value_as_it_is_spelled_there() -> None:
    body = b'["' + b"{{secret:A}}" * 15 + b'"]'
    with pytest.raises(Invalid, match="becomes 276484 bytes"):
        fill(call(body=body), {"A": "\1" * 3072}, is_json=True)
    assert len(fill(call(body=body), {"A": "\1" * 3072}, is_json=False).body or b"") == 15 * 3072 + 4


def test_what_was_saved_with_many_placeholders_takes_no_memory() -> None:
    tracemalloc.start()
    with pytest.raises(Invalid):
        fill(call(body=b"{{secret:A}}" * 5400), {"A": "\1" * 3072}, is_json=True)
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_a_record_shows_stars_in_every_place() -> None:
    shown = hidden(call(url=URL + "?a={{secret:A}}", headers=(("X", "v {{secret:A}}"),), body=b"<{{secret:B}}>"))
    assert (shown.url, shown.headers, shown.body) == (URL + "?a=***", (("X", "v ***"),), b"<***>")
    plain = call(body=b"plain {{ braces }}")
    assert hidden(plain) is plain and names_in_call(plain) == frozenset()
