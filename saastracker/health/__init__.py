"""Health: how well organizations do, as a score from 0 to 100 that explains itself."""
