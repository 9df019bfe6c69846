"""Whether everything that a configuration needs is there, before a run finds out the hard way: ``raiden doctor``."""
