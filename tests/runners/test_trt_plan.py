"""What a runtime says against a plan becomes one line with the cure; what its inspector says becomes layers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model_zoo import write_anchor_sidecar
from trtviewer.errors import BadInput, MissingRuntime, TrtviewerError
from trtviewer.models.engine_file import EngineFile
from trtviewer.models.load import load_spec
from trtviewer.runners.nvidia import driver
from trtviewer.runners.trt import TrtRunner
from trtviewer.runners.trt_plan import Plan, parse_layer, precision_of, refusal

TRT = pytest.importorskip("tensorrt_rtx_bindings", reason="needs the wheels of the extra `rtx`")


@pytest.mark.parametrize(
    ("data", "said", "kind", "told"),
    [
        (b"ftrt", "The engine plan file is not compatible with this version of TensorRT, expecting library version 10.9.0.34 got 10.13.3.9, please rebuild.", MissingRuntime, "was built with 10.13.3.9"),
        (b"ftrt", "The engine plan file is generated on an incompatible device, expecting compute 8.9 got compute 8.6, please rebuild.", MissingRuntime, "was built for compute capability 8.6"),
        (b"ftrt", "Serialization assertion header.magicTag == kMAGIC failed", MissingRuntime, "was built with another version"),
        (b"junk", "Serialization assertion header.magicTag == kMAGIC failed", BadInput, "is not a TensorRT plan"),
        (b"ftrt", "IPluginRegistry::getPluginCreator: could not find plugin: EfficientNMS_TRT version: 1 namespace:", BadInput, "needs the plugin EfficientNMS_TRT"),
        (b"ftrt", "Cuda Runtime (out of memory)", MissingRuntime, "needs more memory"),
        (b"ftrt", "CUDA driver version is insufficient for CUDA runtime version", MissingRuntime, "needs a newer NVIDIA driver"),
        (b"ftrt", "Something that nobody has seen yet", BadInput, "cannot load it: Something that nobody has seen yet"),
    ],
)  # fmt: skip
def test_that_each_refusal_says_what_is_wrong_and_the_cure(
    data: bytes, said: str, kind: type[TrtviewerError], told: str
) -> None:
    plan = Plan(EngineFile(Path("a.engine"), {}, 0), data, TRT)
    error = refusal(plan, [said])
    assert type(error) is kind
    assert told in str(error)
    assert error.advice
    assert "\n" not in str(error)


def test_that_diagnostics_of_rtx_are_understood() -> None:
    plan = Plan(EngineFile(Path("a.engine"), {}, 0), b"vtrt", TRT, "1.6.0")
    assert "was built with 1.6.0, and TensorRT for RTX" in str(refusal(plan, [], "VERSION_MISMATCH"))
    assert "was built for another GPU" in str(refusal(plan, [], "UNSUPPORTED_CC"))
    assert "cut short, or damaged" in str(refusal(plan, [], "MALFORMED_ENGINE"))


@pytest.mark.parametrize(
    ("said", "precision"),
    [
        ({"Inputs": [{"Name": "x", "Format/Datatype": "Row major Int8 format"}], "Outputs": []}, "int8"),
        ({"Inputs": [{"Name": "x", "Datatype": "Int8", "Format": "Linear"}, {"Name": "b", "Datatype": "Float"}]}, "int8"),
        ({"Inputs": [{"Name": "x", "Format/Datatype": "Channel major FP16 format"}]}, "fp16"),
        ({"Inputs": [{"Name": "x", "Format/Datatype": "Row major linear FP32"}], "TacticName": "sm80_xmma_fprop_tf32f32"}, "tf32"),
        ({"Inputs": [{"Name": "x", "Format/Datatype": "Row major linear FP32"}], "TacticName": "sm80_xmma_fprop_f32"}, "fp32"),
        ({"Inputs": [], "Outputs": [{"Name": "w", "Datatype": "BFloat16"}]}, "bf16"),
        ("conv1 + relu1", ""),
    ],
)  # fmt: skip
def test_that_a_layers_precision_is_read_in_the_words_of_every_version(said: object, precision: str) -> None:
    assert parse_layer(said).precision == precision


def test_that_a_fused_layer_names_the_nodes_and_the_type_of_every_tensor() -> None:
    layer = parse_layer(
        {
            "Name": "a + b",
            "Inputs": [{"Datatype": "Int8"}, {"Datatype": "Half"}, {"Datatype": "unheard of"}],
            "Outputs": [{"Format/Datatype": "Row major linear FP32"}],
            "Metadata": "[ONNX Layer: /model.0/conv[1]/Conv]\x1e[ONNX Layer: b]",
        }
    )
    assert layer.inputs == ("int8", "fp16", "")
    assert layer.outputs == ("fp32",)
    assert layer.onnx == ("/model.0/conv[1]/Conv", "b")
    assert parse_layer("a + b").onnx == ()


def test_that_an_engines_precision_is_its_narrowest_layers() -> None:
    layers = [
        parse_layer({"Name": "a", "Inputs": [{"Datatype": kind}]}) for kind in ("Float", "Int8", "Half")
    ]
    assert precision_of(layers) == "int8"
    assert precision_of(layers[:1]) == "fp32"
    assert precision_of([parse_layer("only a name")]) == "unknown"
    assert precision_of([]) == "unknown"


@pytest.mark.skipif(bool(driver().gpus), reason="a GPU is here")
def test_that_an_engine_without_a_gpu_is_status_3_and_says_what_is_missing(tmp_path: Path) -> None:
    write_anchor_sidecar(tmp_path / "tiny.engine", (8, 16, 32), ["one"], size=(64, 64))
    (tmp_path / "tiny.engine").write_bytes(b"ftrt" + bytes(1000))
    runner = TrtRunner(load_spec(tmp_path / "tiny.engine"), probe=False)
    with pytest.raises(MissingRuntime, match=r"tiny\.engine: needs an NVIDIA GPU") as caught, runner:
        pass
    assert caught.value.exit_status == 3
