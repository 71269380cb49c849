"""Exports of whole tables, over HTTP and to files, read back with the standard library alone."""

import csv
import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from tests.chinook.asking import Chinook, Published, Row, command

RESOURCES = {
    "artists": "Artist",
    "albums": "Album",
    "customers": "Customer",
    "employees": "Employee",
    "tracks": "Track",
    "invoices": "Invoice",
    "invoice_lines": "InvoiceLine",
    "playlist_tracks": "PlaylistTrack",
}
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def exported(resource: str, fmt: str, folder: Path, **params: str) -> bytes:
    """The bytes, which are the same over HTTP, on the standard output and in a file."""
    query = urlencode({"format": fmt, **params})
    answer = Client().get(f"/api/{resource}/export?{query}")
    assert answer.status_code == 200
    found = b"".join(answer)
    words = [f"--{name.replace('_', '-')}={value}" for name, value in params.items()]
    file = folder / f"{resource}.{fmt}"
    assert command(resource, "export", f"--file={file}", *words) == b""
    assert file.read_bytes() == found
    assert command(resource, "export", f"--format={fmt}", *words) == found
    return found


def cells(record: Row) -> dict[str, str]:
    """A record as a line of CSV; what a spreadsheet would run has an apostrophe before it."""
    return {name: _cell(value) for name, value in record.items()}


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_row(chinook: Chinook, published: Published, tmp_path: Path, resource: str) -> None:
    table = RESOURCES[resource]
    key = "PlaylistId, TrackId" if table == "PlaylistTrack" else f"{table}Id"
    expected = published.records(table, f"ORDER BY {key}")
    whole = exported(resource, "json", tmp_path)
    assert json.loads(whole) == expected
    lines = exported(resource, "ndjson", tmp_path)
    assert [json.loads(line) for line in lines.splitlines()] == expected
    text = exported(resource, "csv", tmp_path).decode()
    assert text.startswith(",".join(expected[0]) + "\r\n")
    found = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    assert found == [cells(record) for record in expected]


def test_phone_numbers_do_not_run(chinook: Chinook, published: Published, tmp_path: Path) -> None:
    number = published.one("SELECT Phone FROM Customer WHERE CustomerId = 1")
    assert number.startswith("+55 ")
    text = exported("customers", "csv", tmp_path, fields="phone", filter='{"id": 1}')
    assert text.decode() == f"phone\r\n'{number}\r\n"


def test_playlists_with_their_lists_of_ids(
    chinook: Chinook, published: Published, tmp_path: Path
) -> None:
    text = exported("playlists", "csv", tmp_path).decode()
    found = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    ids = {int(row["playlist_id"]): json.loads(row["tracks"]) for row in found}
    pairs = [(playlist, track) for playlist, tracks in ids.items() for track in tracks]
    assert pairs == published.rows("SELECT * FROM PlaylistTrack ORDER BY 1, 2")
    assert len(ids) == 18


@pytest.mark.parametrize("fmt", ["json", "ndjson"])
def test_a_selection_in_an_order_with_relations(
    chinook: Chinook, published: Published, tmp_path: Path, fmt: str
) -> None:
    params = {
        "filter": '{"genre.name": {"$in": ["Jazz", "Blues"]}, "unit_price": {"$lt": 1}}',
        "order_by": "-milliseconds",
        "fields": "track_id,name",
        "expand": "album.artist",
    }
    data = exported("tracks", fmt, tmp_path, **params)
    found = json.loads(data) if fmt == "json" else [json.loads(line) for line in data.splitlines()]
    rows = published.rows(
        "SELECT TrackId, Track.Name, AlbumId, Title, ArtistId, Artist.Name FROM Track"
        " JOIN Album USING (AlbumId) JOIN Artist USING (ArtistId) JOIN Genre USING (GenreId)"
        " WHERE Genre.Name IN ('Jazz', 'Blues') ORDER BY Milliseconds DESC, TrackId"
    )
    assert found == [
        {
            "track_id": track,
            "name": name,
            "album": {
                "album_id": album,
                "title": title,
                "artist_id": artist,
                "artist": {"artist_id": artist, "name": singer},
            },
        }
        for track, name, album, title, artist, singer in rows
    ]
    assert len(rows) > 200


def test_a_search_with_a_limit(chinook: Chinook, published: Published, tmp_path: Path) -> None:
    data = exported("artists", "csv", tmp_path, search="the", limit="5", offset="2", fields="name")
    names = published.column(
        "SELECT Name FROM Artist WHERE instr(fold(Name), 'the') ORDER BY ArtistId LIMIT 5 OFFSET 2"
    )
    assert [row["name"] for row in csv.DictReader(io.StringIO(data.decode()))] == names


# --- what a person sees -----------------------------------------------------------------------------------------------


def test_the_formats_of_a_list(chinook: Chinook, published: Published) -> None:
    expected = published.records("Genre", "ORDER BY GenreId LIMIT 4")
    words = ("genres", "list", "--limit", "4")
    assert json.loads(command(*words))["records"] == expected
    assert [json.loads(line) for line in command(*words, "--format", "ndjson").splitlines()] == (
        expected
    )
    text = command(*words, "--format", "csv").decode()
    assert list(csv.DictReader(io.StringIO(text))) == [cells(record) for record in expected]
    shown = command(*words, terminal=True).decode()
    for record in expected:
        assert any(
            str(record["genre_id"]) in line and record["name"] in line
            for line in shown.splitlines()
        )
