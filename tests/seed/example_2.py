# After setup from Example 1, all channels work:

# 1. REST API
# POST http://localhost:8000/api/workflows/ProductCreateNode/execute
# Body: {"name": "Laptop", "sku": "LAP-001", "price": 1299.99, "stock": 50}

# 2. CLI
# $ nexus execute ProductListNode --filter '{"active": true}' --limit 10

# 3. MCP (AI agents)
# Agent can call: create_product, list_products, update_product, etc.

# 4. Python workflows (still work as before)
workflow = WorkflowBuilder()
workflow.add_node("ProductCreateNode", "create", {
    "sku": "PHONE-001",
    "name": "Smartphone",
    "price": 799.99,
    "stock": 100
})
