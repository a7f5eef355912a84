"""Local SGD: each process uses its gradients, and the weights are averaged."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

PROCESS = """
import os, sys, torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel
from instseg3d_ros.training.averaging import average, keep_gradients

distributed.init_process_group("gloo")
rank = distributed.get_rank()
torch.manual_seed(0)
module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
parallel = DistributedDataParallel(module, forward_sync_buffers=False)
keep_gradients(parallel)
x = torch.randn(8, 3, generator=torch.Generator().manual_seed(rank))
parallel(x).pow(3).sum().backward()
gradients = {name: value.grad.clone() for name, value in module.named_parameters()}
torch.optim.SGD(module.parameters(), 0.1).step()
before = {name: value.clone() for name, value in module.state_dict().items()}
average(module)
torch.save((x, gradients, before, module.state_dict()), sys.argv[1])
distributed.barrier()
os._exit(0)  # gloo's threads may be giving a tensor back: where Python ends under them, they abort
"""


@pytest.fixture
def two(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = tmp_path / "process.py"
    script.write_text(PROCESS)
    outs = [tmp_path / f"{rank}.pt" for rank in range(2)]
    together = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
                "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}  # fmt: skip
    started = [subprocess.Popen([sys.executable, script, out], env={**together, "RANK": str(rank)})
               for rank, out in enumerate(outs)]  # fmt: skip
    for process in started:
        assert process.wait(timeout=120) == 0
    return [torch.load(out, weights_only=False) for out in outs]


def test_each_process_keeps_its_own_gradients(two):
    for x, gradients, _, _ in two:
        torch.manual_seed(0)
        alone = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
        alone(x).pow(3).sum().backward()
        for name, value in alone.named_parameters():
            assert torch.allclose(gradients[name], value.grad, rtol=1e-4, atol=1e-4), name
    assert not torch.allclose(two[0][1]["0.weight"], two[1][1]["0.weight"], atol=1e-3)


def test_weights_and_statistics_become_the_mean(two):
    (_, _, first, mean), (_, _, second, other) = two
    assert not torch.allclose(first["1.running_mean"], second["1.running_mean"], atol=1e-3)
    for name, value in mean.items():
        assert torch.equal(value, other[name]), name
        if value.is_floating_point():
            assert torch.allclose(value, (first[name] + second[name]) / 2, atol=1e-6), name
        else:
            assert torch.equal(value, first[name]), name
