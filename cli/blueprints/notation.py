"""JSON and YAML as a blueprint is written: texts that mean one thing only.

YAML is read as version 1.2: `true` and `false` are the only truth values (`NO` and `yes` are texts), numbers are those
of JSON (`01234` and `12:30:00` are texts), and so is a date. Aliases and names given twice are refused.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

_TYPES = (
    ("null", r"(?:~|null|Null|NULL|)", ["~", "n", "N", ""]),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)", list("tTfF")),
    ("int", r"-?(?:0|[1-9][0-9]*)", list("-0123456789")),
    ("float", r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", list("-0123456789")),
)


def read_json(text: str) -> Any:
    """Raises ValueError or RecursionError for what is none."""
    return json.loads(text, object_pairs_hook=_once_each, parse_constant=_refuse_constant)


def read_yaml(text: str) -> Any:
    """Raises YAMLError, ValueError or RecursionError for what is none."""
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def write_yaml(value: Any) -> str:
    """So that this loader and those of YAML 1.1 read the same; what no terminal prints is escaped."""
    text = _dumped(value, allow_unicode=True)
    return text if all(line.isprintable() for line in text.split("\n")) else _dumped(value, allow_unicode=False)


def _dumped(value: Any, *, allow_unicode: bool) -> str:
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=allow_unicode, width=100))


class _Loader(yaml.SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        # A few lines of aliases stand for more than any memory holds.
        if self.check_event(yaml.AliasEvent):
            alias = self.peek_event()  # type: ignore[no-untyped-call]
            raise ComposerError(None, None, f"*{alias.anchor} is an alias; write out what it is for", alias.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set[str]()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if str(key.value) in seen:
                raise ConstructorError(None, None, f"{key.value!r} is given twice; leave one out", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, _data: Any) -> bool:
        """What occurs twice is written twice."""
        return True


_Loader.yaml_implicit_resolvers = {}  # Those of YAML 1.1.
for _type, _pattern, _starts in _TYPES:
    for _notation in (_Loader, _Dumper):
        _notation.add_implicit_resolver(f"tag:yaml.org,2002:{_type}", re.compile(rf"{_pattern}\Z"), _starts)


def _once_each(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r} is given twice; leave one out")
        found[name] = value
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")
