"""Scripts, plain text and formatting: what text is, whoever reads it."""
