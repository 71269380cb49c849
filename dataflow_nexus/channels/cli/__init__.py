"""The command line: ``nexus …`` and ``manage.py nexus …``."""
