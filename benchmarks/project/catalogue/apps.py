from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "benchmarks.project.catalogue"
    label = "catalogue"
