"""What a project has that uses django-mcp-server: a toolset, a tool, a resource, a prompt, and its query tool."""

from mcp_server import MCPToolset, ModelQueryToolset, mcp_server

from testproject.shop.models import Product


class Warehouse(MCPToolset):
    """Tools that nothing but the project's own code guards."""

    def shelf_of(self, sku: str) -> str:
        """Where a product stands."""
        name = Product.objects.get(sku=sku).name
        return f"{name}: shelf {len(sku)}, asked by {self.request.method}"

    def break_down(self) -> str:
        """Fail."""
        raise RuntimeError("secret")


class Products(ModelQueryToolset):
    """It would show every field; the bridge leaves it out."""

    model = Product
    exclude = ("price",)


@mcp_server.tool()
def list_products() -> str:
    """A tool with the name of one of ours."""
    return "the project's own"


@mcp_server.resource("shelves://all")
def shelves() -> str:
    """Every shelf."""
    return "1 to 9"


@mcp_server.prompt()
def restock(sku: str) -> str:
    """Order a product again."""
    return f"Restock {sku}."
