"""What the console knows of the running lab at one moment."""
