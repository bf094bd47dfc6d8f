"""What an experiment asks. Probes return a bool or a finite number, whatever state the lab is in: a NaN would end the toolkit before its rollbacks."""
