"""The offline teacher: samples by rule from ``key: value`` profiles, with no server."""
