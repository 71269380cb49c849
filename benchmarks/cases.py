"""What is measured, against whom, and the ratio that has to come out."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.load import Peer, product

PAGE = 100
BULK = 10_000
_KEY = 77_777


@dataclass(frozen=True, kw_only=True)
class Case:
    """``floors``: how many times the work of a peer ours has to do, by the peer's name."""

    name: str
    peers: Sequence[Peer]
    floors: dict[str, float] = field(default_factory=dict)
    single: bool = False
    """Whether the time of one request counts, not how many there are in a second."""


def _get(name: str, path: str, holds: bytes) -> Peer:
    return Peer(name=name, method="GET", path=path, status=200, holds=holds)


def _post(name: str, path: str) -> Peer:
    return Peer(
        name=name, method="POST", path=path, status=201, holds=b"A new product", body=product
    )


def _rows() -> list[dict[str, object]]:
    return [product() for _ in range(BULK)]


CASES = (
    Case(
        name=f"list of {PAGE}",
        peers=(
            _get("ours", f"/api/products?limit={PAGE}", b'"id":100,'),
            _get("ninja", f"/ninja/products?limit={PAGE}", b'"id": 100,'),
            _get("drf", f"/drf/products?limit={PAGE}", b'"id":100,'),
            _get("bare", "/bare/products", b'"id":100,'),
        ),
        floors={"ninja": 7, "bare": 0.65},
    ),
    Case(
        name="read",
        peers=(
            _get("ours", f"/api/products/{_KEY}", b"Thing 77777,"),
            _get("ninja", f"/ninja/products/{_KEY}", b"Thing 77777,"),
            _get("drf", f"/drf/products/{_KEY}", b"Thing 77777,"),
            _get("bare", f"/bare/products/{_KEY}", b"Thing 77777,"),
        ),
        floors={"ninja": 1.8},
    ),
    Case(
        name="create",
        peers=(
            _post("ours", "/api/products"),
            _post("ninja", "/ninja/products"),
            Peer(
                name="drf",
                method="POST",
                path="/drf/products",
                status=201,
                holds=b"A new product",
                body=lambda: {**product(), "category": 7},
            ),
        ),
        floors={"ninja": 1.1},
    ),
    Case(
        name=f"bulk create of {BULK:,}",
        peers=(
            Peer(
                name="ours",
                method="POST",
                path="/api/products/bulk",
                status=200,
                holds=b'"inserted":10000',
                body=lambda: {"data": _rows()},
            ),
            Peer(
                name="ninja",
                method="POST",
                path="/ninja/products/bulk",
                status=200,
                holds=b'"inserted": 10000',
                body=_rows,
            ),
        ),
        floors={"ninja": 3},
        single=True,
    ),
)
