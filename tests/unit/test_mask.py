"""Values that a target repeats, in whatever spelling, are hidden."""

import html
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rubato.domain.exchange import ErrorKind, Reply
from rubato.domain.mask import Mask

VALUE = "s3cr3t/+ü&\"' <p>=%41"
SPELLINGS: list[Callable[[str], str]] = [
    str,
    quote,
    lambda v: quote(v, safe=""),
    lambda v: quote(v, safe="").lower(),
    quote_plus,
    lambda v: quote(quote(v)),
    lambda v: "".join(f"%{byte:02x}" for byte in v.encode()),
    lambda v: json.dumps({"echo": v}),
    lambda v: json.dumps({"echo": v}, ensure_ascii=False),
    lambda v: json.dumps(v).replace("/", "\\/"),
    lambda v: json.dumps(json.dumps(v)),
    html.escape,
    lambda v: "".join(f"&#{ord(each)};" for each in v),
    lambda v: "".join(f"\\u{ord(each):04X}" for each in v),
    repr,
    lambda v: v.encode().hex(),
    lambda v: v.encode().decode("latin-1"),
    lambda v: b64encode(v.encode()).decode(),
    lambda v: urlsafe_b64encode(v.encode()).decode(),
    lambda v: "Basic " + b64encode(f"user:{v}".encode()).decode(),
    lambda v: "Basic " + b64encode(f"me:{v}".encode()).decode(),
    lambda v: b64encode(f"a:{v} and more".encode()).decode(),
    lambda v: "\n".join(b64encode(f"{'x' * 50}{v}".encode()).decode()[n : n + 76] for n in range(0, 152, 76)),
]


def shows(text: str, value: str) -> bool:
    return value in text or value[: len(value) // 2] in text or b64encode(value.encode()).decode()[:12] in text


@pytest.mark.parametrize("value", [VALUE, "correct horse battery staple", "hunter2-hunter2"])
@pytest.mark.parametrize("spell", SPELLINGS)
def test_a_value_is_hidden_in_every_spelling(spell: Callable[[str], str], value: str) -> None:
    spelled = spell(value)
    masked = Mask([value]).text(f"you sent {spelled}, thank you")
    assert spelled not in masked and "***" in masked and not shows(masked, value)


def test_what_stands_around_a_value_stays_readable() -> None:
    assert Mask(["hunter2"]).text('{"you":"hunter2","ok":true}') == '{"you":"***","ok":true}'
    assert Mask([]).text("hunter2") == "hunter2"


@pytest.mark.parametrize("header", ["dXNlcjpodW50ZXIyaHVudGVy", b64encode(b"user:hunter2hunter").decode()])
def test_a_value_that_is_basic_authorization_is_hidden_in_plain_text_too(header: str) -> None:
    assert "hunter2hunter" not in Mask([header]).text("welcome user, your password hunter2hunter is weak")


@pytest.mark.parametrize("kept", range(4, 15))
def test_a_body_that_was_cut_within_a_value_shows_nothing_of_it(kept: int) -> None:
    body = ("x" * 20 + "hunter2-hunter2"[:kept]).encode()
    reply = Reply(duration_ms=1, status_code=200, body=body, truncated=True)
    assert Mask(["hunter2-hunter2"]).reply(reply).body == b"x" * 20 + b"***"


def test_headers_and_messages_are_masked_and_the_longer_of_two_values_goes_first() -> None:
    mask = Mask(["hunter2", "hunter2hunter2"])
    reply = mask.reply(Reply(duration_ms=1, status_code=302, headers=(("location", "/?t=hunter2hunter2"), ("a", "b"))))
    assert reply.headers == (("location", "/?t=***"), ("a", "b"))
    failed = Reply(duration_ms=1, error_kind=ErrorKind.CONNECT, error_message="no hunter2 at hunt")
    assert mask.reply(failed).error_message == "no *** at ***"


@settings(max_examples=30, deadline=None)
@given(st.text(min_size=4, max_size=40), st.sampled_from(SPELLINGS), st.text(max_size=20), st.text(max_size=20))
def test_no_value_comes_through_verbatim(value: str, spell: Callable[[str], str], before: str, after: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        return
    masked = Mask([value]).text(before + spell(value) + after)
    assert value not in masked or value in "***"


def test_a_long_body_is_masked_within_a_moment() -> None:
    body = "QUJD" * 65_536
    assert Mask(["correct horse battery staple"]).text(body) == body
