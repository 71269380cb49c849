from dataflow import DataFlow
from nexus import Nexus
from kailash.workflow.builder import WorkflowBuilder

# Step 1: Initialize DataFlow with critical config
db = DataFlow(
    database_url="postgresql://user:pass@localhost/ecommerce",
    auto_migrate=False,
    enable_model_persistence=False,
    existing_schema_mode=True
)

# Step 2: Define models
@db.model
class Product:
    sku: str
    name: str
    price: float
    stock: int
    active: bool = True

@db.model
class Order:
    customer_id: int
    total: float
    status: str = 'pending'

# Step 3: Create Nexus with proper config
nexus = Nexus(
    title="E-commerce Platform",
    version="1.0.0",
    enable_api=True,
    enable_cli=True,
    enable_mcp=True,

    dataflow_config={
        "integration": db,
        "auto_discovery": False,              # CRITICAL
        "auto_generate_endpoints": True,
        "auto_generate_cli_commands": True,
        "auto_generate_mcp_tools": True,
        "expose_bulk_operations": True
    }
)

# Step 4: Start Nexus (non-blocking!)
nexus.run(port=8000)
