"""Filters over the published rows, each beside the condition of plain SQL that means the same."""

from typing import Any

Filter = dict[str, Any]
LOVE = "instr(Name, 'Love') > 0"
IN_GENRE = "GenreId IN (SELECT GenreId FROM Genre WHERE Name = '{}')"
BY_ARTIST = (
    "AlbumId IN (SELECT AlbumId FROM Album JOIN Artist USING (ArtistId) WHERE Artist.Name = '{}')"
)
SOLD = "SELECT TrackId FROM InvoiceLine JOIN Invoice USING (InvoiceId)"
LISTED = "SELECT TrackId FROM PlaylistTrack JOIN Playlist USING (PlaylistId)"

TRACKS: list[tuple[Filter, str]] = [
    ({}, "1"),
    ({"track_id": 1}, "TrackId = 1"),
    ({"id": {"$in": [1, 3503, 9999]}}, "TrackId IN (1, 3503)"),
    ({"id": {"$in": []}}, "0"),
    ({"id": {"$nin": []}}, "1"),
    ({"unit_price": {"$gt": "0.99"}}, "round(UnitPrice * 100) > 99"),
    ({"unit_price": {"$gte": 0.99, "$lt": 1.99}}, "round(UnitPrice * 100) = 99"),
    ({"unit_price": 1.99}, "round(UnitPrice * 100) = 199"),
    ({"unit_price": {"$ne": "1.99"}}, "round(UnitPrice * 100) <> 199"),
    ({"unit_price": {"$in": ["1.990", 5]}}, "round(UnitPrice * 100) = 199"),
    ({"milliseconds": {"$between": [200000, 210000]}}, "Milliseconds BETWEEN 200000 AND 210000"),
    ({"bytes": {"$gt": 2**29}}, "Bytes > 536870912"),
    # nulls
    ({"composer": None}, "Composer IS NULL"),
    ({"composer": {"$null": False}}, "Composer IS NOT NULL"),
    ({"composer": "U2"}, "Composer = 'U2'"),
    ({"composer": {"$ne": "U2"}}, "Composer IS NOT 'U2'"),
    ({"composer": {"$nin": ["U2", "Miles Davis"]}}, "ifnull(Composer NOT IN ('U2', 'Miles Davis'), 1)"),
    ({"composer": {"$in": ["U2", None]}}, "Composer = 'U2' OR Composer IS NULL"),
    ({"composer": {"$nin": ["U2", None]}}, "Composer <> 'U2'"),
    ({"$not": {"composer": {"$gt": "M"}}}, "NOT ifnull(Composer > 'M', 0)"),
    ({"composer": {"$not": {"$contains": "Steve"}}}, "NOT ifnull(instr(Composer, 'Steve'), 0)"),
    # text
    ({"name": {"$contains": "Love"}}, LOVE),
    ({"name": {"$contains": "love"}}, "instr(Name, 'love') > 0"),
    ({"name": {"$icontains": "LOVE"}}, "instr(fold(Name), 'love') > 0"),
    ({"name": {"$icontains": "ÃO"}}, "instr(fold(Name), 'ão') > 0"),
    ({"name": {"$startswith": "The "}}, "substr(Name, 1, 4) = 'The '"),
    ({"name": {"$istartswith": "the "}}, "substr(fold(Name), 1, 4) = 'the '"),
    ({"name": {"$endswith": ")"}}, "substr(Name, -1) = ')'"),
    ({"name": {"$iendswith": "LOVE"}}, "substr(fold(Name), -4) = 'love'"),
    ({"name": {"$contains": "%"}}, "instr(Name, '%') > 0"),
    ({"name": {"$contains": "_"}}, "instr(Name, '_') > 0"),
    ({"name": {"$contains": "["}}, "instr(Name, '[') > 0"),
    ({"name": {"$contains": "*"}}, "instr(Name, '*') > 0"),
    ({"name": {"$contains": "?"}}, "instr(Name, '?') > 0"),
    ({"name": {"$contains": "\\"}}, "instr(Name, '\\') > 0"),
    ({"name": {"$contains": "'"}}, "instr(Name, '''') > 0"),
    ({"name": {"$contains": '"'}}, "instr(Name, '\"') > 0"),
    ({"name": {"$like": "T_e %"}}, "Name GLOB 'T?e *'"),
    ({"name": {"$like": "%\\_%"}}, "instr(Name, '_') > 0"),
    ({"name": {"$ilike": "t_e %love"}}, "fold(Name) GLOB 't?e *love'"),
    # logic
    ({"$or": [{"genre_id": 2}, {"milliseconds": {"$lt": 5000}}]}, "GenreId = 2 OR Milliseconds < 5000"),
    (
        {"$and": [{"name": {"$contains": "Love"}}, {"$not": {"genre_id": 1}}]},
        f"{LOVE} AND NOT ifnull(GenreId = 1, 0)",
    ),
    (
        {"$not": {"$or": [{"composer": None}, {"genre_id": {"$in": [1, 2, 3]}}]}},
        "Composer IS NOT NULL AND ifnull(GenreId NOT IN (1, 2, 3), 1)",
    ),
    # relations to one
    ({"genre_id": 2}, "GenreId = 2"),
    ({"genre": 2}, "GenreId = 2"),
    ({"genre": {"name": "Jazz"}}, IN_GENRE.format("Jazz")),
    ({"genre.name": "Jazz"}, IN_GENRE.format("Jazz")),
    ({"genre.name": {"$ne": "Jazz"}}, "NOT " + IN_GENRE.format("Jazz")),
    ({"$not": {"genre.name": "Jazz"}}, "NOT " + IN_GENRE.format("Jazz")),
    ({"genre": {"$null": True}}, "GenreId IS NULL"),
    ({"album.artist.name": "Iron Maiden"}, BY_ARTIST.format("Iron Maiden")),
    ({"album": {"artist": {"name": "Iron Maiden"}}}, BY_ARTIST.format("Iron Maiden")),
    ({"album": {"artist.name": {"$istartswith": "iron m"}}}, BY_ARTIST.format("Iron Maiden")),
    (
        {"album.artist.name": "Iron Maiden", "genre": {"name": {"$in": ["Metal", "Blues"]}}},
        BY_ARTIST.format("Iron Maiden")
        + " AND GenreId IN (SELECT GenreId FROM Genre WHERE Name IN ('Metal', 'Blues'))",
    ),
    # relations to many
    ({"invoice_lines": {"$none": {}}}, "TrackId NOT IN (SELECT TrackId FROM InvoiceLine)"),
    ({"invoice_lines": {"$some": {}}}, "TrackId IN (SELECT TrackId FROM InvoiceLine)"),
    (
        {"invoice_lines": {"$some": {"invoice.billing_country": "Norway"}}},
        f"TrackId IN ({SOLD} WHERE BillingCountry = 'Norway')",
    ),
    (
        {"playlists": {"$none": {"name": "Music"}}},
        f"TrackId NOT IN ({LISTED} WHERE Name = 'Music')",
    ),
    (
        {"playlists": {"$some": {"name": {"$startswith": "90"}}}, "genre.name": "Rock"},
        f"TrackId IN ({LISTED} WHERE Name LIKE '90%') AND " + IN_GENRE.format("Rock"),
    ),
    (
        {"playlists": {"$every": {"name": "Music"}}},
        f"TrackId NOT IN ({LISTED} WHERE Name IS NOT 'Music')",
    ),
    (
        {"entries": {"$some": {"playlist_id": 17}}},
        "TrackId IN (SELECT TrackId FROM PlaylistTrack WHERE PlaylistId = 17)",
    ),
]  # fmt: skip

JAZZ = (
    "SELECT ArtistId FROM Album JOIN Track USING (AlbumId) JOIN Genre USING (GenreId)"
    " WHERE Genre.Name = 'Jazz'"
)
BOUGHT = (
    "SELECT CustomerId FROM Invoice JOIN InvoiceLine USING (InvoiceId) JOIN Track USING (TrackId)"
)
COLLECTED = "SELECT PlaylistId FROM PlaylistTrack JOIN Track USING (TrackId)"
OTHERS: list[tuple[str, Filter, str]] = [
    ("Artist", {"albums": {"$none": {}}}, "ArtistId NOT IN (SELECT ArtistId FROM Album)"),
    ("Artist", {"albums": {"$some": {"tracks": {"$some": {"genre.name": "Jazz"}}}}}, f"ArtistId IN ({JAZZ})"),
    ("Artist", {"albums": {"$none": {"tracks": {"$some": {"genre.name": "Jazz"}}}}}, f"ArtistId NOT IN ({JAZZ})"),
    (
        "Artist",
        {"albums": {"$some": {}, "$every": {"title": {"$contains": "a"}}}},
        "ArtistId IN (SELECT ArtistId FROM Album GROUP BY 1 HAVING min(instr(Title, 'a') > 0))",
    ),
    (
        "Album",
        {"tracks": {"$every": {"composer": {"$null": False}}}},
        "AlbumId NOT IN (SELECT AlbumId FROM Track WHERE Composer IS NULL)",
    ),
    (
        "Album",
        {"tracks": {"$every": {"composer": {"$contains": "a"}}}},
        "AlbumId NOT IN (SELECT AlbumId FROM Track WHERE NOT ifnull(instr(Composer, 'a'), 0))",
    ),
    (
        "Customer",
        {"invoices": {"$every": {"total": {"$lt": "14.00"}}}},
        "CustomerId NOT IN (SELECT CustomerId FROM Invoice WHERE round(Total * 100) >= 1400)",
    ),
    (
        "Customer",
        {"invoices": {"$some": {"lines": {"$some": {"track.media_type.name": {"$contains": "video"}}}}}},
        f"CustomerId IN ({BOUGHT} WHERE MediaTypeId = 3)",
    ),
    ("Customer", {"support_rep.manager.manager.last_name": "Adams"}, "1"),
    ("Customer", {"support_rep": {"manager": {"reports": {"$none": {"first_name": "Jane"}}}}}, "0"),
    ("Customer", {"company": None, "state": {"$null": False}}, "Company IS NULL AND State IS NOT NULL"),
    ("Customer", {"last_name": {"$icontains": "Ö"}}, "instr(fold(LastName), 'ö') > 0"),
    ("Employee", {"manager": {"$null": True}}, "ReportsTo IS NULL"),
    ("Employee", {"manager": None}, "ReportsTo IS NULL"),
    ("Employee", {"manager_id": {"$ne": 2}}, "ReportsTo IS NOT 2"),
    ("Employee", {"manager.manager.employee_id": 1}, "ReportsTo IN (2, 6)"),
    ("Employee", {"manager.id": 2}, "ReportsTo = 2"),
    ("Employee", {"reports": {"$some": {"reports": {"$some": {}}}}}, "EmployeeId = 1"),
    ("Employee", {"reports": {"$none": {}}, "customers": {"$none": {}}}, "EmployeeId IN (7, 8)"),
    ("Employee", {"birth_date": {"$lt": "1960-01-01T00:00:00Z"}}, "BirthDate < '1960-01-01'"),
    ("Employee", {"hire_date": "2002-05-01T00:00:00Z"}, "HireDate = '2002-05-01 00:00:00'"),
    ("Employee", {"hire_date": "2002-05-01T02:00:00+02:00"}, "HireDate = '2002-05-01 00:00:00'"),
    (
        "Invoice",
        {"invoice_date": {"$gte": "2022-01-01T00:00:00Z", "$lt": "2022-02-01T00:00:00Z"}},
        "strftime('%Y-%m', InvoiceDate) = '2022-01'",
    ),
    (
        "Invoice",
        {"invoice_date": {"$between": ["2021-03-01", "2021-03-31"]}},
        "strftime('%Y-%m', InvoiceDate) = '2021-03'",
    ),
    ("Invoice", {"total": {"$gt": 15}}, "Total > 15"),
    ("Invoice", {"total": {"$in": ["1.98", 13.86]}}, "round(Total * 100) IN (198, 1386)"),
    ("Playlist", {"tracks": {"$none": {}}}, "PlaylistId NOT IN (SELECT PlaylistId FROM PlaylistTrack)"),
    (
        "Playlist",
        {"tracks": {"$some": {"composer": None, "genre.name": "Classical"}}},
        f"PlaylistId IN ({COLLECTED} WHERE Composer IS NULL AND GenreId = 24)",
    ),
    (
        "Playlist",
        {"entries": {"$every": {"track.album.artist.name": {"$ne": "U2"}}}},
        f"PlaylistId NOT IN ({COLLECTED} JOIN Album USING (AlbumId) WHERE ArtistId = 150)",
    ),
]  # fmt: skip
