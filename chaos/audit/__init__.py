"""Was anything that users were promised lost, doubled or not delivered: checkers over a run's history and the stores' content."""
