"""raiden: character profiles in, a role-playing model that measurably stays in character out.

This package is the library: it imports no Prefect and can be used from a notebook or a TRL script.
The tasks in ``tasks/`` and the flow in ``flows/`` chain its functions.
"""

__version__ = "0.1.0"
