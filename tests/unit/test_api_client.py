"""The client of every command: what is no Rubato API is told as trouble, never as a traceback."""

import httpx
import pytest

from cli.api import Api, Refusal
from cli.trouble import Trouble


def answering(answer: httpx.Response) -> Api:
    return Api("http://127.0.0.1:9/v1", "key", httpx.MockTransport(lambda _request: answer))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, html="<html>Sign in</html>"),
        httpx.Response(302, html="<html>Moved</html>"),
        httpx.Response(200, json=["jobs"]),
        httpx.Response(200, json={"message": "hello"}),
        httpx.Response(200, content=b"\xff\xfe\x00"),
    ],
)
def test_an_answer_that_is_not_rubatos_is_told_with_the_url(answer: httpx.Response) -> None:
    with answering(answer) as api, pytest.raises(Trouble, match=r"'http://127\.0\.0\.1:9/v1' is no Rubato API"):
        list(api.every("/jobs"))


@pytest.mark.parametrize("url", ["http://[bad", "http://127.0.0.1:port", "http://[::1"])
def test_what_is_no_url_is_told(url: str) -> None:
    with pytest.raises(Trouble, match="is no Rubato API; look at RUBATO_URL"), Api(url, "key") as api:
        api.call("GET", "/jobs")


@pytest.mark.parametrize("url", ["", "127.0.0.1:9", "ftp://127.0.0.1"])
def test_what_has_no_scheme_of_the_web_is_told(url: str) -> None:
    with pytest.raises(Trouble), Api(url, "key") as api:
        api.call("GET", "/jobs")


@pytest.mark.parametrize("key", ["SEKRET\n", "SEKRET\r", "SEKRÉT"])
def test_a_key_that_can_be_none_is_not_repeated(key: str) -> None:
    with pytest.raises(Trouble, match="look at RUBATO_API_KEY") as told:
        Api("http://127.0.0.1:9/v1", key)
    assert "SEKR" not in str(told.value)


def test_what_no_url_can_hold_is_told() -> None:
    with answering(httpx.Response(200, json={})) as api, pytest.raises(Trouble, match="can't be asked for"):
        api.call("GET", "/endpoints/a\n")


def test_a_refusal_has_its_status() -> None:
    with answering(httpx.Response(403, json={"detail": "no scope"})) as api, pytest.raises(Refusal) as refused:
        api.call("GET", "/jobs")
    assert refused.value.status == 403 and "403 no scope" in str(refused.value)
