"""The tables of Chinook, a music shop, declared by hand over what is there: names in PascalCase, one composite key."""

from typing import Any

from django.db import models


def key(column: str) -> Any:
    """A primary key that is called as its column, in snake case."""
    return models.AutoField(db_column=column, primary_key=True)


def text(column: str, length: int, **options: Any) -> Any:
    """NVARCHAR(length), which may be null unless `null=False` is said."""
    options.setdefault("null", True)
    return models.CharField(
        db_column=column, max_length=length, blank=bool(options["null"]), **options
    )


def to(model: str, column: str, related_name: str, *, null: bool = False) -> Any:
    """A foreign key. Every constraint of the file says NO ACTION."""
    return models.ForeignKey(
        model,
        models.DO_NOTHING,
        db_column=column,
        related_name=related_name,
        null=null,
        blank=null,
    )


def price(column: str) -> Any:
    """NUMERIC(10,2)."""
    return models.DecimalField(db_column=column, max_digits=10, decimal_places=2)


class Artist(models.Model):
    artist_id = key("ArtistId")
    name = text("Name", 120)

    class Meta:
        managed = False
        db_table = "Artist"

    def __str__(self) -> str:
        return self.name or ""


class Album(models.Model):
    album_id = key("AlbumId")
    title = text("Title", 160, null=False)
    artist = to("Artist", "ArtistId", "albums")

    class Meta:
        managed = False
        db_table = "Album"

    def __str__(self) -> str:
        return self.title


class Employee(models.Model):
    employee_id = key("EmployeeId")
    last_name = text("LastName", 20, null=False)
    first_name = text("FirstName", 20, null=False)
    title = text("Title", 30)
    manager = to("self", "ReportsTo", "reports", null=True)
    birth_date = models.DateTimeField(db_column="BirthDate", null=True, blank=True)
    hire_date = models.DateTimeField(db_column="HireDate", null=True, blank=True)
    address = text("Address", 70)
    city = text("City", 40)
    state = text("State", 40)
    country = text("Country", 40)
    postal_code = text("PostalCode", 10)
    phone = text("Phone", 24)
    fax = text("Fax", 24)
    email = text("Email", 60)

    class Meta:
        managed = False
        db_table = "Employee"

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Customer(models.Model):
    customer_id = key("CustomerId")
    first_name = text("FirstName", 40, null=False)
    last_name = text("LastName", 20, null=False)
    company = text("Company", 80)
    address = text("Address", 70)
    city = text("City", 40)
    state = text("State", 40)
    country = text("Country", 40)
    postal_code = text("PostalCode", 10)
    phone = text("Phone", 24)
    fax = text("Fax", 24)
    email = text("Email", 60, null=False)
    support_rep = to("Employee", "SupportRepId", "customers", null=True)

    class Meta:
        managed = False
        db_table = "Customer"

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Genre(models.Model):
    genre_id = key("GenreId")
    name = text("Name", 120)

    class Meta:
        managed = False
        db_table = "Genre"

    def __str__(self) -> str:
        return self.name or ""


class MediaType(models.Model):
    media_type_id = key("MediaTypeId")
    name = text("Name", 120)

    class Meta:
        managed = False
        db_table = "MediaType"

    def __str__(self) -> str:
        return self.name or ""


class Track(models.Model):
    track_id = key("TrackId")
    name = text("Name", 200, null=False)
    album = to("Album", "AlbumId", "tracks", null=True)
    media_type = to("MediaType", "MediaTypeId", "tracks")
    genre = to("Genre", "GenreId", "tracks", null=True)
    composer = text("Composer", 220)
    milliseconds = models.IntegerField(db_column="Milliseconds")
    bytes = models.IntegerField(db_column="Bytes", null=True, blank=True)
    unit_price = price("UnitPrice")

    class Meta:
        managed = False
        db_table = "Track"

    def __str__(self) -> str:
        return self.name


class Invoice(models.Model):
    invoice_id = key("InvoiceId")
    customer = to("Customer", "CustomerId", "invoices")
    invoice_date = models.DateTimeField(db_column="InvoiceDate")
    billing_address = text("BillingAddress", 70)
    billing_city = text("BillingCity", 40)
    billing_state = text("BillingState", 40)
    billing_country = text("BillingCountry", 40)
    billing_postal_code = text("BillingPostalCode", 10)
    total = price("Total")

    class Meta:
        managed = False
        db_table = "Invoice"

    def __str__(self) -> str:
        return f"invoice {self.pk}"


class InvoiceLine(models.Model):
    invoice_line_id = key("InvoiceLineId")
    invoice = to("Invoice", "InvoiceId", "lines")
    track = to("Track", "TrackId", "invoice_lines")
    unit_price = price("UnitPrice")
    quantity = models.IntegerField(db_column="Quantity")

    class Meta:
        managed = False
        db_table = "InvoiceLine"

    def __str__(self) -> str:
        return f"line {self.pk}"


class Playlist(models.Model):
    playlist_id = key("PlaylistId")
    name = text("Name", 120)
    tracks = models.ManyToManyField(Track, through="PlaylistTrack", related_name="playlists")

    class Meta:
        managed = False
        db_table = "Playlist"

    def __str__(self) -> str:
        return self.name or ""


class PlaylistTrack(models.Model):
    pk = models.CompositePrimaryKey("playlist", "track")
    playlist = to("Playlist", "PlaylistId", "entries")
    track = to("Track", "TrackId", "entries")

    class Meta:
        managed = False
        db_table = "PlaylistTrack"

    def __str__(self) -> str:
        return f"track {self.track_id} of playlist {self.playlist_id}"


MODELS = (
    Artist,
    Album,
    Employee,
    Customer,
    Genre,
    MediaType,
    Track,
    Invoice,
    InvoiceLine,
    Playlist,
    PlaylistTrack,
)
"""Every model after those that it refers to."""
