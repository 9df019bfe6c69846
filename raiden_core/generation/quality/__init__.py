"""What a sample must pass: filters, distractors, near-duplicates."""
