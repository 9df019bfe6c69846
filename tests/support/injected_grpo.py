"""raiden_core.training.grpo with completions that are given: started by test_two_processes.py under accelerate.

    PYTHONPATH=. accelerate launch --config_file FILE tests/support/injected_grpo.py job.yaml --injected FILE.json [--shard]

``--uneven`` lets the first process sample 4 tokens a completion and the second 12, instead of given ones.
``--shard`` makes accelerate shard the model on a CPU as it does on GPUs. By itself it does not: on CPU ranks it
ignores an FSDP configuration without a word and trains with DDP.
"""

from __future__ import annotations

import functools
import json
import sys
from pathlib import Path
from typing import Any

from tests.support.injection import Injected, rollout_of


def inject(path: Path) -> None:
    """Every GRPOTrainer made from now on takes its completions from the file."""
    import trl

    rollout = rollout_of(Injected(**json.loads(path.read_text("utf-8"))))
    # The class itself, because raiden's trainer is a subclass of it.
    trl.GRPOTrainer.__init__ = functools.partialmethod(trl.GRPOTrainer.__init__, rollout_func=rollout)


def sample_unevenly() -> None:
    """Completions of every GRPOTrainer made from now on end earlier in the first process."""
    import trl

    original = trl.GRPOTrainer.__init__

    def begin(self: Any, *args: Any, **options: Any) -> None:
        original(self, *args, **options)
        self.generation_config.max_new_tokens = 4 if self.is_world_process_zero() else 12

    trl.GRPOTrainer.__init__ = begin


def shard() -> None:
    """Call CPU ranks by the name under which accelerate looks for FSDP; device and backend stay CPU and gloo."""
    import torch
    from accelerate.state import PartialState
    from accelerate.utils import DistributedType

    original = PartialState.__init__

    def begin(self: PartialState, *args: Any, **options: Any) -> None:
        original(self, *args, **options)
        if self.distributed_type == DistributedType.MULTI_CPU:
            self.distributed_type = DistributedType.MULTI_GPU
            self.device = torch.device("cpu")  # FSDP1 takes accelerate's "cpu:0" for another device

    PartialState.__init__ = begin


def report_ranks(folder: Path) -> None:
    """Leave, for each rank, what kind of model was trained and how many of its values this rank holds.

    Of FSDP1, weights.safetensors is left as well, and the script ends there: on a CPU, PyTorch crashes (SIGSEGV) when
    FSDP1 gathers a state dict, which saving needs.
    """
    import torch
    from safetensors.torch import save_file
    from torch.distributed.fsdp import FullyShardedDataParallel
    from torch.distributed.tensor import DTensor
    from transformers import Trainer

    original = Trainer.save_model

    def save(self: Trainer, *args: Any, **options: Any) -> None:
        model, rank = self.model_wrapped, self.args.process_index
        local = [one.to_local() if isinstance(one, DTensor) else one for one in model.parameters()]
        facts = {
            "kind": type(model).__name__,
            "values": sum(one.numel() for one in local),
            "backend": str(self.args.distributed_state.backend),
            "device": torch.device(self.args.device).type,
        }
        (folder / f"rank{rank}.json").write_text(json.dumps(facts), "utf-8")
        if isinstance(model, FullyShardedDataParallel):
            with FullyShardedDataParallel.summon_full_params(model, writeback=False):
                whole = {
                    name.replace("_fsdp_wrapped_module.", ""): one.detach().clone()
                    for name, one in model.named_parameters()
                }
            if rank == 0:
                save_file(whole, folder / "weights.safetensors")
            self.accelerator.wait_for_everyone()
            sys.exit(0)
        original(self, *args, **options)

    Trainer.save_model = save


def main() -> int:
    arguments = sys.argv[1:]
    if "--shard" in arguments:
        arguments.remove("--shard")
        shard()
    if "--uneven" in arguments:
        arguments.remove("--uneven")
        sample_unevenly()
    if "--injected" in arguments:
        at = arguments.index("--injected")
        inject(Path(arguments[at + 1]))
        del arguments[at : at + 2]
    report_ranks(Path(arguments[0]).parent)

    from raiden_core.training.grpo import main as grpo
    from raiden_core.training.launch.script import as_script

    with as_script():
        grpo(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
