"""A judge model compares the replies of two models."""
