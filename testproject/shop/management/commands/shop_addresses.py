from typing import Any

from django.core.management.base import BaseCommand, CommandParser

TEXT = """
Sample shop
  REST        http://{address}/api/products
  API docs    http://{address}/api/docs
  MCP         http://{address}/mcp
  Admin       http://{address}/admin/   (sign in: admin / admin)

The same call on every channel; paste one into another terminal
  REST    curl 'http://{address}/api/products?active=true&sort=-price&limit=3'
  CLI     .venv/bin/python manage.py nexus products list \\
            --filter '{{"active": true}}' --order-by=-price --limit 3
  Python  .venv/bin/python manage.py shell -v 0 -c \\
            'from dataflow_nexus import default_nexus; print(default_nexus().execute(
             "ProductListNode", filter={{"active": True}}, order_by=["-price"], limit=3))'
  MCP     curl http://{address}/mcp -H 'Content-Type: application/json' -d '{{"jsonrpc": "2.0", "id": 1,
            "method": "tools/call", "params": {{"name": "list_products", "arguments":
            {{"filter": {{"active": true}}, "order_by": ["-price"], "limit": 3}}}}}}'
"""


class Command(BaseCommand):
    help = "Print where the demo is served, and one call for each channel."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", default="8000")

    def handle(self, *, host: str, port: str, **options: Any) -> None:
        self.stdout.write(TEXT.format(address=f"{host}:{port}"))
