"""Training: the prompt, the cold start (SFT) and GRPO, as scripts that ``accelerate launch`` starts."""
