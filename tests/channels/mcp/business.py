"""A made-up company with 500 models: 25 fields of business with 20 things each, named as people name tables."""

DOMAINS = """
Airport Assembly Billing Clinic Customs Dealer Energy Export Festival Fleet Freight Garden Grocery Hotel Import
Insurance Laundry Library Mining Payroll Repair Rental Retail School Warehouse
""".split()  # noqa: SIM905  # as many lines as it takes to read them
ENTITIES = {
    "Account": "name: str; region: str; opened_on: date; credit_limit: Decimal",
    "Invoice": "number: str; account: {}Account; amount: Decimal; status: str; issued_on: date",
    "Payment": "invoice: {}Invoice; amount: Decimal; method: str; received_at: datetime",
    "Contract": "title: str; account: {}Account; starts_on: date; ends_on: date",
    "Supplier": "name: str; country: str; rating: int",
    "PurchaseOrder": "number: str; supplier: {}Supplier; total: Decimal; ordered_on: date",
    "PurchaseOrderLine": "purchase_order: {}PurchaseOrder; description: str; quantity: int; unit_price: Decimal",
    "StockItem": "sku: str; name: str; quantity: int; location: str",
    "StockMovement": "stock_item: {}StockItem; quantity: int; moved_at: datetime; reason: str",
    "Shipment": "tracking_code: str; weight: float; shipped_at: datetime; carrier: str",
    "ShipmentEvent": "shipment: {}Shipment; kind: str; happened_at: datetime",
    "Employee": "name: str; email: str; hired_on: date; salary: Decimal",
    "Shift": "employee: {}Employee; starts_at: datetime; ends_at: datetime",
    "Absence": "employee: {}Employee; kind: str; from_day: date; to_day: date",
    "Ticket": "subject: str; priority: int; status: str; opened_at: datetime",
    "TicketComment": "ticket: {}Ticket; body: str; written_at: datetime",
    "Vehicle": "plate: str; kind: str; mileage: int; bought_on: date",
    "Inspection": "vehicle: {}Vehicle; result: str; inspected_on: date; cost: Decimal",
    "Budget": "year: int; amount: Decimal; owner: str",
    "AuditEntry": "actor: str; action: str; happened_at: datetime",
}
NAMES = [domain + entity for domain in DOMAINS for entity in ENTITIES]

APPLICATION = """
from datetime import date, datetime
from decimal import Decimal

from dataflow_nexus import DataFlow, Nexus
from tests.channels.mcp.business import DOMAINS, ENTITIES

db = DataFlow({url!r})
made = {{}}
for domain in DOMAINS:
    for entity, text in ENTITIES.items():
        fields = [item.split(": ") for item in text.format(domain).split("; ")]
        body = {{
            "__module__": __name__,
            "__annotations__": {{name: eval(kind, globals(), made) for name, kind in fields}},
        }}
        made[domain + entity] = db.model(type(domain + entity, (), body))

app = Nexus(dataflow_config={{"integration": db}})
"""
"""The company as a program, on the database of an address."""

TABLES = """
CREATE TABLE freight_accounts (
    id {key}, name varchar NOT NULL, region varchar NOT NULL, opened_on date NOT NULL, credit_limit {number} NOT NULL
);
CREATE TABLE freight_invoices (
    id {key}, number varchar NOT NULL, account_id bigint NOT NULL REFERENCES freight_accounts (id),
    amount {number} NOT NULL, status varchar NOT NULL, issued_on date NOT NULL
);
INSERT INTO freight_accounts (name, region, opened_on, credit_limit) VALUES
    ('Harbour', 'north', '2024-01-01', 100), ('Quay', 'north', '2024-02-01', 50), ('Valley', 'south', '2024-03-01', 10);
INSERT INTO freight_invoices (number, account_id, amount, status, issued_on) VALUES
    ('F-1', 1, 10.50, 'paid', '2025-01-01'), ('F-2', 1, 20, 'paid', '2025-01-02'), ('F-3', 2, 99, 'open', '2025-01-03'),
    ('F-4', 2, 5.25, 'paid', '2025-01-04'), ('F-5', 3, 1000, 'paid', '2025-01-05');
"""
"""Those of its tables that a question is about, with rows."""
SQLITE = {"key": "integer PRIMARY KEY AUTOINCREMENT", "number": "decimal"}
POSTGRESQL = {"key": "bigserial PRIMARY KEY", "number": "numeric(19, 4)"}
