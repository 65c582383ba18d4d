"""The OpenAPI document as a page that people read: HTML without a script, nothing from elsewhere."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Final

Schema = Mapping[str, Any]

_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
code, pre { font: 14px/1.4 ui-monospace, monospace; }
pre { overflow-x: auto; padding: .5rem; border: 1px solid #8888; border-radius: 4px; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #8888; }
h3 { margin: 2rem 0 0; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; }
td, th { border-bottom: 1px solid #8884; }
.own { font-size: 13px; border: 1px solid #8888; border-radius: 4px; padding: 0 .3rem; }
nav a { margin-right: 1rem; }
""".strip()


@dataclass(frozen=True, slots=True)
class DocsPage:
    """The page.

    Attributes:
        html: all of it.
        style_hash: what a Content-Security-Policy calls its style by.
    """

    html: str
    style_hash: str


def docs_page(document: Schema) -> DocsPage:
    """The page of an OpenAPI document."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    info = document["info"]
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(info['title'])}</h1>",
        f"<p>{escape(info['description'])} Version {escape(info['version'])}.",
        ' The same for programs: <a href="/openapi.json">/openapi.json</a>.</p>',
        *_navigation(document),
        *_calls(document),
        *_problems(document),
        *_types(document),
        "</body></html>",
    ]
    return DocsPage("\n".join(parts), f"sha256-{digest}")


def _navigation(document: Schema) -> Iterator[str]:
    topics = [tag["name"] for tag in document["tags"]]
    links = (f'<a href="#{escape(name)}">{escape(name)}</a>' for name in [*topics, "Errors", "Types"])
    yield f"<nav>{' '.join(links)}</nav>"


def _calls(document: Schema) -> Iterator[str]:
    for tag in document["tags"]:
        yield f'<h2 id="{escape(tag["name"])}">{escape(tag["name"])}</h2>'
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if tag["name"] in operation["tags"]:
                    yield from _call(method.upper(), path, operation)


def _call(method: str, path: str, operation: Schema) -> Iterator[str]:
    own = ' <span class="own">edged only</span>' if operation["x-extension"] else ""
    yield f'<h3 id="{escape(operation["operationId"])}"><code>{method} {escape(path)}</code>{own}</h3>'
    yield f"<p>{_marked(operation['summary'])}. {_marked(operation.get('description', ''))}</p><table>"
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query":
            need = "required" if parameter["required"] else "optional"
            words = f"{parameter['schema']['type']}, {need}. {parameter['description']}"
            yield f"<tr><th><code>?{escape(parameter['name'])}</code></th><td>{_marked(words)}</td></tr>"
    body = operation.get("requestBody")
    if body:
        content = next(iter(body["content"].values()))
        yield f"<tr><th>Body</th><td>{_form(content['schema'])}</td></tr>"
    for status, answer in operation["responses"].items():
        if "$ref" not in answer:
            yield f"<tr><th>{escape(status)}</th><td>{_forms(answer['content'])}</td></tr>"
    wrong = [status for status, answer in operation["responses"].items() if "$ref" in answer]
    links = ", ".join(f'<a href="#error-{status}">{status}</a>' for status in wrong)
    yield f"<tr><th>Errors</th><td>{links}</td></tr></table>"
    if body and "example" in content:
        yield f"<pre>{escape(json.dumps(content['example'], indent=2, ensure_ascii=False))}</pre>"


def _problems(document: Schema) -> Iterator[str]:
    yield '<h2 id="Errors">Errors</h2><p>Every one has the same body.</p>'
    yield "<table><tr><th>Status</th><th><code>code</code></th><th></th></tr>"
    told: dict[str, str] = {}
    for methods in document["paths"].values():
        for operation in methods.values():
            told |= {
                status: answer["$ref"].rpartition("/")[2]
                for status, answer in operation["responses"].items()
                if "$ref" in answer
            }
    for status, code in sorted(told.items()):
        words = _marked(document["components"]["responses"][code]["description"])
        yield f'<tr id="error-{status}"><td>{status}</td><td><code>{code}</code></td><td>{words}</td></tr>'
    yield "</table>"


def _types(document: Schema) -> Iterator[str]:
    yield '<h2 id="Types">Types</h2>'
    for name, schema in document["components"]["schemas"].items():
        yield f'<h3 id="type-{escape(name)}">{escape(name)}</h3>'
        yield f"<p>{_marked(schema.get('description', ''))}</p>"
        if "enum" in schema:
            yield f"<p>{', '.join(f'<code>{escape(str(value))}</code>' for value in schema['enum'])}</p>"
        if not schema.get("properties"):
            continue
        yield "<table>"
        for field, part in schema["properties"].items():
            need = "" if field in schema.get("required", ()) else ", optional"
            words = _marked(part.get("description", ""))
            yield f"<tr><th><code>{escape(field)}</code></th><td>{_form(part)}{need}. {words}</td></tr>"
        yield "</table>"


def _forms(content: Schema) -> str:
    return " or ".join(
        _form(media["schema"]) if "schema" in media else f"<code>{escape(kind)}</code>"
        for kind, media in content.items()
    )


def _form(schema: Schema) -> str:
    """A type in a few words."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#type-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_form(part) for part in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"<code>{escape(json.dumps(value))}</code>" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_form(schema.get('items', {}))}{_limits(schema, 'minItems', 'maxItems')}"
    kind = "base64" if schema.get("contentEncoding") == "base64" else str(schema.get("type", "anything"))
    least, most = ("minLength", "maxLength") if kind == "string" else ("minimum", "maximum")
    return escape(kind) + _limits(schema, least, most)


def _limits(schema: Schema, least: str, most: str) -> str:
    if least in schema and most in schema:
        return f" ({schema[least]} to {schema[most]})"
    return f" (up to {schema[most]})" if most in schema else ""


def _marked(text: str) -> str:
    """Words with what stands in backticks as code."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if odd % 2 else piece for odd, piece in enumerate(pieces))
