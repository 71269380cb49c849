"""``python -m dataflow_nexus``: the ``nexus`` command."""

from dataflow_nexus.launching.main import main

if __name__ == "__main__":
    main()
