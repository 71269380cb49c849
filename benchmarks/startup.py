"""What it costs a Django project with 500 models to add this app: time until it is ready, and memory."""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MODELS = 500
MOST_TIME = 1.15
MOST_MEMORY = 40.0
_MODEL = """
class Model{n}(models.Model):
    name = models.CharField(max_length=100)
    text = models.TextField(blank=True)
    price = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    number = models.IntegerField(default=0, db_index=True)
    active = models.BooleanField(default=True)
    made_at = models.DateTimeField(auto_now_add=True)
    before = models.ForeignKey("Model{before}", models.CASCADE, null=True, related_name="after{n}")
"""
_PROGRAM = """
import json, sys, time
start = time.perf_counter()
import django
from django.conf import settings
app = sys.argv[1] == "with"
settings.configure(
    SECRET_KEY="x" * 50, USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", ROOT_URLCONF="site_urls",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[
        "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
        "django.contrib.messages", "django.contrib.staticfiles", "many", *(["dataflow_nexus"] if app else []),
    ],
    DATAFLOW_NEXUS={"MODELS": ["many.*"], "AUTHENTICATION_REQUIRED": False}, WITH_NEXUS=app,
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
)
django.setup()
from django.urls import get_resolver
get_resolver().url_patterns
taken = time.perf_counter() - start
memory = open("/proc/self/status").read().split("VmRSS:")[1].split()[0]
print(json.dumps([taken, int(memory) / 1024]))
"""
_URLS = """
from django.conf import settings
from django.contrib import admin
from django.urls import include, path
urlpatterns = [path("admin/", admin.site.urls)]
if settings.WITH_NEXUS:
    urlpatterns.append(path("", include("dataflow_nexus.urls")))
"""


@dataclass(frozen=True, kw_only=True)
class Added:
    """``time`` with the app over time without it; ``memory`` that it adds, in MB."""

    time: float
    memory: float


def measured(rounds: int) -> Added:
    """The medians of processes that take turns."""
    found: dict[str, list[tuple[float, float]]] = {"without": [], "with": []}
    with project(_PROGRAM, _URLS) as folder:
        for _ in range(rounds + 1):
            for which, results in found.items():
                results.append(_one(folder, which))
    time, memory = (
        {
            which: statistics.median(item[part] for item in results[1:])
            for which, results in found.items()
        }
        for part in (0, 1)
    )
    return Added(time=time["with"] / time["without"], memory=memory["with"] - memory["without"])


@contextmanager
def project(program: str, urls: str) -> Iterator[Path]:
    """A folder with an app of many models, and the program that shall set Django up."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "many").mkdir()
        (folder / "many" / "__init__.py").touch()
        models = [_MODEL.format(n=n, before=max(n - 1, 0)) for n in range(MODELS)]
        (folder / "many" / "models.py").write_text(
            "from django.db import models\n" + "".join(models)
        )
        (folder / "site_urls.py").write_text(urls)
        (folder / "program.py").write_text(program)
        yield folder


def _one(folder: Path, which: str) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "program.py", which],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    taken, memory = json.loads(done.stdout)
    return float(taken), float(memory)


def report(added: Added) -> str:
    """The finding in a sentence."""
    more, most = (added.time - 1) * 100, (MOST_TIME - 1) * 100
    return (
        f"The app with {MODELS} models takes {more:+.1f} % of `django.setup()` plus URLconf (at most {most:.0f} %)"
        f" and {added.memory:+.1f} MB (at most {MOST_MEMORY:.0f} MB)."
    )


def missed(added: Added) -> list[str]:
    faults = []
    if added.time > MOST_TIME:
        faults.append(f"startup: {added.time:.2f} times the time, not {MOST_TIME}")
    if added.memory > MOST_MEMORY:
        faults.append(f"startup: {added.memory:.0f} MB more, not {MOST_MEMORY:.0f}")
    return faults
