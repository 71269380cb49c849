"""Bodies that are not JSON: rows to write, files, and exports to read."""

import csv
import io
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from testproject.shop.models import Customer, Everything, PriceListEntry, Product, Tag
from tests.channels.rest.conftest import Ask, Reply

CSV, NDJSON = "text/csv", "application/x-ndjson"


# --- rows -----------------------------------------------------------------------------------------


def rows(ask: Ask, method: str, path: str, body: bytes, kind: str) -> Reply:
    return ask(method, path, body, **{"Content-Type": kind})


def test_lines_of_json(ask: Ask, database: str) -> None:
    body = b"".join(b'{"name": "line %d"}\n' % number for number in range(1000))
    reply = rows(ask, "POST", "/api/tags/bulk?return=ids", body, NDJSON)
    assert (reply.status, reply.json["inserted"], len(reply.json["ids"])) == (200, 1000, 1000)
    assert Tag.objects.filter(name__startswith="line ").count() == 1000


@pytest.mark.parametrize(
    "body",
    [
        b"name\na\nb\n",
        b"name\r\na\r\nb\r\n",
        b"name\na\nb",
        b"\xef\xbb\xbfname\na\nb\n",
        b'"name"\n"a"\n"b"\n',
        b"name\na\n\nb\n",
        b" name \na\nb\n",
    ],
)
def test_spellings_of_csv(ask: Ask, body: bytes) -> None:
    reply = rows(ask, "POST", "/api/tags/bulk", body, CSV)
    assert (reply.status, reply.json["inserted"]) == (200, 2)
    assert Tag.objects.filter(name__in=["a", "b"]).count() == 2


def test_cells_of_every_type(ask: Ask, database: str) -> None:
    names = [
        "text",
        "char_null",
        "integer",
        "integer_null",
        "decimal",
        "float",
        "boolean",
        "date",
        "json",
        "tags",
    ]
    cells = ['a "b",\n c', "", "", "", "1.50", "1e3", "true", "2026-01-31", '{"a": [1]}', "1,2"]
    text = io.StringIO()
    csv.writer(text).writerows([names, cells])
    reply = rows(ask, "POST", "/api/everythings/bulk?return=records", text.getvalue().encode(), CSV)
    record = reply.json["records"][0]
    assert [record[name] for name in names] == [
        'a "b",\n c', None, 0, None, "1.50", 1000, True, "2026-01-31", {"a": [1]}, [1, 2]
    ]  # fmt: skip


def test_long_cells_of_csv(ask: Ask, database: str) -> None:
    line, lines = "x" * 500_000, "several\n" * 300_000
    body = f'sku,name,price,description\nL1,a,1,{line}\nL2,b,1,"{lines}"\n'.encode()
    reply = rows(ask, "POST", "/api/products/bulk", body, CSV)
    assert (reply.status, reply.json["inserted"]) == (200, 2)
    found = Product.objects.filter(sku__in=["L1", "L2"]).order_by("sku")
    assert list(found.values_list("description", flat=True)) == [line, lines]


def test_rows_that_change(ask: Ask) -> None:
    body = b"sku,stock\nSKU-00001,7\nSKU-00002,8\n"
    reply = rows(ask, "PUT", "/api/products/bulk?conflict_on=sku", body, CSV)
    assert (reply.status, reply.json["updated"]) == (200, 2)
    assert list(
        Product.objects.filter(pk__lt=3).order_by("pk").values_list("stock", flat=True)
    ) == [7, 8]


def test_parameters_beside_rows(ask: Ask) -> None:
    body = b'{"name": "eco"}\n{"name": "good"}\n{"name": ""}\n'
    reply = rows(ask, "POST", "/api/tags/bulk?on_error=continue&return=ids", body, NDJSON)
    assert (reply.json["inserted"], [item["index"] for item in reply.json["errors"]]) == (1, [0, 2])
    tried = rows(ask, "POST", "/api/tags/bulk?dry_run=1", b'{"name": "tried"}', NDJSON)
    assert (tried.json["inserted"], Tag.objects.filter(name="tried").count()) == (1, 0)
    reply = rows(ask, "POST", "/api/tags/bulk?data=[]", body, NDJSON)
    assert (reply.status, reply.json["errors"][0]["field"]) == (422, "data")


def test_what_was_exported_can_be_imported(ask: Ask) -> None:
    for kind, name in ((CSV, "csv"), (NDJSON, "ndjson")):
        exported = ask("GET", f"/api/price_list_entries/export?format={name}").body
        PriceListEntry.objects.all().delete()
        reply = rows(ask, "POST", "/api/price_list_entries/bulk", exported, kind)
        assert (reply.status, reply.json["inserted"]) == (200, 20)
        assert ask("GET", f"/api/price_list_entries/export?format={name}").body == exported


def test_a_composite_id_in_rows(ask: Ask) -> None:
    body = b'id,price\n"N,2030-01-01",1\n"{""code"":""N"",""valid_from"":""2030-01-02""}",2\nN,3\n'
    reply = rows(ask, "POST", "/api/price_list_entries/bulk?on_error=continue", body, CSV)
    assert (reply.json["inserted"], [item["index"] for item in reply.json["errors"]]) == (2, [2])
    found = PriceListEntry.objects.filter(code="N").values_list("valid_from", "price")
    assert sorted((str(day), int(price)) for day, price in found) == [
        ("2030-01-01", 1),
        ("2030-01-02", 2),
    ]


# --- exports --------------------------------------------------------------------------------------


def test_an_export_in_three_formats(ask: Ask) -> None:
    query = "active=true&sort=-price&fields=id,sku,price,attrs"
    listed = ask("GET", f"/api/products?{query}").json["records"]
    exported = ask("GET", f"/api/products/export?{query}&format=json")
    assert exported["Content-Type"] == "application/json"
    assert exported["Content-Disposition"] == 'attachment; filename="products.json"'
    assert exported.json == listed
    lines = ask("GET", f"/api/products/export?{query}&format=ndjson")
    assert lines["Content-Type"] == "application/x-ndjson"
    assert [json.loads(line) for line in lines.body.splitlines()] == listed
    table = ask("GET", f"/api/products/export?{query}&format=csv")
    assert table["Content-Type"] == "text/csv; charset=utf-8"
    found = list(csv.DictReader(io.StringIO(table.body.decode(), newline="")))
    assert [(row["id"], row["price"], json.loads(row["attrs"])) for row in found] == [
        (str(item["id"]), item["price"], item["attrs"]) for item in listed
    ]


def test_an_export_has_no_page(ask: Ask, database: str) -> None:
    Customer.objects.bulk_create(
        Customer(name=f"c{n}", email=f"c{n}@x.example") for n in range(2500)
    )
    number = Customer.objects.count()
    for name in ("csv", "ndjson"):
        body = ask("GET", f"/api/customers/export?format={name}").body
        assert len(body.splitlines()) == number + (name == "csv")
    assert len(ask("GET", "/api/customers/export").json) == number
    assert len(ask("GET", "/api/customers/export?limit=1500&offset=10").json) == 1500


def test_an_export_of_nothing(ask: Ask) -> None:
    assert ask("GET", "/api/products/export?sku=none").body == b"[]"
    assert ask("GET", "/api/products/export?sku=none&format=ndjson").body == b""
    assert ask("GET", "/api/countries/export?code=none&format=csv").body == b"code,name\r\n"


def test_cells_that_a_spreadsheet_would_run(ask: Ask) -> None:
    names = ["=1+1", "+1", "-1", "@x", "\tx", "fine", "-x"]
    Tag.objects.all().delete()
    Tag.objects.bulk_create(Tag(name=name) for name in names)
    body = ask("GET", "/api/tags/export?format=csv&fields=name&sort=id").body.decode()
    assert body.split("\r\n")[1:-1] == ["'=1+1", "+1", "-1", "'@x", "'\tx", "fine", "'-x"]
    assert [item["name"] for item in ask("GET", "/api/tags/export?sort=id").json] == names


@pytest.mark.parametrize(
    ("query", "field"),
    [("cursor=x", "cursor"), ("count=exact", "count"), ("format=xml", "format"), ("format=csv&format=json", "format"),
     ("limit=-1", "limit"), ("prise=1", "prise"), ("fields=prise", "fields.0"), ("sort=prise", "order_by.0")],
)  # fmt: skip
def test_an_export_that_cannot_be(ask: Ask, query: str, field: str) -> None:
    reply = ask("GET", f"/api/products/export?{query}")
    assert (reply.status, reply["Content-Type"]) == (422, "application/problem+json")
    assert [item["field"] for item in reply.json["errors"]] == [field]


# --- files ----------------------------------------------------------------------------------------


def form(method: str, path: str, **fields: Any) -> Any:
    body = encode_multipart(BOUNDARY, fields)
    return Client(raise_request_exception=False).generic(
        method, path, body, content_type=MULTIPART_CONTENT
    )


def test_a_file_goes_in_and_its_url_comes_out(ask: Ask) -> None:
    upload = SimpleUploadedFile("report ü.txt", b"the content")
    made = form("POST", "/api/everythings", text="x", integer="5", tags="[1, 2]", file=upload)
    record = made.json()
    assert (made.status_code, record["integer"], record["tags"]) == (201, 5, [1, 2])
    assert record["file"].startswith("/media/everything/report_")
    stored = Everything.objects.get(pk=record["id"]).file
    with stored.open() as file:
        assert file.read() == b"the content"
    assert ask("GET", made["Location"]).json["file"] == record["file"]
    kept = ask("PATCH", made["Location"], {"integer": 6}).json
    assert (kept["file"], kept["integer"]) == (record["file"], 6)
    changed = form("PATCH", made["Location"], file=SimpleUploadedFile("b.txt", b"other")).json()
    assert changed["file"] != record["file"]
    assert ask("PATCH", made["Location"], {"file": ""}).json["file"] is None


def test_a_long_name_of_a_file_is_cut(ask: Ask) -> None:
    made = form("POST", "/api/everythings", text="x", file=SimpleUploadedFile("x" * 300, b"x"))
    assert made.status_code == 201
    assert len(Everything.objects.get(pk=made.json()["id"]).file.name) <= 100


def test_a_form_without_a_file(ask: Ask) -> None:
    made = form(
        "POST", "/api/everythings", text="x", boolean="true", json='{"a": 1}', date="2026-01-31"
    )
    record = made.json()
    assert made.status_code == 201
    assert (record["boolean"], record["json"], record["date"], record["file"]) == (
        True,
        {"a": 1},
        "2026-01-31",
        None,
    )


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"text": "x", "file": "a.txt"}, ["file"]),
        ({"text": "x", "char": SimpleUploadedFile("a", b"x")}, ["char"]),
        ({"text": "x", "nothing": SimpleUploadedFile("a", b"x")}, ["nothing"]),
        (
            {"text": "x", "file": [SimpleUploadedFile("a", b"x"), SimpleUploadedFile("b", b"x")]},
            ["file"],
        ),
        ({"text": ["x", "y"]}, ["text"]),
        ({"text": "x", "integer": "five"}, ["integer"]),
    ],
)
def test_forms_that_cannot_be(ask: Ask, fields: dict[str, Any], names: list[str]) -> None:
    before = Everything.objects.count()
    reply = form("POST", "/api/everythings", **fields)
    assert (reply.status_code, [item["field"] for item in reply.json()["errors"]]) == (422, names)
    assert Everything.objects.count() == before


@pytest.mark.parametrize(
    "body", [b"", b"nonsense", b"--x\r\n\r\n", b'--x\r\nContent-Disposition: form-data; name="a"']
)
def test_a_form_that_cannot_be_read(ask: Ask, body: bytes) -> None:
    reply = ask(
        "POST", "/api/everythings", body, **{"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert reply.status in (400, 422)
    assert reply.json["code"] in ("malformed", "invalid")


def test_a_model_without_files_takes_no_form(ask: Ask) -> None:
    reply = form("POST", "/api/products", sku="x", name="x", price="1")
    assert (reply.status_code, reply.json()["code"]) == (415, "malformed")
