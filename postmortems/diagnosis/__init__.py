"""Which components contributed, ranked with the evidence for and against each: from signals alone, never from what is known of the fault."""
