"""Defaults of the reward, which the configuration's sections and a `Scorer` made without any share.

They stand in a module of their own because the reward is also used where nothing is configured, and where importing
pydantic would cost more than scoring does.
"""

ACCURACY_WEIGHT = 0.7
FORMAT_WEIGHT = 0.3
MIN_LENGTH_BOUND = 150
LENGTH_RATIO = 8.0
PARTIAL_CREDIT = False
PREFILLED_THINK = False
