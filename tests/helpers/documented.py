"""Requests to a provider's API, and its answers, held against its documents by openapi-core."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from helpers.api_server import Answer, Asked

if TYPE_CHECKING:
    from openapi_core import OpenAPI

_HOST = "http://localhost"


def require_documented(provider: str, exchanges: Sequence[tuple[Asked, Answer]]) -> None:
    """Raise what is not as the provider's documents say: a request, or an answer of the test's."""
    from openapi_core.testing import MockRequest, MockResponse

    api = _api(provider)
    for asked, answer in exchanges:
        request = MockRequest(
            _HOST,
            asked.method.lower(),
            asked.path,
            args=dict(asked.query),
            headers=dict(asked.headers),
            data=None if asked.body is None else json.dumps(asked.body).encode(),
            content_type="application/json",
        )
        api.validate_request(request)
        if answer.status < 300:
            body = b"" if answer.body is None else json.dumps(answer.body).encode()
            api.validate_response(request, MockResponse(body, answer.status))


@cache
def _api(provider: str) -> "OpenAPI":
    from openapi_core import OpenAPI

    file = Path(__file__).with_name("documented_apis.yaml")
    paths = yaml.safe_load(file.read_text(encoding="utf-8"))[provider]
    return OpenAPI.from_dict(
        {
            "openapi": "3.0.3",
            "info": {"title": provider, "version": "1"},
            "servers": [{"url": _HOST}],
            "paths": {path: _path(path, methods) for path, methods in paths.items()},
        }
    )


def _path(path: str, methods: Mapping[str, Any]) -> dict[str, Any]:
    names = re.findall(r"{(\w+)}", path)
    in_path = [
        {"in": "path", "name": name, "required": True, "schema": {"type": "string"}}
        for name in names
    ]
    return {"parameters": in_path, **{name: _operation(each) for name, each in methods.items()}}


def _operation(given: Mapping[str, Any]) -> dict[str, Any]:
    query = [
        {"in": "query", "name": name.rstrip("!"), "required": name.endswith("!"), "schema": schema}
        for name, schema in given.get("query", {}).items()
    ]
    answer = {"description": "done", **_content(given.get("answer"))}
    body = {"requestBody": {"required": True, **_content(given["body"])}} if "body" in given else {}
    return {"parameters": query, "responses": {str(given.get("status", 200)): answer}, **body}


def _content(schema: Any) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}} if schema else {}
