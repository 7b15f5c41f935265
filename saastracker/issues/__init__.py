"""Issues: errors with the same cause, whom they hit, and what people decided about them."""
