"""Rows from files and exports into them."""

import json
from pathlib import Path

import pytest

from testproject.shop.models import Product, Tag
from tests.channels.cli.conftest import Cli

ROWS = [{"name": "one"}, {"name": "zwei, ü"}, {"name": 'three "3"'}]
TEXTS = {
    "rows.json": json.dumps(ROWS),
    "rows.ndjson": "\n".join(json.dumps(row) for row in ROWS),
    "rows.jsonl": "\n\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS) + "\n",
    "rows.csv": '\ufeffname\none\n"zwei, ü"\n"three ""3"""\n',
    "ROWS.CSV": 'name\r\none\r\n"zwei, ü"\r\n"three ""3"""',
}


def names() -> set[str]:
    return set(Tag.objects.values_list("name", flat=True))


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("verb", ["bulk-create", "bulk-upsert"])
def test_rows_from_a_file(cli: Cli, tmp_path: Path, name: str, verb: str) -> None:
    path = tmp_path / name
    path.write_text(TEXTS[name], newline="", encoding="utf-8")
    ran = cli("tags", verb, "--conflict-on", "name", "--file", str(path))
    assert (ran.json["processed"], ran.json["inserted"]) == (3, 3)
    assert names() >= {row["name"] for row in ROWS}


@pytest.mark.parametrize("name", TEXTS)
def test_rows_from_the_standard_input(cli: Cli, name: str) -> None:
    ran = cli("execute", "TagBulkCreateNode", "--file", "-", stdin=TEXTS[name].encode())
    assert ran.json["inserted"] == 3
    assert names() >= {row["name"] for row in ROWS}


def test_rows_to_update(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    ids = list(Product.objects.order_by("pk").values_list("pk", flat=True)[:2])
    path.write_text("id,stock\n" + "".join(f"{key},7\n" for key in ids))
    assert cli("products", "bulk-update", "--file", str(path)).json["updated"] == 2
    assert set(Product.objects.filter(pk__in=ids).values_list("stock", flat=True)) == {7}


def test_a_long_file_is_read_in_pieces(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "rows.ndjson"
    path.write_text("".join(f'{{"name": "{"ü" * 20} {n}"}}\n' for n in range(3000)))
    assert path.stat().st_size > 2 * 64 * 1024
    assert cli("tags", "bulk-create", "--file", str(path)).json["inserted"] == 3000


@pytest.mark.parametrize("watched", [True, False])
def test_a_progress_bar_where_a_person_watches(cli: Cli, tmp_path: Path, watched: bool) -> None:
    path = tmp_path / "rows.json"
    path.write_text(TEXTS["rows.json"])
    ran = cli("tags", "bulk-create", "--file", str(path), watched=watched)
    assert json.loads(ran.out)["inserted"] == 3
    assert ("bytes" in ran.err) is watched


@pytest.mark.parametrize(
    ("name", "content", "exit_code", "message"),
    [
        ("rows.xml", "", 2, '"file" must end in one of .json, .ndjson, .jsonl, .csv'),
        ("rows.json", "", 2, "the file is empty"),
        ("rows.json", "[", 2, "the file is not JSON"),
        ("rows.json", '{"name": "x"}', 2, '"file" must hold a JSON array of rows'),
        ("rows.json", b"\xff", 2, "the file is not UTF-8"),
        ("rows.csv", "", 2, "the CSV has no header line"),
        ("rows.csv", "name,name\na,b\n", 2, 'the column "name" comes twice'),
        ("rows.csv", "name\na\nb,c\n", 2, "line 3 has 2 cells, the header 1"),
        ("rows.csv", "nam\na\n", 2, 'did you mean "name"?'),
        ("rows.ndjson", '{"name": "a"}\n{"name": \n', 2, "line 2 is not JSON"),
        ("rows.ndjson", '{"name": "eco"}\n', 6, "a record with the same"),
    ],
)  # fmt: skip
def test_bad_files(
    cli: Cli, tmp_path: Path, name: str, content: str | bytes, exit_code: int, message: str
) -> None:
    before = names()
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    ran = cli("tags", "bulk-create", "--file", str(path))
    assert (ran.code, ran.out) == (exit_code, b"")
    assert message in ran.err
    assert names() == before


def test_files_that_can_not_be_read(cli: Cli, tmp_path: Path) -> None:
    missing = cli("tags", "bulk-create", "--file", str(tmp_path / "none.csv"))
    assert (missing.code, "no such file or directory" in missing.err) == (2, True)
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    found = cli("tags", "bulk-create", "--file", str(folder))
    assert (found.code, "is a directory" in found.err) == (2, True)


def test_a_file_beside_data(cli: Cli, tmp_path: Path) -> None:
    ran = cli("tags", "bulk-create", "--data", "[]", "--file", str(tmp_path / "rows.csv"))
    assert (ran.code, '"data" is given beside "--file"' in ran.err) == (2, True)


# --- export ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", ["csv", "ndjson", "json"])
def test_export(cli: Cli, tmp_path: Path, fmt: str) -> None:
    words = ("tags", "export", "--order-by", "name", "--name__in", "eco,gift")
    shown = cli(*words, "--format", fmt)
    path = tmp_path / f"tags.{fmt}"
    saved = cli(*words, "--file", str(path))
    assert (shown.code, saved.code, saved.out) == (0, 0, b"")
    assert path.read_bytes() == shown.out
    assert list(tmp_path.iterdir()) == [path]
    ids = dict(Tag.objects.filter(name__in=["eco", "gift"]).values_list("name", "id"))
    records = [{"id": ids[name], "name": name} for name in ("eco", "gift")]
    expected = {
        "csv": f"id,name\r\n{ids['eco']},eco\r\n{ids['gift']},gift\r\n",
        "ndjson": "".join(json.dumps(r, separators=(",", ":")) + "\n" for r in records),
        "json": json.dumps(records, separators=(",", ":")),
    }
    assert shown.out.decode() == expected[fmt]


def test_export_is_csv_unless_told_otherwise(cli: Cli) -> None:
    assert cli("tags", "export").out.startswith(b"id,name\r\n")
    assert cli("tags", "export", "--file", "-").out.startswith(b"id,name\r\n")
    assert cli("tags", "export", "--json").out.startswith(b"[")


def test_an_export_has_no_pages(cli: Cli) -> None:
    lines = cli("order_items", "export", "--fields", "id").out.decode().splitlines()
    assert len(lines) == cli("order_items", "count").json["count"] + 1 > 101


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--format", "table"), '"format" of an export must be one of csv, ndjson, json'),
        (("--file", "tags.xml"), '"file" must end in one of'),
        (("--file", "/nowhere/tags.csv"), "no such file or directory"),
        (("--nam", "x"), 'did you mean "name"?'),
        (("--count", "exact"), '"count"'),
        (("--set", "name=x"), "export writes none"),
        (("extra",), "one word too many"),
    ],
)
def test_bad_exports(cli: Cli, words: tuple[str, ...], message: str) -> None:
    ran = cli("tags", "export", *words)
    assert (ran.code, ran.out) == (2, b"")
    assert message in ran.err


def test_a_refused_export_leaves_the_file_as_it_was(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "tags.csv"
    path.write_text("before")
    assert cli("tags", "export", "--nam", "x", "--file", str(path)).code == 2
    assert path.read_text() == "before"
