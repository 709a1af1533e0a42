"""What each action does: from a caller and a validated input to an answer. Doors add nothing to this."""
