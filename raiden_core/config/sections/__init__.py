"""The parts of the configuration, a file for each room of the house; raiden_core/config/tree.py joins them."""
