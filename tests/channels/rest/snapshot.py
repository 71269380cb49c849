"""The part of the OpenAPI document that a snapshot holds.

`DJANGO_SETTINGS_MODULE=testproject.settings python -m tests.channels.rest.snapshot` writes it anew, after a change that
is meant.
"""

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("openapi_tag.json")


def part(document: dict[str, Any]) -> dict[str, Any]:
    """What is there about tags, the smallest model."""
    paths = {path: item for path, item in document["paths"].items() if path.startswith("/api/tags")}
    known = document["components"]["schemas"].items()
    schemas = {name: schema for name, schema in known if name.startswith("Tag")}
    used = json.dumps(paths)
    parameters = {
        name: parameter
        for name, parameter in document["components"]["parameters"].items()
        if f'"#/components/parameters/{name}"' in used
    }
    return {"paths": paths, "schemas": schemas, "parameters": parameters}


def write() -> None:
    import django

    django.setup()
    from dataflow_nexus.access.principal import OPEN
    from dataflow_nexus.channels.rest.openapi import document
    from dataflow_nexus.nexus import default_nexus

    found = part(json.loads(document(default_nexus().catalog, OPEN, "")))
    FILE.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    write()
