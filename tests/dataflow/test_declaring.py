"""A plain annotated class becomes a Django model."""

import dataclasses
import datetime as dt
import enum
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Optional, Union

import pytest
from django.db import models

from dataflow_nexus.dataflow import declaring
from dataflow_nexus.dataflow.installing import install
from dataflow_nexus.exceptions import ConfigurationError
from tests.routing import POSTGRESQL, SQLITE

Declare = Callable[..., type[models.Model]]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


class State(models.TextChoices):
    OPEN = "open", "Still open"


@pytest.fixture(scope="module")
def label() -> str:
    return install()


@pytest.fixture
def declare(label: str) -> Declare:
    """`declare(Class)`, in a database of the project's."""

    def make(cls: type, alias: str = SQLITE, **names: Any) -> type[models.Model]:
        return declaring.declare(cls, label=label, alias=alias, names=names).model

    return make


def field(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name)


def of(declare: Declare, annotation: Any, *, alias: str = SQLITE, **attributes: Any) -> Any:
    """The field of an annotation; `default` is its default."""
    default = {"x": attributes.pop("default")} if "default" in attributes else {}
    name = f"Made{uuid.uuid4().hex}"
    body = {"__annotations__": {"x": annotation}, "__module__": __name__, **default, **attributes}
    return field(declare(type(name, (), body), alias), "x")


# --- types ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (str, models.TextField), (int, models.BigIntegerField), (float, models.FloatField),
        (bool, models.BooleanField), (Decimal, models.DecimalField), (dt.date, models.DateField),
        (dt.datetime, models.DateTimeField), (dt.time, models.TimeField),
        (dt.timedelta, models.DurationField), (uuid.UUID, models.UUIDField),
        (bytes, models.BinaryField), (dict, models.JSONField), (list, models.JSONField),
        (dict[str, int], models.JSONField), (list[str], models.JSONField),
    ],
)  # fmt: skip
def test_types(declare: Declare, annotation: Any, kind: type) -> None:
    for optional in (annotation | None, Optional[annotation], Union[None, annotation]):  # noqa: UP007, UP045
        found = of(declare, optional)
        assert isinstance(found, kind)
        assert (found.null, found.blank) == (True, True)
    found = of(declare, annotation)
    assert isinstance(found, kind)
    assert (found.null, found.has_default()) == (False, False)


def test_decimals_have_the_digits_that_their_database_keeps(declare: Declare) -> None:
    on_sqlite = of(declare, Decimal)
    assert (on_sqlite.max_digits, on_sqlite.decimal_places) == (15, 4)
    on_postgresql = of(declare, Decimal, alias=POSTGRESQL)
    assert (on_postgresql.max_digits, on_postgresql.decimal_places) == (None, None)
    given = {"max_digits": {"x": 8}, "decimal_places": {"x": 2}}
    named = of(declare, Decimal, alias=POSTGRESQL, __dataflow__=given)
    assert (named.max_digits, named.decimal_places) == (8, 2)


@pytest.mark.parametrize(
    ("annotation", "kind", "values"),
    [
        (Literal["a", "b"], models.TextField, ["a", "b"]),
        (Literal[1, 2], models.BigIntegerField, [1, 2]),
        (Colour, models.TextField, ["red", "blue"]),
        (Size, models.BigIntegerField, [1, 2]),
        (State, models.TextField, ["open"]),
    ],
)
def test_choices(declare: Declare, annotation: Any, kind: type, values: list[Any]) -> None:
    found = of(declare, annotation)
    assert isinstance(found, kind)
    assert [value for value, _ in found.choices] == values
    assert not found.null


def test_labels_of_choices(declare: Declare) -> None:
    assert of(declare, State).choices == [("open", "Still open")]
    assert of(declare, Colour).choices[0] == ("red", "RED")


def test_a_literal_may_hold_none(declare: Declare) -> None:
    found = of(declare, Literal["a", None])  # noqa: PYI061  # the spelling is what is tested
    assert (found.null, list(found.choices)) == (True, [("a", "a")])


@pytest.mark.parametrize(
    ("annotation", "default", "expected"),
    [
        (str, "x", "x"), (str, "", ""), (bool, True, True), (int, 0, 0), (int | None, None, None),
        (Colour, Colour.BLUE, "blue"), (Size, Size.LARGE, 2), (dict, {"a": 1}, {"a": 1}),
        (list, dataclasses.field(default_factory=list), []), (int, dataclasses.field(default=3), 3),
    ],
)  # fmt: skip
def test_defaults(declare: Declare, annotation: Any, default: Any, expected: Any) -> None:
    assert of(declare, annotation, default=default).get_default() == expected


@pytest.mark.parametrize(
    ("annotation", "default", "message"),
    [
        (int, "a", ".x: the default 'a' is no int"),
        (int | None, "a", ".x: the default 'a' is no int"),
        (dt.date, "soon", ".x: the default 'soon' is no date"),
        (Decimal, "x", ".x: the default 'x' is no Decimal"),
        (bool, "maybe", ".x: the default 'maybe' is no bool"),
        (uuid.UUID, 5.5, ".x: the default 5.5 is no UUID"),
        (float, [1], ".x: the default [1] is no float"),
        (Literal["a", "b"], "c", ".x: the default 'c' is none of its choices"),
        (Colour, "green", ".x: the default 'green' is none of its choices"),
    ],
)
def test_defaults_that_no_column_holds(
    declare: Declare, annotation: Any, default: Any, message: str
) -> None:
    """They would fail at every request that leaves the field out."""
    with pytest.raises(ConfigurationError) as raised:
        of(declare, annotation, default=default)
    assert message in str(raised.value)


def test_a_mutable_default_is_nobodys_in_common(declare: Declare) -> None:
    found = of(declare, dict, default={"a": []})
    found.get_default()["a"].append(1)
    assert found.get_default() == {"a": []}


def test_djangos_own_fields(declare: Declare) -> None:
    assert of(declare, str, default=models.CharField(max_length=5)).max_length == 5
    assert of(declare, Annotated[str, models.SlugField(max_length=7)]).max_length == 7
    assert isinstance(of(declare, Annotated[int, "a note"]), models.BigIntegerField)


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (set, "no column holds set; known are str int float bool Decimal"),
        (complex, "no column holds complex"),
        (str | int, "a union may only add None to one type"),
        (str | int | None, "a union may only add None to one type"),
        (Literal["a", 1], "a Literal must hold values of one type, str or int"),
        (Literal[True], "a Literal must hold values of one type, str or int"),
        ("Nothing", "the annotation 'Nothing' names nothing that is defined here"),
        ("Colou", 'did you mean "Colour"?'),
        ("1 +", "an annotation cannot be evaluated"),
    ],
)
def test_annotations_that_no_column_holds(declare: Declare, annotation: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        of(declare, annotation)
    assert message in str(raised.value)


# --- classes --------------------------------------------------------------------------------------


def test_a_whole_class(declare: Declare) -> None:
    class LineItem:
        """One line."""

        name: str
        price: float = 1.5
        limit: ClassVar[int] = 3
        _hidden: int = 0
        VAT = 0.2

        __indexes__ = ("name", ("name", "price"), {"fields": ["price"], "name": "by_price"})
        __dataflow__: ClassVar = {"unique": ["name", ("name", "price")], "resource": "lines"}

        def gross(self) -> float:
            return self.price * (1 + self.VAT)

        @property
        def title(self) -> str:
            return self.name.title()

    model = declare(LineItem)
    assert [item.name for item in model._meta.fields] == ["id", "name", "price"]
    assert isinstance(field(model, "id"), models.BigAutoField)
    assert (model.__name__, model.__doc__, model._meta.db_table) == (
        "LineItem", "One line.", "line_items"
    )  # fmt: skip
    assert not model._meta.managed
    assert [index.fields for index in model._meta.indexes] == [
        ["name"],
        ["name", "price"],
        ["price"],
    ]
    assert field(model, "name").unique
    (unique,) = model._meta.constraints
    assert unique.fields == ("name", "price")
    item: Any = model(name="tin", price=10)
    assert (item.gross(), item.title, item.limit) == (12.0, "Tin", 3)


def test_another_table(declare: Declare) -> None:
    class Person:
        __tablename__ = "staff"
        name: str

    assert declare(Person)._meta.db_table == "staff"

    class Child:
        name: str

        class Meta:
            db_table = "offspring"
            ordering = ("name",)

    model = declare(Child)
    assert (model._meta.db_table, model._meta.ordering) == ("offspring", ("name",))


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [(int, models.BigAutoField), (str, models.TextField), (uuid.UUID, models.UUIDField)],
)
def test_a_key_named_id(declare: Declare, annotation: type, kind: type) -> None:
    body = {"__annotations__": {"name": str, "id": annotation}, "__module__": __name__}
    model = declare(type(f"Keyed{annotation.__name__}", (), body))
    assert isinstance(model._meta.pk, kind)
    assert [item.name for item in model._meta.fields] == ["name", "id"]


def test_a_key_of_another_name(declare: Declare) -> None:
    class Country:
        code: str
        name: str
        __dataflow__: ClassVar = {"primary_key": "code"}

    assert declare(Country)._meta.pk.name == "code"


def test_a_composite_key(declare: Declare) -> None:
    class Price:
        code: str
        day: dt.date
        price: Decimal
        __dataflow__: ClassVar = {"primary_key": ["code", "day"]}

    model = declare(Price)
    assert [item.name for item in model._meta.pk_fields] == ["code", "day"]
    assert [item.name for item in model._meta.concrete_fields if item.column] == [
        "code", "day", "price"
    ]  # fmt: skip


def test_relations(declare: Declare) -> None:
    class Author:
        name: str

    author = declare(Author)

    class Novel:
        author: "Author"
        sequel: "Novel | None" = None

    novel = declare(Novel, Author=author)
    assert field(novel, "author").remote_field.model is author
    assert field(novel, "sequel").remote_field.model is novel
    assert field(novel, "sequel").null
    assert {item.name for item in author._meta.related_objects} == {"novel"}


def test_text_annotations_see_the_function_around_the_class(declare: Declare) -> None:
    class Chosen(enum.Enum):
        A = "a"

    class Poll:
        choice: "Chosen"

    assert field(declare(Poll, Chosen=Chosen), "choice").choices == [("a", "A")]


def test_a_field_may_have_the_name_of_its_type(declare: Declare) -> None:
    class Visit:
        date: "dt.date"
        dt: "dt.datetime"

    assert isinstance(field(declare(Visit), "dt"), models.DateTimeField)


def test_bases_and_super(declare: Declare) -> None:
    class Named:
        name: str

        def label(self) -> str:
            return self.name

    class Dog(Named):
        age: int

        def label(self) -> str:
            return f"{super().label()} ({self.age})"

    made: Any = declare(Dog)(name="Rex", age=3)
    assert made.label() == "Rex (3)"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"__dataflow__": []}, ".__dataflow__ must be a dictionary, not list"),
        ({"__dataflow__": {"resorce": "x"}}, "unknown key 'resorce' — did you mean \"resource\"?"),
        ({"__dataflow__": {"primary_key": "nam"}}, "primary_key names no field: 'nam'"),
        ({"__dataflow__": {"max_digits": {"nam": 3}}}, "max_digits names no field: 'nam'"),
        ({"__dataflow__": {"max_digits": 3}}, "max_digits maps field names to numbers"),
        ({"__tablename__": 1}, ".__tablename__ must be text, not int"),
        ({"__indexes__": [1]}, ".__indexes__: 1 is no index"),
        ({"__indexes__": [{"field": "name"}]}, "an index has fields, unique and name"),
        ({"__annotations__": {"pk": int}}, ".pk: a field cannot be named so"),
        ({"__annotations__": {"save": str}}, ".save: a field cannot be named so"),
        ({"__annotations__": {"clean": str}}, ".clean: a field cannot be named so"),
        ({"__indexes__": [{"fields": ["nmae"], "unique": True}]}, "no field named 'nmae'"),
        ({"__indexes__": ["nmae"]}, "no field named 'nmae'"),
        ({"__annotations__": {"a__b": int}}, ".a__b: a field cannot be named so"),
        ({"__annotations__": {"a_": int}}, ".a_: a field cannot be named so"),
        ({"__table_name__": "a"}, '.__table_name__ means nothing — did you mean "__tablename__"?'),
        ({"__index__": ["name"]}, '.__index__ means nothing — did you mean "__indexes__"?'),
        ({"__primary_key__": "a"}, ".__primary_key__: 'primary_key' is a key of __dataflow__"),
    ],
)
def test_classes_that_can_not_be_models(
    declare: Declare, body: dict[str, Any], message: str
) -> None:
    given = {"__annotations__": {"name": str}, "__module__": __name__, **body}
    with pytest.raises(ConfigurationError) as raised:
        declare(type("Broken", (), given))
    assert message in str(raised.value)


def test_several_records_are_named_as_the_resource(declare: Declare) -> None:
    class OrderBatch:
        code: str

    assert declare(OrderBatch)._meta.verbose_name_plural == "order batches"
