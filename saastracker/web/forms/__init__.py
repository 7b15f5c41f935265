"""Forms for every kind of definition, made from the kind's struct."""
