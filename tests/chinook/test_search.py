"""Search: every word occurs, in any case and script, in one of the search fields."""

import pytest

from tests.chinook.asking import Chinook, Published

TRACKS = "Track LEFT JOIN Album USING (AlbumId) LEFT JOIN Artist USING (ArtistId)"
SEARCHED = {
    "Artist": ("Artist", ["Name"]),
    "Album": ("Album JOIN Artist USING (ArtistId)", ["Title", "Artist.Name"]),
    "Customer": ("Customer", ["FirstName", "LastName", "Company", "Email"]),
    "Track": (TRACKS, ["Track.Name", "Composer", "Title", "Artist.Name"]),
}
"""What `search` looks at: the tables in SQL, and their columns."""


@pytest.mark.parametrize(
    "text",
    ["love", "LOVE you", "maiden iron", "são", "GONÇALVES", "köhler", "a", "100%", "'n'", "xyzzy"],
)
@pytest.mark.parametrize("model", SEARCHED)
def test_search(chinook: Chinook, published: Published, model: str, text: str) -> None:
    source, columns = SEARCHED[model]
    words = text.split()
    any_column = " OR ".join(f"instr(fold({column}), fold(?))" for column in columns)
    condition = " AND ".join(f"({any_column})" for _ in words)
    expected = published.column(
        f"SELECT {model}Id FROM {source} WHERE {condition} ORDER BY 1",
        *(word for word in words for _ in columns),
    )
    pages = chinook.pages(f"{model}List", search=text, limit=1000)
    assert [next(iter(record.values())) for page in pages for record in page] == expected
    assert chinook.ask(f"{model}Count", search=text) == {"count": len(expected)}


def test_a_search_within_a_filter(chinook: Chinook, published: Published) -> None:
    expected = published.column(
        f"SELECT TrackId FROM {TRACKS}"
        " WHERE GenreId = 1 AND Milliseconds > 300000"
        " AND (instr(fold(Track.Name), 'live') OR instr(fold(Composer), 'live')"
        " OR instr(fold(Title), 'live') OR instr(fold(Artist.Name), 'live'))"
        " ORDER BY Milliseconds DESC, TrackId"
    )
    found = chinook.ask(
        "TrackList",
        search="live",
        filter={"genre_id": 1, "milliseconds": {"$gt": 300_000}},
        order_by=["-milliseconds"],
        fields=["track_id"],
        limit=1000,
    )
    assert [record["track_id"] for record in found["records"]] == expected
    assert expected
