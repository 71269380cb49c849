"""Who asks: a user's name → a principal."""
