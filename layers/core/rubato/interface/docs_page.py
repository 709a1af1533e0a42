"""The OpenAPI document as a page for people: one file, no scripts, nothing loaded from elsewhere."""

import base64
import hashlib
import json
from collections.abc import Sequence
from html import escape
from typing import Any

from rubato.interface.samples import sample_of

Json = dict[str, Any]

_STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--link:light-dark(#0550ae,#79b8ff)}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
a{color:var(--link)}code,pre{font:14px/1.45 ui-monospace,monospace}
pre{background:var(--soft);padding:.7rem;overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:.5rem 0}.wide{overflow-x:auto}
th,td{text-align:left;vertical-align:top;padding:.25rem .5rem;border-bottom:1px solid var(--line)}
article{border-top:1px solid var(--line);margin-top:1.5rem}h3{margin-bottom:.2rem}
nav ul{columns:16rem;padding-left:1.2rem}.about{white-space:pre-line}
"""
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-{_DIGEST}'"
)


def page(document: Json) -> str:
    """The page; every text of the document is escaped."""
    title = escape(f"{document['info']['title']} API {document['info']['version']}")
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f"<style>{_STYLE}</style></head><body><header><h1>{title}</h1>"
        f'<p class="about">{escape(document["info"]["description"])}</p>'
        '<p>The same for programs: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p></header>'
        f"{_contents(document)}<main>{''.join(_family(document, tag) for tag in document['tags'])}"
        f"{_schemas(document)}</main></body></html>\n"
    )


def _operations(document: Json, tag: str) -> list[tuple[str, str, Json]]:
    found = [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return [each for each in found if tag in each[2]["tags"]]


def _contents(document: Json) -> str:
    lines = [
        f'<li><a href="#{operation["operationId"]}">{operation["operationId"]}</a></li>'
        for tag in document["tags"]
        for _, _, operation in _operations(document, tag["name"])
    ]
    return f'<nav aria-label="Actions"><ul>{"".join(lines)}</ul></nav>'


def _family(document: Json, tag: Json) -> str:
    operations = "".join(_operation(document, *each) for each in _operations(document, tag["name"]))
    name = escape(tag["name"])
    return (
        f'<section aria-labelledby="family-{name}"><h2 id="family-{name}">{name}</h2>'
        f"<p>{escape(tag['description'])}</p>{operations}</section>"
    )


def _operation(document: Json, method: str, path: str, operation: Json) -> str:
    name = escape(operation["operationId"])
    marks = [mark for mark in ("read-only", "destructive", "idempotent") if operation.get(f"x-rubato-{mark}")]
    scope = operation.get("x-rubato-scope")
    anyone = "no key" if operation.get("security") == [] else "any key"
    facts = [f"scope {scope}" if scope else anyone, *marks]
    return (
        f'<article aria-labelledby="{name}"><h3 id="{name}">{name}</h3><p><code>{escape(f"{method} {path}")}</code> '
        f"({escape(', '.join(facts))})</p><p>{escape(operation['summary'])}</p>{_parameters(operation)}"
        f"{_body(operation)}{_responses(document, operation)}"
        f"<pre>{escape(_curl(document, method, path, operation))}</pre></article>"
    )


def _parameters(operation: Json) -> str:
    rows = [
        (each["name"], each["in"], _kind(each["schema"]), "yes" if each.get("required") else "", each["description"])
        for each in operation.get("parameters", ())
    ]
    return _table(("parameter", "in", "type", "required", "meaning"), rows)


def _body(operation: Json) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    kinds = " or ".join(escape(kind) for kind in content)
    return "".join(f"<p>Body ({kinds}): {_link(each['schema'])}</p>" for each in list(content.values())[:1])


def _responses(document: Json, operation: Json) -> str:
    lines = []
    for status, response in operation["responses"].items():
        told = _resolved(document, response)
        content = [f"{escape(kind)} {_link(each['schema'])}" for kind, each in told.get("content", {}).items()]
        lines.append(f"<li>{status} {escape(told['description'])} {' or '.join(content)}</li>")
    return f"<ul>{''.join(lines)}</ul>"


def _schemas(document: Json) -> str:
    parts = []
    for name, schema in document["components"]["schemas"].items():
        required = schema.get("required", ())
        rows = [
            (field, _kind(shape), "yes" if field in required else "", shape.get("description", ""))
            for field, shape in schema.get("properties", {}).items()
        ]
        told = escape(schema.get("description", "")) if rows else f"<code>{escape(_kind(schema))}</code>"
        table = _table(("field", "type", "required", "meaning"), rows)
        parts.append(
            f'<article aria-labelledby="schema-{name}"><h3 id="schema-{name}">{name}</h3><p>{told}</p>{table}</article>'
        )
    return f'<section aria-labelledby="schemas"><h2 id="schemas">Schemas</h2>{"".join(parts)}</section>'


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    names = "".join(f'<th scope="col">{name}</th>' for name in head)
    lines = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{names}</tr></thead><tbody>{lines}</tbody></table></div>'


def _link(schema: Json) -> str:
    name = schema.get("$ref", "").rpartition("/")[2]
    return f'<a href="#schema-{name}">{name}</a>' if name else escape(_kind(schema))


def _kind(shape: Json) -> str:
    """A type in few words, with its bounds."""
    if "$ref" in shape:
        return str(shape["$ref"]).rpartition("/")[2]
    if "anyOf" in shape and "type" not in shape:
        return " or ".join(_kind(each) for each in shape["anyOf"])
    if "enum" in shape or "const" in shape:
        return ", ".join(map(str, shape.get("enum", [shape.get("const")])))
    if "items" in shape:
        return f"list of {_kind(shape['items'])}"
    low, high = (
        shape.get(name, shape.get(length)) for name, length in (("minimum", "minLength"), ("maximum", "maxLength"))
    )
    bounds = f" {'' if low is None else low}..{'' if high is None else high}" if (low, high) != (None, None) else ""
    return f"{shape.get('format') or shape.get('type', 'any')}{bounds}"


def _curl(document: Json, method: str, path: str, operation: Json) -> str:
    open_to_all = not operation.get("security", True)
    words = ["curl", *(["-X", method] if method not in ("GET", "POST") else [])]
    words += [] if open_to_all else ['-H "x-api-key: $KEY"']
    content = operation.get("requestBody", {}).get("content", {})
    if content and method != "DELETE":
        body = sample_of(document, next(iter(content.values()))["schema"])
        words += ["-H 'content-type: application/json'", f"-d '{json.dumps(body)}'"]
    elif method == "POST":
        words += ["-X POST"]
    return " ".join([*words, f'"$URL{path}"'])


def _resolved(document: Json, node: Json) -> Json:
    if "$ref" not in node:
        return node
    top, kind, name = node["$ref"].removeprefix("#/").split("/")
    found: Json = document[top][kind][name]
    return found
