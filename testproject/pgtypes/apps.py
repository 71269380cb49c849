from django.apps import AppConfig


class PgTypesConfig(AppConfig):
    name = "testproject.pgtypes"
    label = "pgtypes"
    default_auto_field = "django.db.models.BigAutoField"
