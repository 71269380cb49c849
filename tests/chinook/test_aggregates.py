"""Aggregates over the published rows: sums are exact, averages rounded once, months those of plain SQL."""

import json
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from dataflow_nexus import LimitExceeded
from tests.chinook.asking import Chinook, Published, Row
from tests.parity.channels import command

MONTH = {"$date_trunc": ["month", "invoice_date"]}
CENTS = "sum(CAST(round({} * 100) AS INTEGER))"
REVENUE = CENTS.format("Total")


def decimal_of(cents: int) -> str:
    return str(Decimal(cents).scaleb(-2))


def mean_of_cents(cents: int, number: int) -> str:
    """The scale of the column and four digits more."""
    exact = Decimal(cents) / 100 / number
    return str(exact.quantize(Decimal("0.000001"), ROUND_HALF_EVEN))


def in_one_order(groups: Iterable[Row]) -> list[str]:
    """Groups that are ordered by text come in the database's own order of it."""
    return sorted(json.dumps(group) for group in groups)


def test_revenue_by_country(chinook: Chinook, published: Published) -> None:
    found = chinook.ask(
        "InvoiceAggregate",
        group_by=["billing_country"],
        aggregate={
            "revenue": {"$sum": "total"},
            "mean": {"$avg": "total"},
            "n": {"$count": "*"},
            "customers": {"$count_distinct": "customer_id"},
        },
        order_by=["-revenue"],
    )["groups"]
    rows = published.rows(
        f"SELECT BillingCountry, {REVENUE}, count(*), count(DISTINCT CustomerId)"
        " FROM Invoice GROUP BY 1 ORDER BY 2 DESC"
    )
    assert in_one_order(found) == in_one_order(
        {
            "billing_country": country,
            "revenue": decimal_of(cents),
            "mean": mean_of_cents(cents, number),
            "n": number,
            "customers": customers,
        }
        for country, cents, number, customers in rows
    )
    assert [group["revenue"] for group in found] == [decimal_of(row[1]) for row in rows]
    assert len(found) == 24


def test_revenue_by_month(chinook: Chinook, published: Published) -> None:
    found = chinook.ask(
        "InvoiceAggregate", group_by=[MONTH], aggregate={"revenue": {"$sum": "total"}}
    )
    rows = published.rows(
        f"SELECT strftime('%Y-%m-01T00:00:00Z', InvoiceDate), {REVENUE}"
        " FROM Invoice GROUP BY 1 ORDER BY 1"
    )
    assert found["groups"] == [
        {"invoice_date_month": month, "revenue": decimal_of(cents)} for month, cents in rows
    ]
    assert len(rows) == 60
    query = {"group_by": json.dumps(MONTH), "sum": "total"}
    short = Client().get(f"/api/invoices/aggregate?{urlencode(query)}").json()["groups"]
    assert short == [
        {"invoice_date_month": month, "sum_total": decimal_of(cents)} for month, cents in rows
    ]


def test_revenue_by_country_and_month(chinook: Chinook, published: Published) -> None:
    found = chinook.ask(
        "InvoiceAggregate",
        group_by=["billing_country", MONTH],
        aggregate={"revenue": {"$sum": "total"}, "n": {"$count": "*"}},
    )["groups"]
    rows = published.rows(
        f"SELECT BillingCountry, strftime('%Y-%m-01T00:00:00Z', InvoiceDate), {REVENUE}, count(*)"
        " FROM Invoice GROUP BY 1, 2"
    )
    assert in_one_order(found) == in_one_order(
        {
            "billing_country": country,
            "invoice_date_month": month,
            "revenue": decimal_of(cents),
            "n": n,
        }
        for country, month, cents, n in rows
    )
    countries = [group["billing_country"] for group in found]
    starts = {country: countries.index(country) for country in countries}
    for country, start in starts.items():
        months = [g["invoice_date_month"] for g in found if g["billing_country"] == country]
        assert countries[start : start + len(months)] == [country] * len(months)
        assert months == sorted(months)


@pytest.mark.parametrize(
    ("unit", "cut"),
    [
        ("day", "date(InvoiceDate)"),
        ("week", "date(InvoiceDate, '-6 days', 'weekday 1')"),
        (
            "quarter",
            "date(InvoiceDate, 'start of month', '-' || ((strftime('%m', InvoiceDate) - 1) % 3) || ' months')",
        ),
        ("year", "date(InvoiceDate, 'start of year')"),
    ],
)
def test_other_units_of_time(chinook: Chinook, published: Published, unit: str, cut: str) -> None:
    found = chinook.ask(
        "InvoiceAggregate",
        group_by=[{"$date_trunc": [unit, "invoice_date"]}],
        aggregate={"n": {"$count": "*"}, "most": {"$max": "total"}},
    )
    rows = published.rows(f"SELECT {cut}, count(*), max(Total) FROM Invoice GROUP BY 1 ORDER BY 1")
    assert found["groups"] == [
        {f"invoice_date_{unit}": f"{day}T00:00:00Z", "n": number, "most": f"{most:.2f}"}
        for day, number, most in rows
    ]


def test_tracks_per_genre(chinook: Chinook, published: Published) -> None:
    found = chinook.ask(
        "TrackAggregate",
        group_by=["genre_id", "genre.name"],
        aggregate={
            "tracks": {"$count": "*"},
            "composed": {"$count": "composer"},
            "composers": {"$count_distinct": "composer"},
            "longest": {"$max": "milliseconds"},
            "length": {"$avg": "milliseconds"},
            "bytes": {"$sum": "bytes"},
        },
    )
    rows = published.rows(
        "SELECT GenreId, Genre.Name, count(*), count(Composer), count(DISTINCT Composer),"
        " max(Milliseconds), sum(Milliseconds), sum(Bytes)"
        " FROM Track JOIN Genre USING (GenreId) GROUP BY 1, 2 ORDER BY 1"
    )
    assert found["groups"] == [
        {
            "genre_id": key,
            "genre.name": name,
            "tracks": tracks,
            "composed": composed,
            "composers": composers,
            "longest": longest,
            "length": milliseconds / tracks,
            "bytes": size,
        }
        for key, name, tracks, composed, composers, longest, milliseconds, size in rows
    ]
    assert len(rows) == 25


def test_average_unit_price(chinook: Chinook, published: Published) -> None:
    found = chinook.ask(
        "TrackAggregate",
        group_by=["media_type_id"],
        aggregate={"mean": {"$avg": "unit_price"}, "least": {"$min": "unit_price"}},
    )
    price = CENTS.format("UnitPrice")
    rows = published.rows(
        f"SELECT MediaTypeId, {price}, count(*), min(UnitPrice) FROM Track GROUP BY 1 ORDER BY 1"
    )
    assert found["groups"] == [
        {"media_type_id": key, "mean": mean_of_cents(cents, number), "least": f"{least:.2f}"}
        for key, cents, number, least in rows
    ]
    [(cents, number)] = published.rows(f"SELECT {price}, count(*) FROM Track")
    whole = chinook.ask("TrackAggregate", aggregate={"mean": {"$avg": "unit_price"}})
    assert whole == {"groups": [{"mean": mean_of_cents(cents, number)}]}


@pytest.mark.parametrize(
    ("having", "condition"),
    [
        ({"revenue": {"$gt": 100}}, "revenue > 10000"),
        ({"revenue": {"$gte": "90.10", "$lt": "200"}}, "revenue BETWEEN 9010 AND 19999"),
        ({"revenue": "37.62"}, "revenue = 3762"),
        ({"revenue": {"$in": [37.62, "39.62"]}}, "revenue IN (3762, 3962)"),
        ({"mean": {"$gt": 6}}, "1.0 * revenue / n > 600"),
        ({"n": 7, "billing_country": {"$gt": "M"}}, "n = 7 AND BillingCountry > 'M'"),
        (
            {"$or": [{"n": {"$gt": 50}}, {"billing_country": {"$contains": "land"}}]},
            "n > 50 OR instr(BillingCountry, 'land')",
        ),
        ({"$not": {"customers": 1}}, "customers <> 1"),
        ({"last": {"$lt": "2025-08-01T00:00:00Z"}}, "last < '2025-08-01'"),
    ],
    ids=str,
)
def test_having(
    chinook: Chinook, published: Published, having: dict[str, Any], condition: str
) -> None:
    found = chinook.ask(
        "InvoiceAggregate",
        group_by=["billing_country"],
        aggregate={
            "revenue": {"$sum": "total"},
            "mean": {"$avg": "total"},
            "n": {"$count": "*"},
            "customers": {"$count_distinct": "customer_id"},
            "last": {"$max": "invoice_date"},
        },
        having=having,
    )
    rows = published.rows(
        f"SELECT * FROM (SELECT BillingCountry, {REVENUE} AS revenue, count(*) AS n,"
        " count(DISTINCT CustomerId) AS customers, max(InvoiceDate) AS last"
        f" FROM Invoice GROUP BY 1) WHERE {condition}"
    )
    assert sorted(
        (group["billing_country"], group["revenue"], group["n"], group["last"])
        for group in found["groups"]
    ) == sorted(
        (country, decimal_of(cents), n, last.replace(" ", "T") + "Z")
        for country, cents, n, _, last in rows
    )
    assert 0 < len(rows) < 24


def test_over_three_relations(chinook: Chinook, published: Published) -> None:
    found = chinook.ask(
        "InvoiceLineAggregate",
        group_by=["track.album.artist.name"],
        aggregate={"sold": {"$sum": "quantity"}, "length": {"$avg": "track.milliseconds"}},
        order_by=["-sold"],
        limit=1000,
    )["groups"]
    rows = published.rows(
        "SELECT Artist.Name, sum(Quantity), sum(Milliseconds), count(*) FROM InvoiceLine"
        " JOIN Track USING (TrackId) JOIN Album USING (AlbumId) JOIN Artist USING (ArtistId)"
        " GROUP BY 1 ORDER BY 2 DESC"
    )
    assert in_one_order(found) == in_one_order(
        {"track.album.artist.name": name, "sold": sold, "length": _number(length / number)}
        for name, sold, length, number in rows
    )
    assert [group["sold"] for group in found] == [row[1] for row in rows]


def _number(value: float) -> float | int:
    """A whole double is spelled without a point."""
    return int(value) if value.is_integer() else value


def test_revenue_of_every_sales_agent(chinook: Chinook, published: Published) -> None:
    found = chinook.ask(
        "InvoiceAggregate",
        group_by=["customer.support_rep.employee_id", "customer.support_rep.manager.last_name"],
        aggregate={"revenue": {"$sum": "total"}},
    )
    rows = published.rows(
        f"SELECT agent.EmployeeId, boss.LastName, {REVENUE} FROM Invoice"
        " JOIN Customer USING (CustomerId) JOIN Employee agent ON agent.EmployeeId = SupportRepId"
        " JOIN Employee boss ON boss.EmployeeId = agent.ReportsTo GROUP BY 1, 2 ORDER BY 1"
    )
    assert [tuple(group.values()) for group in found["groups"]] == [
        (key, name, decimal_of(cents)) for key, name, cents in rows
    ]


def test_groups_of_nulls(chinook: Chinook, published: Published) -> None:
    found = chinook.ask("CustomerAggregate", group_by=["state"], aggregate={"n": {"$count": "*"}})[
        "groups"
    ]
    rows = published.rows("SELECT State, count(*) FROM Customer GROUP BY 1")
    assert in_one_order(found) == in_one_order({"state": state, "n": n} for state, n in rows)
    assert found[-1]["state"] is None
    firsts = chinook.ask(
        "CustomerAggregate",
        group_by=["state"],
        aggregate={"n": {"$count": "*"}},
        order_by=["state:nullsfirst"],
        limit=1,
    )
    assert firsts["groups"] == [found[-1]]


def test_a_composite_key_through_both_its_relations(chinook: Chinook, published: Published) -> None:
    found = chinook.ask(
        "PlaylistTrackAggregate",
        group_by=["playlist.name"],
        aggregate={
            "n": {"$count": "*"},
            "different": {"$count_distinct": "track_id"},
            "price": {"$sum": "track.unit_price"},
            "lists": {"$count_distinct": "playlist_id"},
        },
        filter={"track": {"invoice_lines": {"$some": {"invoice.billing_country": "France"}}}},
    )
    rows = published.rows(
        "SELECT Playlist.Name, count(*), count(DISTINCT TrackId),"
        f" {CENTS.format('UnitPrice')}, count(DISTINCT PlaylistId)"
        " FROM PlaylistTrack JOIN Playlist USING (PlaylistId) JOIN Track USING (TrackId)"
        " WHERE TrackId IN (SELECT TrackId FROM InvoiceLine JOIN Invoice USING (InvoiceId)"
        " WHERE BillingCountry = 'France') GROUP BY 1"
    )
    assert in_one_order(found["groups"]) == in_one_order(
        {
            "playlist.name": name,
            "n": n,
            "different": tracks,
            "price": decimal_of(cents),
            "lists": lists,
        }
        for name, n, tracks, cents, lists in rows
    )
    assert rows


def test_extremes_of_text_and_time(chinook: Chinook, published: Published) -> None:
    found = chinook.ask(
        "EmployeeAggregate",
        aggregate={
            "first": {"$min": "hire_date"},
            "last": {"$max": "hire_date"},
            "name": {"$min": "last_name"},
            "bosses": {"$count_distinct": "manager_id"},
        },
    )
    assert found["groups"] == [
        dict(
            zip(
                ("first", "last", "name", "bosses"),
                published.rows(
                    "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', min(HireDate)),"
                    " strftime('%Y-%m-%dT%H:%M:%SZ', max(HireDate)), min(LastName),"
                    " count(DISTINCT ReportsTo) FROM Employee"
                )[0],
                strict=True,
            )
        )
    ]


def test_more_groups_than_fit_are_refused(chinook: Chinook, published: Published) -> None:
    """There are 3,257 names of tracks: fewer, silently, would be wrong."""
    assert published.one("SELECT count(DISTINCT Name) FROM Track") > 1000
    params = {"group_by": ["name"], "aggregate": {"n": {"$count": "*"}}}
    with pytest.raises(LimitExceeded):
        chinook.nexus.execute("TrackAggregateNode", params)
    assert Client().get("/api/tracks/aggregate?group_by=name&count=*").status_code == 413
    most = chinook.ask("TrackAggregate", **params, order_by=["-n"], limit=1)["groups"][0]["n"]
    assert most == published.one("SELECT count(*) FROM Track GROUP BY Name ORDER BY 1 DESC LIMIT 1")


def test_the_short_form(chinook: Chinook) -> None:
    expected = chinook.ask(
        "InvoiceAggregate",
        group_by=["billing_country"],
        aggregate={
            "sum_total": {"$sum": "total"},
            "avg_total": {"$avg": "total"},
            "count": {"$count": "*"},
        },
        filter={"billing_country": {"$in": ["Brazil", "USA"]}},
    )
    assert len(expected["groups"]) == 2
    query = "group_by=billing_country&sum=total&avg=total&count=*&billing_country__in=Brazil,USA"
    assert Client().get(f"/api/invoices/aggregate?{query}").json() == expected
    words = [f"--{pair}".replace("_", "-", 1) for pair in query.split("&")[:-1]]
    words.append("--billing-country--in=Brazil,USA")
    for begin in (("invoices", "aggregate"), ("execute", "InvoiceAggregateNode")):
        answer = command(*begin, *words)
        assert answer.error is None, answer.raw
        assert json.loads(answer.body) == expected
