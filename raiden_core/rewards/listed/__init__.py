"""The rewards of a run as a list: from what the configuration says to values, gates and totals.

- `chosen`: an entry of the configuration, resolved: who computes it, how it counts, and a digest of its code.
- `sources`: reads a function's code without running it: is it there, can it be called as TRL calls it, what does it import?
- `loading`: imports it, in the process that trains or evaluates and nowhere else.
- `running`: computes the whole list on a batch, asynchronous functions beside the others.
- `columns`: the same as functions that TRL calls.
- `trial`: calls each once on gold and on empty completions, before anything expensive begins.

docs/rewards.md says what each reward gives, and how to write one's own.
"""
