"""MCP: CPU of the server per tool call against the same REST call, lists of tools, and what an agent has to read.

CPU time and not time: the client, which is busy too, and whatever else the machine does are left out.
"""

import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks import load
from benchmarks.load import Peer
from benchmarks.startup import MODELS, project

TURNS, REQUESTS = 12, 150
"""In each round. Turns are short, so that what else the machine does meets every peer alike."""
MOST_CPU = 1.5
"""A tool call over the REST call that answers the same bytes."""
MOST_LIST = 10.0
"""CPU milliseconds of ``tools/list`` with 60 tools."""
MOST_COMPACT, MOST_TOOL = 4000, 350
"""Tokens of the list for 500 models, and of a tool of a model, on average."""
CHARACTERS = 4.0
"""Of JSON per token: what common tokenizers make of these very lists (4.0 to 4.2)."""
_KEY = 77_777
_HELD = b"Thing 77777,"
_META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "benchmark", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
_HANDSHAKE = {"MCP-Protocol-Version": "2025-11-25"}
_MODERN = {
    "MCP-Protocol-Version": "2026-07-28",
    "Mcp-Method": "tools/call",
    "Mcp-Name": "read_product",
}


def _call(name: str, headers: dict[str, str], meta: dict[str, object] | None) -> Peer:
    params = {
        "name": "read_product",
        "arguments": {"id": _KEY},
        **({"_meta": meta} if meta else {}),
    }
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return Peer(
        name=name, method="POST", path="/mcp", status=200, holds=_HELD, body=lambda: message,
        headers={"Accept": "application/json, text/event-stream", **headers},
    )  # fmt: skip


REST = Peer(name="REST", method="GET", path=f"/api/products/{_KEY}", status=200, holds=_HELD)
CALLS = (_call("2025-11-25", _HANDSHAKE, None), _call("2026-07-28", _MODERN, dict(_META)))


@dataclass(frozen=True, kw_only=True)
class Costs:
    """``calls``: CPU microseconds of a read, by how it came; ``sizes``: what the program below found."""

    calls: dict[str, float]
    sizes: dict[str, float]


def measured(port: int, pid: int, rounds: int) -> Costs:
    """The medians of peers that take turns; ``pid`` is the server's, whose workers count."""
    found: dict[str, list[float]] = {peer.name: [] for peer in (REST, *CALLS)}
    for number in range(rounds * TURNS + 1):
        for peer in (REST, *CALLS):
            cost = _cpu_of(port, pid, peer)
            if number:  # the first turn warms up
                found[peer.name].append(cost)
    return Costs(
        calls={name: statistics.median(values) for name, values in found.items()},
        sizes=_sizes(),
    )


def _cpu_of(port: int, pid: int, peer: Peer) -> float:
    client, request = load.Client(port), peer.request()
    before = _cpu(pid)
    for _ in range(REQUESTS):
        client.ask(peer, request)
    used = _cpu(pid) - before
    client.close()
    return used / REQUESTS / 1000


def _cpu(pid: int) -> int:
    """Nanoseconds that a process, its threads and its children have been running."""
    used = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        used += int((task / "schedstat").read_text().split()[0])
        used += sum(_cpu(int(child)) for child in (task / "children").read_text().split())
    return used


# --- 500 models, in a process of their own ----------------------------------------------------------------------------

_URLS = """
from django.urls import include, path
urlpatterns = [path("", include("dataflow_nexus.urls"))]
"""
_PROGRAM = """
import json, sys, time
import django
from django.conf import settings
settings.configure(
    SECRET_KEY="x" * 50, USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", ALLOWED_HOSTS=["*"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}, ROOT_URLCONF="site_urls",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "many", "dataflow_nexus"],
    DATAFLOW_NEXUS={"MODELS": ["many.*"], "AUTHENTICATION_REQUIRED": False},
)
django.setup()
from django.urls import get_resolver, resolve
get_resolver().url_patterns
view = resolve("/mcp").func
imported = sorted(name for name in sys.modules if name.partition(".")[0] in ("mcp", "mcp_types"))
from django.test import RequestFactory
LIST = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
def tools(query):
    request = RequestFactory().post("/mcp" + query, LIST, content_type="application/json")
    start = time.process_time()
    response = view(request)
    taken = time.process_time() - start
    return taken, json.loads(response.content)["result"]["tools"]
def size(value):
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False))
sixty = "?tools=models&models=" + ",".join(f"model{n}s" for n in range(5))
listed = tools(sixty)[1]
print(json.dumps({
    "imported": len(imported),
    "listed": len(listed),
    "list": min(tools(sixty)[0] for _ in range(20)) * 1000,
    "compact": size(tools("")[1]),
    "tool": sum(map(size, listed)) / len(listed),
}))
"""


def report(costs: Costs) -> str:
    """The findings, a sentence each."""
    sizes = costs.sizes
    calls = ", ".join(
        f"{name} {cost:.0f} µs ({cost / costs.calls['REST']:.2f}x)"
        for name, cost in costs.calls.items()
    )
    compact, tool = sizes["compact"] / CHARACTERS, sizes["tool"] / CHARACTERS
    return "\n".join(
        (
            f"CPU of the server for one read: {calls}; a tool call at most {MOST_CPU}x.",
            f"`tools/list` of {sizes['listed']:.0f} tools: {sizes['list']:.1f} ms of CPU (at most {MOST_LIST:.0f}).",
            f"The list for {MODELS} models has about {compact:.0f} tokens (at most {MOST_COMPACT}).",
            f"A tool of a model has about {tool:.0f} tokens (at most {MOST_TOOL}).",
            f"Before the first message {sizes['imported']:.0f} modules of the SDK are imported (at most 0).",
        )
    )


def missed(costs: Costs) -> list[str]:
    rest, sizes = costs.calls["REST"], costs.sizes
    faults = [
        f"tool call by {peer.name}: {costs.calls[peer.name] / rest:.2f}x the CPU of REST, not {MOST_CPU}x"
        for peer in CALLS
        if costs.calls[peer.name] > MOST_CPU * rest
    ]
    if sizes["list"] > MOST_LIST:
        faults.append(f"tools/list: {sizes['list']:.1f} ms of CPU, not {MOST_LIST:.0f}")
    for name, most in (("compact", MOST_COMPACT), ("tool", MOST_TOOL)):
        if sizes[name] / CHARACTERS > most:
            faults.append(f"{name}: {sizes[name] / CHARACTERS:.0f} tokens, not {most}")
    if sizes["imported"]:
        faults.append(f"startup: {sizes['imported']:.0f} modules of the SDK are imported, not 0")
    return faults


def _sizes() -> dict[str, float]:
    with project(_PROGRAM, _URLS) as folder:
        done = subprocess.run(
            [sys.executable, "program.py"], cwd=folder, check=True, capture_output=True, text=True
        )
    found: dict[str, float] = json.loads(done.stdout)
    return found
