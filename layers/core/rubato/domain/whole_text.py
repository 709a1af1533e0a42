"""Text that can be written anywhere: JSON can spell halves of surrogate pairs, UTF-8 can not."""

import json
import re
from typing import Any

_HALF = re.compile("[\ud800-\udfff]")
_REPLACEMENT = "\ufffd"


def is_whole(text: str) -> bool:
    """Whether it holds no half of a surrogate pair."""
    return _HALF.search(text) is None


def whole(text: str) -> str:
    """With U+FFFD in place of each half."""
    return _HALF.sub(_REPLACEMENT, text)


def whole_json(value: Any) -> Any:
    """The same for every text in a JSON value, the names in it too. Numbers without end become null."""
    text = json.dumps(value, ensure_ascii=False)
    return value if is_whole(text) else json.loads(whole(text), parse_constant=lambda _: None)
