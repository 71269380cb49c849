"""Writes into published tables: their names, keys and constraints are not those that Django would have made."""

from typing import Any

import pytest

from dataflow_nexus import Conflict, Invalid, NexusError, PermissionDenied
from tests.chinook.asking import Chinook, Published

TRACK = {"name": "New", "media_type_id": 1, "milliseconds": 1000, "unit_price": "0.99"}
NOWHERE = 100_000


def execute(chinook: Chinook, node: str, **params: Any) -> Any:
    return chinook.nexus.execute(f"{node}Node", params)


def refused(chinook: Chinook, node: str, **params: Any) -> tuple[str, list[tuple[str, str]]]:
    with pytest.raises(NexusError) as caught:
        execute(chinook, node, **params)
    return caught.value.code, [(item.field, item.code) for item in caught.value.errors]


# --- records ----------------------------------------------------------------------------------------------------------


def test_a_record_lives(chinook: Chinook, published: Published) -> None:
    last = published.one("SELECT max(TrackId) FROM Track")
    made = execute(chinook, "TrackCreate", **TRACK, album_id=1)
    key = made["track_id"]  # of a sequence, which does not roll back with the other tests
    assert key > last
    nothing = {"genre_id": None, "composer": None, "bytes": None}
    assert made == {"track_id": key, **TRACK, "album_id": 1, **nothing}
    assert list(made)[:3] == ["track_id", "name", "album_id"]
    changed = execute(
        chinook,
        "TrackUpdate",
        id=key,
        unit_price={"$multiply": 2},
        milliseconds={"$inc": 500},
        name={"$append": "er"},
        composer="Nobody",
    )
    expected = {"unit_price": "1.98", "milliseconds": 1500, "name": "Newer", "composer": "Nobody"}
    assert changed == {**made, **expected}
    assert chinook.ask("TrackRead", id=key) == changed
    replaced = execute(chinook, "TrackUpdate", id=key, replace=True, **TRACK)
    assert replaced == {**made, "album_id": None}
    assert execute(chinook, "TrackDelete", id=key) == {"id": key, "deleted": True}
    assert chinook.ask("TrackCount") == {"count": 3503}


def test_moments_are_kept_in_utc(chinook: Chinook) -> None:
    made = execute(
        chinook,
        "InvoiceCreate",
        customer_id=1,
        invoice_date="2026-01-01T00:30:00.5+01:00",
        total=5,
    )
    assert (made["invoice_date"], made["total"]) == ("2025-12-31T23:30:00.5Z", "5.00")
    [group] = chinook.ask(
        "InvoiceAggregate",
        group_by=[{"$date_trunc": ["month", "invoice_date"]}],
        aggregate={"revenue": {"$sum": "total"}},
        filter={"id": {"$in": [made["invoice_id"]]}},
    )["groups"]
    assert group == {"invoice_date_month": "2025-12-01T00:00:00Z", "revenue": "5.00"}


def test_an_upsert_by_the_key(chinook: Chinook, published: Published) -> None:
    [before] = published.records("Track", "WHERE TrackId = 7")
    answer = execute(chinook, "TrackUpsert", track_id=7, **TRACK)
    assert answer == {"created": False, "record": {**before, **TRACK}}
    answer = execute(
        chinook,
        "TrackUpsert",
        where={"track_id": 8},
        create=TRACK,
        update={"bytes": {"$dec": 1}},
    )
    [before] = published.records("Track", "WHERE TrackId = 8")
    assert answer == {"created": False, "record": {**before, "bytes": before["bytes"] - 1}}
    answer = execute(chinook, "TrackUpsert", track_id=NOWHERE, **TRACK)
    assert (answer["created"], answer["record"]["track_id"]) == (True, NOWHERE)


def test_rows_of_the_composite_key(chinook: Chinook) -> None:
    key = {"playlist_id": 2, "track_id": 5}
    assert execute(chinook, "PlaylistTrackCreate", **key) == key
    assert refused(chinook, "PlaylistTrackCreate", **key) == (
        "conflict",
        [("playlist_id", "unique"), ("track_id", "unique")],
    )
    assert execute(chinook, "PlaylistTrackUpsert", **key) == {"created": False, "record": key}
    assert refused(chinook, "PlaylistTrackUpdate", id=key, track_id=6) == (
        "invalid",
        [("track_id", "primary_key")],
    )
    assert chinook.ask("PlaylistRead", id=2, fields=["tracks"]) == {"tracks": [5]}
    assert execute(chinook, "PlaylistTrackDelete", id=key) == {"id": key, "deleted": True}
    assert chinook.ask("PlaylistRead", id=2, fields=["tracks"]) == {"tracks": []}


def test_a_list_of_ids_through_a_table_of_ones_own_is_read_only(chinook: Chinook) -> None:
    with pytest.raises(PermissionDenied, match='"tracks"'):
        execute(chinook, "PlaylistUpdate", id=2, tracks=[1])


# --- many rows --------------------------------------------------------------------------------------------------------


def test_a_price_rise(chinook: Chinook, published: Published) -> None:
    changed = execute(
        chinook,
        "TrackBulkUpdate",
        filter={"album.artist.name": "Iron Maiden", "genre.name": "Metal"},
        fields={"unit_price": {"$inc": "0.10"}},
    )
    number, cents = published.rows(
        "SELECT count(*), sum(CAST(round(UnitPrice * 100) AS INTEGER) + 10) FROM Track"
        " JOIN Album USING (AlbumId) JOIN Artist USING (ArtistId) JOIN Genre USING (GenreId)"
        " WHERE Artist.Name = 'Iron Maiden' AND Genre.Name = 'Metal'"
    )[0]
    assert (changed["processed"], changed["updated"]) == (number, number)
    whole = chinook.ask(
        "TrackAggregate",
        aggregate={"n": {"$count": "*"}, "price": {"$sum": "unit_price"}},
        filter={"unit_price": "1.09"},
    )
    assert whole == {"groups": [{"n": number, "price": f"{cents / 100:.2f}"}]}


def test_rows_by_their_keys(chinook: Chinook) -> None:
    made = execute(
        chinook,
        "ArtistBulkCreate",
        data=[{"name": "One"}, {"name": None}, {"artist_id": NOWHERE, "name": "Three"}],
        **{"return": "records"},
    )
    first = made["records"][0]["artist_id"]
    assert first > 275
    assert made["records"] == [
        {"artist_id": first, "name": "One"},
        {"artist_id": first + 1, "name": None},
        {"artist_id": NOWHERE, "name": "Three"},
    ]
    changed = execute(
        chinook,
        "ArtistBulkUpsert",
        data=[{"artist_id": 1, "name": "DC/AC"}, {"artist_id": NOWHERE + 1, "name": "Five"}],
    )
    assert (changed["updated"], changed["inserted"]) == (1, 1)
    gone = execute(chinook, "ArtistBulkDelete", filter={"id": {"$gt": 275}})
    assert gone["deleted"] == 4
    assert chinook.ask("ArtistRead", id=1)["name"] == "DC/AC"


def test_a_whole_playlist_goes(chinook: Chinook, published: Published) -> None:
    keys = published.column("SELECT TrackId FROM PlaylistTrack WHERE PlaylistId = 17 ORDER BY 1")
    gone = execute(
        chinook, "PlaylistTrackBulkDelete", filter={"playlist.id": 17}, **{"return": "ids"}
    )
    assert gone["ids"] == [{"playlist_id": 17, "track_id": key} for key in keys]
    assert execute(chinook, "PlaylistDelete", id=17)["deleted"] is True


# --- constraints, which these tables do not put off to the end of a transaction ---------------------------------------


@pytest.mark.parametrize(
    ("node", "params", "fields"),
    [
        ("AlbumCreate", {"title": "x", "artist_id": NOWHERE}, ["artist_id"]),
        ("AlbumUpdate", {"id": 1, "artist_id": NOWHERE}, ["artist_id"]),
        ("TrackCreate", {**TRACK, "album_id": NOWHERE, "genre_id": NOWHERE}, ["album_id", "genre_id"]),
        ("TrackUpsert", {"where": {"track_id": 1}, "update": {"genre_id": NOWHERE}}, ["genre_id"]),
        ("TrackBulkUpdate", {"filter": {"id": 1}, "fields": {"album_id": NOWHERE}}, ["album_id"]),
        (
            "TrackBulkUpdate",
            {"filter": {"id": 1}, "fields": {"album_id": NOWHERE}, "return": "ids"},
            ["album_id"],
        ),
        ("TrackBulkUpdate", {"data": [{"id": 1, "album_id": NOWHERE}]}, ["data.0.album_id"]),
        (
            "PlaylistTrackBulkCreate",
            {"data": [{"playlist_id": 2, "track_id": 1}, {"playlist_id": 2, "track_id": NOWHERE}]},
            ["data.1.track_id"],
        ),
        ("EmployeeUpdate", {"id": 1, "manager_id": NOWHERE}, ["manager_id"]),
    ],
    ids=str,
)  # fmt: skip
def test_a_reference_to_nothing_is_named(
    chinook: Chinook, node: str, params: dict[str, Any], fields: list[str]
) -> None:
    expected = ("conflict", [(field, "foreign_key") for field in fields])
    assert refused(chinook, node, **params) == expected
    assert chinook.ask("TrackRead", id=1, fields=["album_id", "genre_id"]) == {
        "album_id": 1,
        "genre_id": 1,
    }
    assert chinook.ask("PlaylistTrackCount", filter={"playlist_id": 2}) == {"count": 0}


@pytest.mark.parametrize(
    ("node", "params"),
    [
        ("ArtistDelete", {"id": 1}),
        ("ArtistBulkDelete", {"ids": [25, 1]}),
        ("PlaylistDelete", {"id": 1}),
        ("EmployeeDelete", {"id": 2}),
    ],
    ids=str,
)
def test_what_others_refer_to_stays(chinook: Chinook, node: str, params: dict[str, Any]) -> None:
    with pytest.raises(Conflict, match="a reference to or from another record would break"):
        execute(chinook, node, **params)
    assert chinook.ask("ArtistCount") == {"count": 275}


def test_going_on_after_a_bad_row(chinook: Chinook) -> None:
    answer = execute(
        chinook,
        "PlaylistTrackBulkCreate",
        data=[{"playlist_id": 2, "track_id": track} for track in (1, NOWHERE, 3)],
        on_error="continue",
    )
    assert (answer["inserted"], [item["index"] for item in answer["errors"]]) == (2, [1])
    assert chinook.ask("PlaylistRead", id=2)["tracks"] == [1, 3]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "x" * 201}, "name"),
        ({"name": None}, "name"),
        ({"unit_price": "0.999"}, "unit_price"),
        ({"unit_price": "123456789.99"}, "unit_price"),
        ({"bytes": 2**31}, "bytes"),
        ({"milliseconds": "long"}, "milliseconds"),
        ({"Composer": "x"}, "Composer"),
    ],
    ids=["length", "null", "scale", "digits", "range", "type", "column"],
)
def test_wrong_values_are_named(chinook: Chinook, values: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        execute(chinook, "TrackCreate", **{**TRACK, **values})
    assert [item.field for item in caught.value.errors] == [field]
