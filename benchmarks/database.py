"""A PostgreSQL database with 100,000 products in it, on a server that the run starts itself."""

import os

import psycopg

from tests import postgresql

NAME = "benchmark"
ROWS = 100_000
_PRODUCTS = f"""
INSERT INTO catalogue_product (id, sku, name, description, price, stock, active, weight, category_id, created_at)
SELECT n, 'SKU-' || n, 'Product number ' || n, 'Thing ' || n || ', for every day and every season of the year.',
       (n * 37 % 50000)::numeric / 100, n % 200, n % 7 <> 0, CASE WHEN n % 10 = 0 THEN NULL ELSE n / 7.0 END,
       n % 50 + 1, '2025-01-01 09:00:00+00'::timestamptz + n * interval '7 minutes 0.25 seconds'
FROM generate_series(1, {ROWS}) n
"""


def make() -> str:
    """The address of a database that is ready."""
    url = postgresql.create_database(NAME)
    os.environ["NEXUS_BENCH_DATABASE_URL"] = url
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.project.settings"
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's
    with psycopg.connect(url, autocommit=True) as raw:
        raw.execute(
            "INSERT INTO catalogue_category (name) SELECT 'Category ' || n FROM generate_series(1, 50) n"
        )
        raw.execute(_PRODUCTS)
        raw.execute(f"SELECT setval('catalogue_product_id_seq', {ROWS})")
        raw.execute("VACUUM ANALYZE")
    return url


def tidy(url: str) -> None:
    """Take away what the writers made, so that every round finds the same table."""
    with psycopg.connect(url, autocommit=True) as raw:
        raw.execute("DELETE FROM catalogue_product WHERE id > %s", (ROWS,))
        raw.execute("VACUUM catalogue_product")
