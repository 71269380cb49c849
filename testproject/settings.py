"""Settings of the sample shop: SQLite under `.demo/`, or the database that
NEXUS_TEST_DATABASE_URL names (`sqlite:///…`, `postgresql://…`).

For a demo and for tests only: the key is public, access is off.
"""

import os
from pathlib import Path

from testproject import databases

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = "the-sample-shop-has-no-secrets-and-this-key-is-public-0123456789"
DEBUG = True
ALLOWED_HOSTS = ["*"]

DATABASE_URL = os.environ.get("NEXUS_TEST_DATABASE_URL")
DATABASES = {
    "default": databases.from_url(DATABASE_URL)
    if DATABASE_URL
    else databases.sqlite(BASE_DIR / ".demo" / "shop.sqlite3"),
}

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "dataflow_nexus",
    "testproject.shop",
]

DATAFLOW_NEXUS = {
    "TITLE": "Sample shop",
    "MODELS": ["shop.*"],
    "AUTO_DISCOVERY": True,
    "AUTHENTICATION_REQUIRED": False,
}

if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    INSTALLED_APPS += ["django.contrib.postgres", "testproject.pgtypes"]
    DATAFLOW_NEXUS["MODELS"] = ["shop.*", "pgtypes.*"]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

ROOT_URLCONF = "testproject.urls"
WSGI_APPLICATION = "testproject.wsgi.application"

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"

STATIC_URL = "static/"
MEDIA_URL = "media/"
MEDIA_ROOT = BASE_DIR / ".demo" / "media"

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
