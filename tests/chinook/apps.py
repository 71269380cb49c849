from django.apps import AppConfig


class ChinookConfig(AppConfig):
    name = "tests.chinook"
    label = "chinook"
