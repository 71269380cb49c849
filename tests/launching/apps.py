"""App files for the tests of the launcher, on an SQLite file beside them."""

import sqlite3
from pathlib import Path

IMPORTS = "from dataflow_nexus import DataFlow, Nexus\n"
SEED_IMPORTS = "from dataflow import DataFlow\nfrom nexus import Nexus\n"
MODEL = """
db = DataFlow("sqlite:///things.db", existing_schema_mode=True)


@db.model
class Thing:
    name: str


"""
NEXUS = 'nexus = Nexus(title="Things", dataflow_config={"integration": db})\n'
EMPTY = '{"records":[],"count":null,"limit":100,"offset":0,"next":null}\n'


def make(folder: Path, text: str = IMPORTS + MODEL + NEXUS, name: str = "app.py") -> Path:
    """Write an app file, and the table of its model."""
    with sqlite3.connect(folder / "things.db") as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS things (id integer PRIMARY KEY, name text NOT NULL)"
        )
    connection.close()
    path = folder / name
    path.write_text(text)
    return path
