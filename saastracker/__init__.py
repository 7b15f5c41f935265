"""Public names for plugins, re-exported; nothing else."""
