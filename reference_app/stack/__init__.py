"""Acting on the processes of a lab: rendering, bootstrapping, control, prober, seeding."""
