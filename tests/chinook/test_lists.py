from tests.chinook.asking import Chinook, Published


def test_first(chinook: Chinook, published: Published) -> None:
    page = chinook.ask("ArtistList", limit=3, count="exact")
    assert page["records"] == published.records("Artist", "ORDER BY ArtistId LIMIT 3")
    print(page)
