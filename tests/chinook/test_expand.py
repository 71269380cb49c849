"""Related rows inside records: to one, to many, many-to-many, and a tree of employees."""

from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from dataflow_nexus import Invalid, LimitExceeded
from tests.chinook.asking import Chinook, Published, Row
from tests.routing import CHINOOK_POSTGRESQL


def by_key(records: list[Row]) -> dict[int, Row]:
    return {next(iter(record.values())): record for record in records}


def grouped(records: list[Row], name: str) -> dict[int, list[Row]]:
    """Rows by a foreign key, in the order of their own keys."""
    found: dict[int, list[Row]] = {}
    for record in records:
        found.setdefault(record[name], []).append(record)
    return found


@pytest.fixture
def artists(published: Published) -> dict[int, Row]:
    return by_key(published.records("Artist", "ORDER BY 1"))


@pytest.fixture
def albums(published: Published) -> dict[int, Row]:
    return by_key(published.records("Album", "ORDER BY 1"))


@pytest.fixture
def tracks(published: Published) -> dict[int, Row]:
    return by_key(published.records("Track", "ORDER BY 1"))


@pytest.fixture
def employees(published: Published) -> dict[int, Row]:
    return by_key(published.records("Employee", "ORDER BY 1"))


def test_tracks_with_their_album_and_its_artist(
    chinook: Chinook, tracks: Any, albums: Any, artists: Any, published: Published
) -> None:
    genres = by_key(published.records("Genre"))
    found = [
        record
        for page in chinook.pages("TrackList", expand=["album.artist", "genre"], limit=1000)
        for record in page
    ]
    for record in found:
        track = tracks[record["track_id"]]
        album = albums[track["album_id"]]
        assert record == {
            **track,
            "album": {**album, "artist": artists[album["artist_id"]]},
            "genre": genres[track["genre_id"]],
        }
    assert len(found) == 3503


def test_artists_with_their_albums_and_tracks(
    chinook: Chinook, tracks: Any, albums: Any, artists: Any
) -> None:
    of_album = grouped(list(tracks.values()), "album_id")
    of_artist = grouped(list(albums.values()), "artist_id")
    assert max(len(rows) for rows in of_album.values()) <= 100
    found = chinook.ask("ArtistList", expand=["albums.tracks"], limit=1000)["records"]
    assert found == [
        {
            **artist,
            "albums": [
                {**album, "tracks": of_album.get(album["album_id"], [])}
                for album in of_artist.get(key, [])
            ],
        }
        for key, artist in artists.items()
    ]


def test_the_tree_of_employees(chinook: Chinook, employees: Any) -> None:
    below = grouped(list(employees.values()), "manager_id")

    def tree(employee: Row, depth: int) -> Row:
        if not depth:
            return employee
        reports = below.get(employee["employee_id"], [])
        return {**employee, "reports": [tree(report, depth - 1) for report in reports]}

    found = chinook.ask(
        "EmployeeList", filter={"manager": None}, expand=["reports.reports.reports"]
    )
    assert found["records"] == [tree(employees[1], 3)]
    assert [report["last_name"] for report in found["records"][0]["reports"]] == [
        "Edwards",
        "Mitchell",
    ]

    def line(employee: Row, depth: int) -> Row:
        boss = employees.get(employee["manager_id"])
        above = None if boss is None else line(boss, depth - 1) if depth > 1 else boss
        return {**employee, "manager": above}

    found = chinook.ask("EmployeeList", expand=["manager.manager"])
    assert found["records"] == [line(employee, 2) for employee in employees.values()]


def test_both_ways_at_once(chinook: Chinook, employees: Any, published: Published) -> None:
    of_agent = grouped(published.records("Customer", "ORDER BY 1"), "support_rep_id")
    found = chinook.ask("EmployeeRead", id=4, expand=["manager", "customers", "reports"])
    relations = {"manager": employees[2], "customers": of_agent[4], "reports": []}
    assert found == {**employees[4], **relations}


def test_an_invoice_with_its_lines(chinook: Chinook, published: Published, tracks: Any) -> None:
    lines = published.records("InvoiceLine", "WHERE InvoiceId = 5 ORDER BY 1")
    [invoice] = published.records("Invoice", "WHERE InvoiceId = 5")
    [customer] = published.records("Customer", f"WHERE CustomerId = {invoice['customer_id']}")
    found = chinook.ask("InvoiceRead", id=5, expand=["lines.track", "customer"])
    assert found == {
        **invoice,
        "customer": customer,
        "lines": [{**line, "track": tracks[line["track_id"]]} for line in lines],
    }
    assert len(lines) == 14


def test_a_long_list_is_cut(chinook: Chinook, published: Published, tracks: Any) -> None:
    """The first 100 of 3,290 tracks, in the order of their keys; all ids without expand."""
    ids = "SELECT TrackId FROM PlaylistTrack WHERE PlaylistId = ? ORDER BY 1"
    found = chinook.ask("PlaylistList", expand=["tracks"])["records"]
    assert [record["playlist_id"] for record in found] == published.column(
        "SELECT PlaylistId FROM Playlist ORDER BY 1"
    )
    for record in found:
        expected = published.column(ids, record["playlist_id"])
        assert record["tracks"] == [tracks[key] for key in expected[:100]]
    whole = chinook.ask("PlaylistRead", id=1)["tracks"]
    assert whole == published.column(ids, 1)
    assert len(whole) == 3290


def test_through_the_table_with_a_composite_key(
    chinook: Chinook, published: Published, tracks: Any
) -> None:
    entries = published.records("PlaylistTrack", "WHERE PlaylistId = 17 ORDER BY TrackId")
    [playlist] = published.records("Playlist", "WHERE PlaylistId = 17")
    found = chinook.ask("PlaylistRead", id=17, fields=["name"], expand=["entries.track"])
    assert found == {
        "name": playlist["name"],
        "entries": [{**entry, "track": tracks[entry["track_id"]]} for entry in entries],
    }
    found = chinook.ask(
        "TrackRead", id=entries[0]["track_id"], fields=["name"], expand=["playlists", "entries"]
    )
    keys = published.column(
        "SELECT PlaylistId FROM PlaylistTrack WHERE TrackId = ? ORDER BY 1",
        entries[0]["track_id"],
    )
    assert [item["playlist_id"] for item in found["playlists"]] == keys
    assert [item["playlist_id"] for item in found["entries"]] == keys


def test_a_page_in_another_order(chinook: Chinook, tracks: Any, albums: Any, artists: Any) -> None:
    found = chinook.ask(
        "TrackList",
        order_by=["-milliseconds"],
        fields=["name"],
        expand=["album"],
        filter={"album.artist.name": {"$startswith": "A"}},
        limit=50,
    )["records"]
    chosen = [
        track
        for track in tracks.values()
        if artists[albums[track["album_id"]]["artist_id"]]["name"].startswith("A")
    ]
    chosen.sort(key=lambda track: (-track["milliseconds"], track["track_id"]))
    assert found == [
        {"name": track["name"], "album": albums[track["album_id"]]} for track in chosen[:50]
    ]


@pytest.mark.parametrize(
    ("node", "paths", "relations"),
    [
        ("TrackList", ["album.artist", "genre", "media_type"], 4),
        ("ArtistList", ["albums.tracks"], 2),
        ("PlaylistList", ["tracks"], 1),
        ("EmployeeList", ["reports.reports.customers", "manager"], 4),
    ],
    ids=str,
)
def test_statements_depend_on_the_paths_alone(
    chinook: Chinook, node: str, paths: list[str], relations: int
) -> None:
    """One on PostgreSQL, and one more for each relation on SQLite, whatever the number of rows."""
    for limit in (1, 1000):
        with CaptureQueriesContext(connections[chinook.alias]) as seen:
            chinook.nexus.execute(f"{node}Node", expand=paths, limit=limit)
        expected = 1 if chinook.alias == CHINOOK_POSTGRESQL else 1 + relations
        assert len(seen) == expected


def test_what_can_not_be_expanded(chinook: Chinook) -> None:
    for path in ("albums", "album.artists", "album_id", "name", "Album"):
        with pytest.raises(Invalid) as caught:
            chinook.nexus.execute("TrackListNode", expand=[path])
        assert caught.value.errors[0].code == "unknown"
    with pytest.raises(LimitExceeded):
        chinook.nexus.execute("EmployeeListNode", expand=["manager.manager.manager.manager"])
