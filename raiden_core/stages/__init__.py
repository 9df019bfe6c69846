"""What every stage shares: folder, key, progress, shared storage, names."""
