"""Filters over the published rows: to-one paths, quantifiers, nulls, text of any kind."""

import pytest
from django.test import Client

from tests.chinook.asking import Chinook, Published
from tests.chinook.conditions import OTHERS, TRACKS, Filter

PEARL_JAM = "Track JOIN Album USING (AlbumId) WHERE ArtistId = 118"


def check(
    chinook: Chinook, published: Published, model: str, tree: Filter, condition: str
) -> list[int]:
    """The same records by a page, by their number, and by SQL."""
    expected = published.column(f"SELECT {model}Id FROM {model} WHERE {condition} ORDER BY 1")
    [key] = chinook.nexus.registry.named(model).key
    pages = chinook.pages(f"{model}List", filter=tree, fields=[key.name], limit=1000)
    assert [record[key.name] for page in pages for record in page] == expected
    assert chinook.ask(f"{model}Count", filter=tree) == {"count": len(expected)}
    return expected


@pytest.mark.parametrize(("tree", "condition"), TRACKS, ids=[str(item[0]) for item in TRACKS])
def test_tracks(chinook: Chinook, published: Published, tree: Filter, condition: str) -> None:
    check(chinook, published, "Track", tree, condition)


@pytest.mark.parametrize(
    ("model", "tree", "condition"), OTHERS, ids=[f"{item[0]} {item[1]}" for item in OTHERS]
)
def test_other_tables(
    chinook: Chinook, published: Published, model: str, tree: Filter, condition: str
) -> None:
    check(chinook, published, model, tree, condition)


@pytest.mark.parametrize(
    ("tree", "condition"),
    [
        ({"id": {"playlist_id": 8, "track_id": 5}}, "PlaylistId = 8 AND TrackId = 5"),
        ({"playlist_id": 17, "track_id": {"$lt": 20}}, "PlaylistId = 17 AND TrackId < 20"),
        ({"playlist.name": "Grunge"}, "PlaylistId = 16"),
        (
            {"track": {"album.artist.name": "Pearl Jam"}, "playlist_id": {"$nin": [1, 8]}},
            f"PlaylistId NOT IN (1, 8) AND TrackId IN (SELECT TrackId FROM {PEARL_JAM})",
        ),
    ],
    ids=str,
)
def test_rows_with_a_composite_key(
    chinook: Chinook, published: Published, tree: Filter, condition: str
) -> None:
    expected = published.rows(f"SELECT * FROM PlaylistTrack WHERE {condition} ORDER BY 1, 2")
    found = chinook.ask("PlaylistTrackList", filter=tree, limit=1000)["records"]
    assert [tuple(record.values()) for record in found] == expected
    assert expected


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        ("unit_price__gt=0.99", {"unit_price": {"$gt": 0.99}}),
        ("unit_price=1.99&genre_id__in=18,19", {"unit_price": 1.99, "genre_id": {"$in": [18, 19]}}),
        ("album__artist__name=Iron%20Maiden", {"album.artist.name": "Iron Maiden"}),
        ("genre__name__in=Jazz,Blues", {"genre.name": {"$in": ["Jazz", "Blues"]}}),
        ("composer__isnull=true", {"composer": None}),
        (
            "composer__isnull=0&name__icontains=AMOR",
            {"composer": {"$null": False}, "name": {"$icontains": "amor"}},
        ),
        (
            "name__startswith=A&milliseconds__range=200000,250000",
            {"name": {"$startswith": "A"}, "milliseconds": {"$between": [200000, 250000]}},
        ),
    ],
)
def test_lookups_of_a_query_string(chinook: Chinook, query: str, tree: Filter) -> None:
    expected = chinook.ask("TrackList", filter=tree, limit=1000)
    assert expected["records"]
    found = Client().get(f"/api/tracks?{query}&limit=1000").json()
    assert found["records"] == expected["records"]
    found = Client().get(f"/api/tracks/count?{query}").json()
    assert found["count"] == chinook.ask("TrackCount", filter=tree)["count"]
