"""From a run to a blameless postmortem whose every number can be derived again."""
