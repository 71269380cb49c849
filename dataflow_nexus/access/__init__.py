"""Who asks, and what their grants let them do."""
