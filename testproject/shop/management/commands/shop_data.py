from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from testproject.shop import people, sample


class Command(BaseCommand):
    help = "Load the shop's sample data, groups and users. Running it again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--scale", type=int, default=1, help="times 20 customers, 40 products")
        parser.add_argument("--database", default="default")
        parser.add_argument(
            "--demo-passwords",
            action="store_true",
            help="make a superuser admin/admin, and give sam and sue their names as passwords",
        )

    def handle(self, *, scale: int, database: str, **options: Any) -> None:
        counts = sample.load(database, scale)
        people.load(database)
        if options["demo_passwords"]:
            people.demo_passwords(database)
        if options["verbosity"]:
            rows = ", ".join(f"{number} {name}" for name, number in counts.items())
            self.stdout.write(f"Sample data: {rows}")
