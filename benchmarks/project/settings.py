"""No middleware, no access control: what is left is the work of each peer.

The database comes from NEXUS_BENCH_DATABASE_URL; ``benchmarks.database`` sets it.
"""

import os

from testproject import databases

SECRET_KEY = "benchmarks-have-no-secrets-and-this-key-is-public-0123456789"
DEBUG = False
ALLOWED_HOSTS = ["*"]

DATABASES = {"default": databases.postgresql(os.environ["NEXUS_BENCH_DATABASE_URL"])}
# A commit that does not wait for the disk would make every writer look alike.
DATABASES["default"]["OPTIONS"]["options"] = "-c synchronous_commit=on"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "rest_framework",
    "dataflow_nexus",
    "benchmarks.project.catalogue",
]
DATAFLOW_NEXUS = {"MODELS": ["catalogue.*"], "AUTHENTICATION_REQUIRED": False}

MIDDLEWARE: list[str] = []
ROOT_URLCONF = "benchmarks.project.urls"
WSGI_APPLICATION = "benchmarks.project.wsgi.application"

USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# 10,000 rows in one body; the default of 2.5 MB would refuse them.
DATA_UPLOAD_MAX_MEMORY_SIZE = None

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "UNAUTHENTICATED_USER": None,
}
