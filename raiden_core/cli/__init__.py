"""One file a command of ``raiden``."""
