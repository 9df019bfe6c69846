"""What becomes of each field of TRL's configuration classes: it is honoured, or refused by name.

A trainer takes fields that it never looks at, and a model's settings reach nothing unless somebody passes them on; a
setting that is accepted and ignored costs its user a training run. So every field that the installed TRL has stands
here once. `refusal` is asked by the training scripts, by ``raiden plan`` and ``raiden doctor`` and when a configuration
is loaded, so that all of them say the same.

- `HONOURED`: the trainer reads it from its own arguments, where it arrives unchanged.
- `MODEL`: a field of ModelConfig; training/loading.py passes it on to what loads the model.
- `REFUSED`: it would have no effect, or one that raiden does not allow, with the reason.
- `NEEDS`: honoured only where another setting switches on what it is about.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BOTH = _names(
    """
    output_dir per_device_train_batch_size num_train_epochs max_steps learning_rate lr_scheduler_type
    lr_scheduler_kwargs warmup_steps optim optim_args weight_decay adam_beta1 adam_beta2 adam_epsilon
    optim_target_modules gradient_accumulation_steps average_tokens_across_devices max_grad_norm bf16 fp16 tf32
    activation_checkpointing activation_checkpointing_kwargs gradient_checkpointing gradient_checkpointing_kwargs
    torch_compile torch_compile_backend torch_compile_mode use_liger_kernel liger_kernel_config use_cache
    neftune_noise_alpha torch_empty_cache_steps auto_find_batch_size logging_strategy logging_steps
    logging_first_step log_on_each_node logging_nan_inf_filter include_num_input_tokens_seen log_level
    log_level_replica disable_tqdm report_to run_name project trackio_space_id trackio_bucket_id
    trackio_static_space_id save_only_model save_strategy save_steps save_on_each_node save_total_limit
    enable_jit_checkpoint ignore_data_skip restore_callback_states_from_checkpoint full_determinism seed use_cpu
    accelerator_config parallelism_config dataloader_drop_last dataloader_num_workers dataloader_pin_memory
    dataloader_persistent_workers dataloader_prefetch_factor dataloader_multiprocessing_context dataloader_in_order
    ddp_find_unused_parameters ddp_bucket_cap_mb ddp_broadcast_buffers ddp_static_graph ddp_backend ddp_timeout fsdp
    fsdp_config deepspeed debug skip_memory_metrics model_init_kwargs router_aux_loss_coef pad_to_multiple_of
    loss_type
    """
)
HONOURED: dict[str, frozenset[str]] = {
    "GRPOConfig": _BOTH
    | _names(
        """
        bf16_full_eval fp16_full_eval eval_strategy eval_steps eval_delay per_device_eval_batch_size eval_on_start
        load_best_model_at_end shuffle_dataset disable_dropout cast_lm_head_to_fp32 num_generations
        num_generations_eval max_completion_length ds3_gather_for_generation generation_batch_size
        steps_per_generation temperature top_p top_k min_p generation_kwargs chat_template_kwargs repetition_penalty
        cache_implementation use_vllm vllm_mode vllm_model_impl vllm_enable_sleep_mode vllm_structured_outputs_regex
        vllm_server_base_url vllm_server_host vllm_server_port vllm_server_timeout vllm_group_port
        vllm_gpu_memory_utilization vllm_max_model_length vllm_tensor_parallel_size beta num_iterations epsilon
        delta epsilon_high sapo_temperature_neg sapo_temperature_pos vespo_k_pos vespo_lambda_pos vespo_k_neg
        vespo_lambda_neg importance_sampling_level multi_objective_aggregation scale_rewards
        mask_truncated_completions sync_ref_model ref_model_mixup_alpha ref_model_sync_steps top_entropy_quantile
        entropy_coef use_adaptive_entropy entropy_coef_min entropy_coef_max entropy_coef_delta entropy_target
        vllm_importance_sampling_correction vllm_importance_sampling_mode vllm_importance_sampling_clip_max
        vllm_importance_sampling_clip_min off_policy_mask_threshold use_bias_correction_kl log_completions
        num_completions_to_print log_unique_prompts use_transformers_continuous_batching
        transformers_continuous_batching_config use_transformers_paged vllm_importance_sampling_cap
        """
    ),
    "SFTConfig": _BOTH
    | _names(
        """
        label_smoothing_factor remove_unused_columns max_length packing packing_strategy padding_free
        activation_offloading dataset_num_proc
        """
    ),
}
MODEL = _names(
    """
    model_name_or_path model_revision dtype attn_implementation use_peft lora_r lora_alpha lora_dropout
    lora_target_modules lora_target_parameters lora_modules_to_save use_rslora use_dora load_in_8bit load_in_4bit
    bnb_4bit_quant_type use_bnb_nested_quant bnb_4bit_quant_storage
    """
)

REMOTE_CODE = "code that comes with a model is never run; use a model that transformers itself knows"
_HUB = "training sends nothing to the Hub; afterwards: raiden export --to hub DIR --run RUN --push OWNER/NAME"
_UNCOMPUTED = "no metrics are computed beside the rewards, so it has no effect; remove it"
_LAUNCHER = "the launcher says this (accelerate launch); remove it"
_NOT_EVALUATED = (
    "the cold start evaluates by its probe and has no evaluation set; set probe_stop_at (cold_start.probe.stop_at)"
)
_TOKENIZED = "the cold start writes its token sequences itself, so it has no effect; remove it"
_BOTH_REFUSED = {
    "trust_remote_code": REMOTE_CODE,
    "resume_from_checkpoint": "a rerun with the same output_dir goes on from its last whole checkpoint by itself; remove it",
    **dict.fromkeys(
        _names(
            """
            push_to_hub hub_token hub_private_repo hub_model_id hub_strategy hub_always_push hub_revision
            """
        ),
        _HUB,
    ),
    **dict.fromkeys(
        _names(
            """
            prediction_loss_only eval_do_concat_batches eval_use_gather_object eval_accumulation_steps
            include_for_metrics batch_eval_metrics label_names
            """
        ),
        _UNCOMPUTED,
    ),
    "do_train": "training is what the script does; remove it",
    "do_eval": "set eval_strategy: steps to evaluate during training",
    "do_predict": "raiden evaluate does this; remove it",
    "local_rank": _LAUNCHER,
    "data_seed": "the order of the data is drawn from seed; set that",
    "length_column_name": "batches are not formed by length, so it has no effect; remove it",
}
REFUSED: dict[str, dict[str, str]] = {
    "GRPOConfig": {
        **_BOTH_REFUSED,
        "reward_weights": "each entry of the list rewards has its weight; write rewards: [{use: accuracy, weight: 0.7}, …]",
        "remove_unused_columns": "the rewards read the columns of the data; remove it",
        "train_sampling_strategy": "GRPO draws whole groups at random (shuffle_dataset, longest_first); remove it",
        "label_smoothing_factor": "GRPO has no labels to smooth; remove it",
        "log_completions_hub_repo": _HUB,
        "metric_for_best_model": "the best checkpoint is that with the best accuracy; remove it",
        "greater_is_better": "the best checkpoint is that with the best accuracy; remove it",
        "max_tool_calling_iterations": "characters call no tools, so it has no effect; remove it",
        "log_multimodal": "prompts hold no images, so it has no effect; remove it",
    },
    "SFTConfig": {
        **_BOTH_REFUSED,
        "do_eval": _NOT_EVALUATED,
        **dict.fromkeys(
            _names(
                """
                eval_strategy eval_steps eval_delay per_device_eval_batch_size eval_on_start bf16_full_eval
                fp16_full_eval load_best_model_at_end metric_for_best_model greater_is_better eval_packing
                """
            ),
            _NOT_EVALUATED,
        ),
        "train_sampling_strategy": "the order is that of the sequences (shortest_first); remove it",
        "shuffle_dataset": "each epoch has a random order of its own (shortest_first changes the first one); remove it",
        "chat_template_path": "the model's own chat template is used, in training as in evaluation; change it in the model",
        **dict.fromkeys(
            _names(
                """
                dataset_text_field dataset_kwargs eos_token pad_token assistant_only_loss completion_only_loss
                """
            ),
            _TOKENIZED,
        ),
        "truncation_mode": "sequences longer than max_length are left out whole, never cut; remove it",
    },
    "ModelConfig": {"lora_task_type": "only CAUSAL_LM can be trained here; remove it"},
}

_ADAPTER = (
    "lora_r lora_alpha lora_dropout lora_target_modules lora_target_parameters lora_modules_to_save use_rslora use_dora"
)
NEEDS: dict[str, str] = {
    **dict.fromkeys(_ADAPTER.split(), "use_peft"),
    **dict.fromkeys(("load_in_8bit", "load_in_4bit"), "use_peft"),
    **dict.fromkeys(("bnb_4bit_quant_type", "use_bnb_nested_quant", "bnb_4bit_quant_storage"), "load_in_4bit"),
    **dict.fromkeys((name for name in HONOURED["GRPOConfig"] if name.startswith("vllm_")), "use_vllm"),
    **dict.fromkeys(("ref_model_mixup_alpha", "ref_model_sync_steps"), "sync_ref_model"),
    **dict.fromkeys(("num_completions_to_print", "log_unique_prompts"), "log_completions"),
    **dict.fromkeys(
        ("entropy_coef_min", "entropy_coef_max", "entropy_coef_delta", "entropy_target"), "use_adaptive_entropy"
    ),
    "transformers_continuous_batching_config": "use_transformers_continuous_batching",
    "torch_compile_backend": "torch_compile",
    "torch_compile_mode": "torch_compile",
    "liger_kernel_config": "use_liger_kernel",
    "num_generations_eval": "eval_strategy",
    "load_best_model_at_end": "eval_strategy",
    "packing_strategy": "packing",
}
"""Field -> the switch without which it has no effect."""
IMPLIES = {"torch_compile": ("torch_compile_backend", "torch_compile_mode")}
"""Switch -> fields that turn it on by themselves."""

OFF: tuple[Any, ...] = (None, False, "", "no", "none", "None", "False", [], {})
"""Values that ask for nothing, where the default does not ask for something."""
MODEL_KEYS = {"dtype": "dtype", "attn_implementation": "attn_implementation"}
"""Fields of ModelConfig -> the same settings in ``model_init_kwargs``."""


def refusal(
    trainer: str, given: Mapping[str, Any], defaults: Mapping[str, Any], adapter: str = "use_peft: true"
) -> str | None:
    """Why settings that were given cannot be honoured: ``name: reason`` of the first one, or None.

    Args:
        trainer: ``GRPOConfig`` or ``SFTConfig``.
        given: what the user wrote, by native names.
        defaults: of the fields that are refused; the default itself asks for nothing.
        adapter: the setting that asks for an adapter where it was written.
    """
    refused = {**REFUSED[trainer], **REFUSED["ModelConfig"]}
    for name, value in given.items():
        default = defaults.get(name)
        if value is None or (value in OFF and not default):
            continue
        if name in refused and value != default:
            return f"{name}: {refused[name]}"
        switch = NEEDS.get(name)
        if switch and given.get(switch) in OFF and name not in IMPLIES.get(switch, ()):
            on = {"use_peft": adapter, "eval_strategy": "eval_strategy: steps"}.get(switch, f"{switch}: true")
            return f"{name}: it has no effect without {on}; set that, or remove it"
    return _model_refusal(given)


def _model_refusal(given: Mapping[str, Any]) -> str | None:
    if given.get("load_in_4bit") not in OFF and given.get("load_in_8bit") not in OFF:
        return "load_in_4bit: a model is loaded in 4 bits or in 8 (load_in_8bit), not both; keep one"
    own = given.get("model_init_kwargs") or {}
    if isinstance(own, str):
        try:
            own = json.loads(own)
        except ValueError:
            return "model_init_kwargs: not a JSON object"
    if not isinstance(own, Mapping):
        return "model_init_kwargs: not a mapping"
    if own.get("trust_remote_code") not in OFF:
        return f"model_init_kwargs.trust_remote_code: {REMOTE_CODE}"
    if own.get("revision") not in OFF:
        return "model_init_kwargs.revision: the tokenizer has a revision too; set model_revision"
    for name, inside in MODEL_KEYS.items():
        if given.get(name) is not None and inside in own and str(own[inside]) != str(given[name]):
            return f"{name}: {given[name]!r} here and {own[inside]!r} as model_init_kwargs.{inside}; keep one"
    if str(own.get("attn_implementation") or given.get("attn_implementation") or "").count("/"):
        return "attn_implementation: kernels are not loaded from the Hub, because that runs their code; install one"
    revision, model = given.get("model_revision"), given.get("model_name_or_path")
    if revision not in (None, "main") and model and Path(str(model)).expanduser().is_dir():
        return f"model_revision: {model} is a folder, which has no revisions; remove it, or name the model's Hub id"
    return None
