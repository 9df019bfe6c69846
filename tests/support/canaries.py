"""Secrets that tests plant in the environment of the house: one that turns up in anything that it wrote has leaked."""

CANARIES = {
    name: f"canary-{name.lower().replace('_', '-')}-7f3a91"
    for name in ("RAIDEN_TEST_TEACHER_KEY", "HF_TOKEN", "WANDB_API_KEY", "OPENAI_API_KEY")
}
AUTH = "admin:canary-auth-string-7f3a91"
