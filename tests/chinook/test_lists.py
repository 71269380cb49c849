"""Lists of published rows: every value of every table, every order, pages through all tracks."""

import json
from typing import Any

import pytest
from django.test import Client

from dataflow_nexus import Invalid
from tests.chinook.asking import Chinook, Published
from tests.chinook.models import MODELS

_KEYS = {"PlaylistTrack": "PlaylistId, TrackId"}
TABLES = [model.__name__ for model in MODELS]


def key_of(table: str) -> str:
    return _KEYS.get(table, f"{table}Id")


# --- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
def test_every_value_of_every_table(chinook: Chinook, published: Published, table: str) -> None:
    expected = published.records(table, f"ORDER BY {key_of(table)}")
    if table == "Playlist":
        for record in expected:
            record["tracks"] = published.column(
                "SELECT TrackId FROM PlaylistTrack WHERE PlaylistId = ? ORDER BY 1",
                record["playlist_id"],
            )
    found = chinook.pages(f"{table}List", limit=1000)
    assert [record for page in found for record in page] == expected
    assert list(found[0][0]) == list(expected[0])
    assert chinook.ask(f"{table}Count") == {"count": len(expected)}


@pytest.mark.parametrize("table", [table for table in TABLES if table not in _KEYS])
def test_read_by_the_key(chinook: Chinook, published: Published, table: str) -> None:
    [expected] = published.records(table, f"ORDER BY {key_of(table)} DESC LIMIT 1")
    key = next(iter(expected.values()))
    fields = list(expected)
    assert chinook.ask(f"{table}Read", id=key, fields=fields) == expected
    assert chinook.ask(f"{table}Read", id=key, fields=fields[1:2]) == {
        fields[1]: expected[fields[1]]
    }


def test_read_by_a_composite_key(chinook: Chinook) -> None:
    key = {"playlist_id": 8, "track_id": 3503}
    assert chinook.ask("PlaylistTrackRead", id=key) == key
    assert Client().get("/api/playlist_tracks/8,3503").json() == key
    missing = Client().get("/api/playlist_tracks/9,3503")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


def test_limit_and_offset(chinook: Chinook, published: Published) -> None:
    ids = published.column("SELECT TrackId FROM Track ORDER BY Milliseconds DESC, TrackId")
    for limit, offset in ((7, 0), (1000, 0), (1000, 3000), (5, 3500), (5, 3503), (0, 10)):
        page = chinook.ask(
            "TrackList",
            order_by=["-milliseconds"],
            fields=["track_id"],
            limit=limit,
            offset=offset,
            count="exact",
        )
        found = [record["track_id"] for record in page["records"]]
        assert found == ids[offset : offset + limit]
        assert (page["count"], page["limit"], page["offset"]) == (3503, limit, offset)


@pytest.mark.parametrize(
    ("count", "tree", "expected"),
    [
        ("none", None, None),
        ("exact", {"unit_price": "0.99"}, 3290),
        ("estimated", {"unit_price": "0.99"}, 3290),
        ("exact", {"unit_price": {"$gt": 100}}, 0),
    ],
)
def test_count_beside_a_page(
    chinook: Chinook, published: Published, count: str, tree: Any, expected: int | None
) -> None:
    given = {} if tree is None else {"filter": tree}
    page = chinook.ask("TrackList", count=count, limit=2, **given)
    assert page["count"] == expected
    if expected:
        assert expected == published.one("SELECT count(*) FROM Track WHERE UnitPrice = 0.99")


# --- order and pages --------------------------------------------------------------------------------------------------

TO_ALBUM = 'LEFT JOIN "Album" USING ("AlbumId") LEFT JOIN "Artist" USING ("ArtistId")'
ORDERS: list[tuple[list[str], str, str]] = [
    ([], "", '"TrackId"'),
    (["-track_id"], "", '"TrackId" DESC'),
    (["milliseconds"], "", '"Milliseconds", "TrackId"'),
    (["-unit_price", "-bytes"], "", '"UnitPrice" DESC, "Bytes" DESC, "TrackId"'),
    (["composer"], "", '"Composer" IS NULL, "Composer", "TrackId"'),
    (["-composer"], "", '"Composer" IS NOT NULL, "Composer" DESC, "TrackId"'),
    (["composer:nullsfirst"], "", '"Composer" IS NOT NULL, "Composer", "TrackId"'),
    (
        ["-composer:nullslast", "genre_id", "-name"],
        "",
        '"Composer" IS NULL, "Composer" DESC, "GenreId", "Track"."Name" DESC, "TrackId"',
    ),
    (["genre_id", "-track_id"], "", '"GenreId", "TrackId" DESC'),
    (
        ["album.artist.name", "-album.title", "name"],
        TO_ALBUM,
        '"Artist"."Name", "Album"."Title" DESC, "Track"."Name", "TrackId"',
    ),
    (
        ["-genre.name:nullslast", "milliseconds"],
        'LEFT JOIN "Genre" USING ("GenreId")',
        '"Genre"."Name" DESC, "Milliseconds", "TrackId"',
    ),
]


@pytest.mark.parametrize(
    ("order_by", "joined", "order"), ORDERS, ids=[str(order[0]) for order in ORDERS]
)
@pytest.mark.parametrize("limit", [1000, 389])
def test_pages_through_all_tracks(
    chinook: Chinook, order_by: list[str], joined: str, order: str, limit: int
) -> None:
    expected = chinook.ids_here(f'SELECT "TrackId" FROM "Track" {joined} ORDER BY {order}')
    assert len(expected) == 3503
    given = {"order_by": order_by} if order_by else {}
    pages = chinook.pages("TrackList", fields=["track_id"], limit=limit, **given)
    assert [record["track_id"] for page in pages for record in page] == expected
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert len(pages) == -(-3503 // limit)


def test_links_lead_through_all_tracks(chinook: Chinook, published: Published) -> None:
    """RFC 8288: a client follows `Link` alone."""
    client, place = Client(), "/api/tracks?fields=name&sort=-album.title,name&limit=900"
    names: list[str] = []
    while place:
        answer = client.get(place)
        names += [record["name"] for record in answer.json()["records"]]
        link = answer.get("Link", "")
        place = link.removeprefix("<").partition(">")[0].removeprefix("http://testserver")
    assert len(names) == 3503
    assert sorted(names) == sorted(published.column("SELECT Name FROM Track"))


@pytest.mark.parametrize(
    ("order_by", "order"),
    [
        ([], "PlaylistId, TrackId"),
        (["-track_id"], "TrackId DESC, PlaylistId"),
        (["track_id", "-playlist_id"], "TrackId, PlaylistId DESC"),
    ],
    ids=str,
)
def test_pages_through_a_composite_key(
    chinook: Chinook, published: Published, order_by: list[str], order: str
) -> None:
    given = {"order_by": order_by} if order_by else {}
    pages = chinook.pages("PlaylistTrackList", limit=1000, **given)
    found = [tuple(record.values()) for page in pages for record in page]
    assert found == published.rows(f"SELECT * FROM PlaylistTrack ORDER BY {order}")


@pytest.mark.parametrize(
    ("order_by", "order"),
    [
        (["state"], '"State" IS NULL, "State"'),
        (["-state"], '"State" IS NOT NULL, "State" DESC'),
        (["state:nullsfirst"], '"State" IS NOT NULL, "State"'),
        (["-state:nullslast"], '"State" IS NULL, "State" DESC'),
        (
            ["company", "-fax", "country:nullsfirst"],
            '"Company" IS NULL, "Company", "Fax" IS NOT NULL, "Fax" DESC, "Country"',
        ),
    ],
    ids=str,
)
@pytest.mark.parametrize("limit", [1, 20])
def test_nulls_are_sorted_as_asked(
    chinook: Chinook, order_by: list[str], order: str, limit: int
) -> None:
    expected = chinook.ids_here(f'SELECT "CustomerId" FROM "Customer" ORDER BY {order}, 1')
    pages = chinook.pages("CustomerList", fields=["customer_id"], order_by=order_by, limit=limit)
    assert [record["customer_id"] for page in pages for record in page] == expected


def test_a_cursor_belongs_to_its_order_and_filter(chinook: Chinook) -> None:
    cursor = chinook.ask("TrackList", order_by=["composer"], limit=10)["next"]
    for wrong in (
        {"order_by": ["-composer"]},
        {"order_by": ["composer"], "filter": {"genre_id": 1}},
        {},
    ):
        with pytest.raises(Invalid) as caught:
            chinook.nexus.execute("TrackListNode", cursor=cursor, limit=10, **wrong)
        assert [item.field for item in caught.value.errors] == ["cursor"]


def test_names_of_columns_are_no_names(chinook: Chinook) -> None:
    """What callers see are the model's names; the table's are nobody's business."""
    for params in (
        {"filter": {"UnitPrice": 1}},
        {"order_by": ["UnitPrice"]},
        {"fields": ["UnitPrice"]},
        {"filter": {"album.ArtistId": 1}},
    ):
        with pytest.raises(Invalid) as caught:
            chinook.nexus.execute("TrackListNode", params)
        assert [item.code for item in caught.value.errors] == ["unknown"]
    answer = Client().get("/api/tracks?UnitPrice__gt=1")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "UnitPrice__gt")
    assert "SELECT" not in json.dumps(answer.json())
