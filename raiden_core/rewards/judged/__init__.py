"""The reward ``judge``: what a served model says of a completion, by a rubric, on a scale."""
