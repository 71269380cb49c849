from dataflow import DataFlow
from nexus import Nexus

# CRITICAL CONFIGURATION to prevent blocking
db = DataFlow(
    database_url="postgresql://user:pass@localhost/db",
    auto_migrate=False,              # Don't create tables during init (prevents 5-10s startup delay)
    enable_model_persistence=False,  # Skip model registry for fast startup
    existing_schema_mode=True        # Work with existing schema only
)

# CRITICAL: auto_migrate=False is REQUIRED for Docker/FastAPI deployments.
# Despite async_safe_run() improvements, auto_migrate=True still fails due to
# event loop boundary issues (connections created in wrong loop).

# Define models AFTER init
@db.model
class Product:
    name: str
    price: float
    active: bool = True

# Create Nexus with DataFlow integration
nexus = Nexus(
    title="E-commerce API",
    enable_api=True,
    enable_cli=True,
    enable_mcp=True,

    # DataFlow configuration
    dataflow_config={
        "integration": db,
        "auto_discovery": False,              # CRITICAL: Prevent auto-model-discovery
        "auto_generate_endpoints": True,      # Generate API endpoints
        "auto_generate_cli_commands": True,   # Generate CLI commands
        "auto_generate_mcp_tools": True,      # Generate MCP tools
        "expose_bulk_operations": True        # Include bulk operation endpoints
    }
)

# All 9 DataFlow nodes now available through:
# - REST API: POST /api/workflows/ProductCreateNode/execute
# - CLI: nexus execute ProductCreateNode --name "Test" --price 100
# - MCP: Available to AI agents for data operations
