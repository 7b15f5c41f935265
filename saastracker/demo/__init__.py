"""Made-up projects to look around in: 90 days of a product for businesses and of a game, the same in every run."""
