"""A small Django project in a folder of its own, on a database of its own."""

import sqlite3
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.processes import PROJECT

SETTINGS = """
    from testproject.databases import from_url

    SECRET_KEY = "a-key-for-a-project-that-lives-for-one-test-0123456789"
    DATABASES = {{"default": from_url({url!r})}}
    INSTALLED_APPS = [
        "django.contrib.contenttypes", "django.contrib.auth", "dataflow_nexus", "library"
    ]
    DATAFLOW_NEXUS = {nexus!r}
    ROOT_URLCONF = "site_urls"
    ALLOWED_HOSTS = ["*"]
    USE_TZ = True
    DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""
URLS = """
    from django.urls import include, path

    urlpatterns = [path("", include("dataflow_nexus.urls"))]
"""
MODELS = """
    from django.db import models


    class Book(models.Model):
        title = models.CharField(max_length=100)

        class Meta:
            app_label = "library"
"""
MANAGE = """
    import os
    import sys

    if __name__ == "__main__":
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)
"""
WSGI = """
    import os

    from django.core.wsgi import get_wsgi_application

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")
    application = get_wsgi_application()
"""


def make(
    folder: Path,
    nexus: Mapping[str, Any] | None = None,
    *,
    urls: str = URLS,
    more: str = "",
) -> dict[str, str]:
    """Write the project and its SQLite database; returns the environment to run it in.

    ``nexus`` is ``DATAFLOW_NEXUS``, ``more`` is added to the settings.
    """
    path = folder / "library.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE library_book (id integer PRIMARY KEY, title varchar(100) NOT NULL)"
        )
    connection.close()
    given = {"MODELS": ["library.*"]} if nexus is None else dict(nexus)
    settings = textwrap.dedent(SETTINGS).format(url=f"sqlite:///{path}", nexus=given)
    package = folder / "library"
    package.mkdir()
    for name, text in (
        ("site_settings.py", settings + textwrap.dedent(more)),
        ("site_urls.py", urls),
        ("site_wsgi.py", WSGI),
        ("manage.py", MANAGE),
        ("library/__init__.py", ""),
        ("library/models.py", MODELS),
    ):
        (folder / name).write_text(textwrap.dedent(text))
    return {"PYTHONPATH": f"{folder}:{PROJECT}"}
