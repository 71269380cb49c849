"""The application: `nexus --app tests.chinook.app:nexus`, and the URLs that serve it."""

from django.urls import path

from dataflow_nexus import DataFlow, Nexus
from tests.chinook import models

SEARCHED = {
    models.Artist: ["name"],
    models.Album: ["title", "artist.name"],
    models.Customer: ["first_name", "last_name", "company", "email"],
    models.Track: ["name", "composer", "album.title", "album.artist.name"],
}

db = DataFlow(existing_schema_mode=True)
for model in models.MODELS:
    db.register(model, search_fields=SEARCHED.get(model, ()))

nexus = Nexus(
    title="Chinook",
    dataflow_config={"integration": db, "authentication_required": False},
)
urlpatterns = [path("", nexus.urls)]
