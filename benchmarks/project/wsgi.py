"""What the server loads. Our statements are captured before it answers anybody."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.project.settings")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from benchmarks.project import bare  # noqa: E402  # its models need a ready Django

bare.capture()
