"""What people see, and its twins for programs."""
