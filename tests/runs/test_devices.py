"""What is written down about a GPU, and which kernels `gradus doctor` says it runs."""

from types import SimpleNamespace

import pytest
import torch

from gradus.kernels import dispatch
from gradus.runs.diagnosis import diagnose
from gradus.runs.directory import RunDirectory
from gradus.runs.environment import describe_machine, read, timed


@pytest.fixture
def gpu(device, monkeypatch):
    """The name of a GPU, or of one that torch is made to believe in."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name(0)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda *_: "Simulated 1")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda *_: SimpleNamespace(total_memory=80 * 2**30))
    return "Simulated 1"


def test_the_machine_of_a_run_names_its_gpu(gpu, tmp_path):
    directory = RunDirectory(tmp_path / "run")
    (tmp_path / "run").mkdir()
    with timed(directory, "fit"):
        pass
    assert read(directory)["device"] == describe_machine()["device"]
    assert read(directory)["device"].startswith(f"{gpu} (")


def test_the_doctor_says_what_runs_every_kernel_there(gpu):
    found = diagnose()
    assert found["machine"]["device"].startswith(gpu)
    assert found["kernels"].keys() == set(dispatch.kernels())
    for kernel, words in found["kernels"].items():
        on_cpu, on_gpu = words.split(", ")
        assert on_cpu.endswith("on cpu") and on_gpu.endswith("on cuda")
        compiled = dispatch.chosen(kernel, "cuda") == "cuda"
        assert ("triton" in on_gpu) == compiled or "not installed" in on_gpu
