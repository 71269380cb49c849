"""`--as USER`: the command line asks as a Django user, with the permissions of Django's models."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from dataflow_nexus.access.principal import Principal
from dataflow_nexus.authentication.users import user_principal
from dataflow_nexus.exceptions import Invalid, Unauthenticated
from tests.channels.cli.conftest import Cli


@pytest.fixture
def superuser(database: str) -> Iterator[User]:
    return User.objects.create(username="root", is_superuser=True)


def test_permissions_are_djangos(cli: Cli) -> None:
    """sam is in the group `sales`, which may view products and write customers."""
    assert cli("products", "count", "--as", "sam").json == cli("products", "count").json
    refused = cli("products", "create", "--name", "x", "--as", "sam")
    assert refused.code == 4
    assert refused.err == (
        "permission_denied: ProductCreateNode needs the permission to add products\n"
    )
    made = cli("customers", "create", "--name", "N", "--email", "n@shop.example", "--as", "sam")
    assert made.json["name"] == "N"


def test_models_without_a_permission_do_not_exist(cli: Cli) -> None:
    for words in (
        ("notes", "list"), ("notes",), ("notes", "export"), ("notes", "create", "--help"),
        ("execute", "NoteListNode"),
    ):  # fmt: skip
        hidden = cli(*words, "--as", "sam")
        assert (hidden.code, hidden.out) == (5, b"")
        unknown = cli(*(word.replace("ote", "othing") for word in words), "--as", "sam")
        assert hidden.err.replace("ote", "othing") == unknown.err


def test_help_and_lists_show_what_the_user_may_see(cli: Cli) -> None:
    shown = cli("--help", "--as", "sam").out.decode()
    assert ("products" in shown, "notes" in shown) == (True, False)
    nodes = [item["node"] for item in cli("workflows", "--as", "sam").json["workflows"]]
    assert "ProductListNode" in nodes
    assert not {"ProductCreateNode", "NoteListNode"} & set(nodes)
    assert "bulk-create" not in cli("products", "--as", "sam").out.decode()


def test_permission_comes_before_parameters(cli: Cli) -> None:
    assert cli("products", "create", "--nonsense", "x", "--as", "sam").code == 4
    assert cli("products", "create", "--format", "xml", "--as", "sam").code == 4


def test_superusers_are_unrestricted(cli: Cli, superuser: User) -> None:
    assert cli("notes", "count", "--as", "root").code == 0


def test_permissions_held_directly(database: str) -> None:
    user = User.objects.create(username="direct")
    user.user_permissions.add(
        Permission.objects.get(codename="view_orderitem", content_type__app_label="shop")
    )
    held = user_principal("direct").held
    assert list(held) == [("shop.orderitem", "view")]


@pytest.mark.parametrize("name", ["nobody", "", "a\x00b", "x" * 1000])
def test_no_such_user(database: str, name: str) -> None:
    with pytest.raises(Unauthenticated):
        user_principal(name)


def test_users_that_are_not_active(cli: Cli) -> None:
    User.objects.create(username="gone", is_active=False, is_superuser=True)
    ran = cli("products", "count", "--as", "gone")
    assert (ran.code, ran.err) == (3, 'unauthenticated: there is no active user "gone"\n')
    assert cli("products", "count", "--as", "nobody").code == 3


def test_the_principal_has_the_users_name(database: str) -> None:
    principal = user_principal("sam")
    assert isinstance(principal, Principal)
    assert (principal.kind, principal.name, principal.unrestricted) == ("user", "sam", False)


def test_an_application_without_users(settings: Any) -> None:
    settings.INSTALLED_APPS = ["dataflow_nexus"]
    with pytest.raises(Invalid, match=r"this application has no users"):
        user_principal("sam")
