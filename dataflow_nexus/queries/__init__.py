"""Parameters and a grant become one statement, and its rows become JSON bytes."""
