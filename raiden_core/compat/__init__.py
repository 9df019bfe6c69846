"""Other projects' names for what raiden has, for code that was written against them."""
