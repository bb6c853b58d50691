"""A sidecar is read strictly, and what is written says everything."""

from __future__ import annotations

import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trtviewer.errors import BadInput
from trtviewer.models.sidecar import (
    Sidecar,
    SidecarHead,
    SidecarInput,
    read_sidecar,
    sidecar_path,
    sidecar_text,
    write_sidecar,
)
from trtviewer.models.spec import Family, HeadSpec, InputSpec, ModelSpec, Resize

REALS = st.floats(-1e6, 1e6, allow_nan=False)
POSITIVE = st.floats(1e-6, 1e6)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(str.strip)
TRIPLES = st.tuples(REALS, REALS, REALS)
INPUTS = st.builds(
    InputSpec,
    name=st.just("images"),
    size=st.tuples(st.integers(1, 4000), st.integers(1, 4000)),
    layout=st.sampled_from(["nchw", "nhwc"]),
    colour=st.sampled_from(["rgb", "bgr"]),
    pixel_scale=POSITIVE,
    mean=TRIPLES,
    std=st.tuples(POSITIVE, POSITIVE, POSITIVE),
    resize=st.sampled_from(Resize),
    pad=st.integers(0, 255),
)
HEADS = st.builds(
    HeadSpec,
    output=NAMES,
    shape=st.just((1, 255, 13, 13)),
    layout=st.sampled_from(["nchw", "nhwc", "nhwac", "nahwc"]),
    stride=st.integers(1, 64),
    anchors=st.lists(st.tuples(POSITIVE, POSITIVE), min_size=1, max_size=4).map(tuple),
    box=st.sampled_from(["exp", "square"]),
    scale_xy=POSITIVE,
)
SPECS = st.builds(
    ModelSpec,
    path=st.just(Path("model.onnx")),
    family=st.just(Family.YOLO_ANCHOR),
    classes=st.lists(NAMES, min_size=1, max_size=5).map(tuple),
    input=INPUTS,
    heads=st.lists(HEADS, min_size=1, max_size=3, unique_by=lambda head: head.output).map(tuple),
)

WHOLE = """
family = "yolo-anchor"
classes = ["cat", "dog"]
[input]
colour = "bgr"
pixel_scale = 1
mean = [1, 2.5, 3]
std = [4, 5, 6]
resize = "stretch"
pad = 0
layout = "nhwc"
size = [320, 640]
[[head]]
output = "conv36"
stride = 16
box = "square"
scale_xy = 1.05
anchors = [[23, 27], [37.5, 58]]
layout = "nahwc"
"""


def read(folder: Path, text: str) -> Sidecar:
    path = folder / "model.toml"
    path.write_text(text, encoding="utf-8")
    return read_sidecar(path)


def fault(folder: Path, text: str) -> str:
    with pytest.raises(BadInput) as caught:
        read(folder, text)
    message = str(caught.value)
    assert message.startswith(f"{folder / 'model.toml'}: ")
    assert "\n" not in message
    return message


def test_that_every_key_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, WHOLE) == Sidecar(
        path=tmp_path / "model.toml",
        family=Family.YOLO_ANCHOR,
        classes=("cat", "dog"),
        input=SidecarInput(
            "bgr", 1.0, (1.0, 2.5, 3.0), (4.0, 5.0, 6.0), Resize.STRETCH, 0, "nhwc", (320, 640)
        ),
        heads=(SidecarHead("conv36", 16, "square", 1.05, ((23.0, 27.0), (37.5, 58.0)), "nahwc"),),
    )


def test_that_no_key_is_needed(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Sidecar(path=tmp_path / "model.toml")


def test_that_the_real_sidecar_takes_its_classes_from_the_file_beside_it(real_data: Path) -> None:
    sidecar = read_sidecar(real_data / "yolov4-tiny.toml")
    assert sidecar.classes is not None
    assert len(sidecar.classes) == 80
    assert (sidecar.classes[0], sidecar.classes[79]) == ("person", "toothbrush")
    assert [head.stride for head in sidecar.heads] == [32, 16]


@settings(deadline=None, max_examples=60)
@given(spec=SPECS)
def test_that_what_is_written_is_read_back_whole(spec: ModelSpec) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.toml"
        write_sidecar(path, spec)
        again = read_sidecar(path)
        assert (again.family, again.classes) == (spec.family, spec.classes)
        assert spec.input is not None
        for name in ("colour", "pixel_scale", "mean", "std", "resize", "pad", "layout", "size"):
            assert getattr(again.input, name) == getattr(spec.input, name)
        for said, meant in zip(again.heads, spec.heads, strict=True):
            for name in ("output", "stride", "box", "scale_xy", "anchors", "layout"):
                assert getattr(said, name) == getattr(meant, name)
        assert sidecar_text(spec) == path.read_text(encoding="utf-8")
        write_sidecar(path, spec)


def test_that_class_names_are_written_as_a_list(tmp_path: Path) -> None:
    spec = ModelSpec(
        tmp_path / "m.onnx",
        Family.YOLO_DFL,
        ('say "hi"', "naïve\\"),
        InputSpec("i", (64, 64)),
        (HeadSpec("o", (1, 6, 84), "ncp"),),
    )
    write_sidecar(tmp_path / "m.toml", spec)
    document = tomllib.loads((tmp_path / "m.toml").read_text(encoding="utf-8"))
    assert document["classes"] == ['say "hi"', "naïve\\"]
    assert document["head"] == [{"output": "o", "layout": "ncp"}]


@pytest.mark.parametrize(
    "there", ['family = "yolox"\n', "# nothing\n", "not toml at all", WHOLE.replace("bgr", "rgb")]
)
def test_that_an_existing_sidecar_with_other_contents_is_refused_and_left(tmp_path: Path, there: str) -> None:
    spec = _spec_of(tmp_path)
    path = tmp_path / "out.toml"
    path.write_text(there)
    with pytest.raises(BadInput, match="not overwritten"):
        write_sidecar(path, spec)
    assert path.read_text() == there


def test_that_a_hand_written_sidecar_that_says_the_same_is_left_as_it_is(tmp_path: Path) -> None:
    spec = _spec_of(tmp_path)
    path = tmp_path / "out.toml"
    hand_written = "# mine\n" + WHOLE.replace('layout = "nahwc"', "").replace("size = [320, 640]", "")
    path.write_text(hand_written)
    write_sidecar(path, spec)
    assert path.read_text() == hand_written


def _spec_of(folder: Path) -> ModelSpec:
    said = read(folder, WHOLE)
    values = {name: getattr(said.input, name) for name in SidecarInput.__slots__}
    head = said.heads[0]
    assert said.family is not None
    assert said.classes is not None
    assert head.anchors is not None
    return ModelSpec(
        folder / "out.onnx",
        said.family,
        said.classes,
        InputSpec("images", **values),
        (HeadSpec("conv36", (1, 2, 20, 40, 7), "nahwc", 16, head.anchors, "square", 1.05),),
    )


@pytest.mark.parametrize(
    ("text", "key", "right"),
    [
        ('famly = "yolox"', "famly", "family"),
        ('clases = "coco.names"', "clases", "classes"),
        ('[input]\ncolor = "rgb"', "input.color", "colour"),
        ("[input]\npixel_scal = 1", "input.pixel_scal", "pixel_scale"),
        ('[[head]]\noutput = "a"\nanchor = [[1, 2]]', "head[0].anchor", "anchors"),
        ('family = "yolo-ancor"', "family", "yolo-anchor"),
        ('[input]\nresize = "leterbox"', "input.resize", "letterbox"),
        ('[input]\ncolour = "RGB"', "input.colour", "rgb"),
        ("stride = 8", "stride", "[[head]]"),
        ('[[head]]\noutput = "a"\ncolour = "rgb"', "head[0].colour", "[input]"),
    ],
)
def test_that_a_typo_is_named_with_the_nearest_right_one(
    tmp_path: Path, text: str, key: str, right: str
) -> None:
    message = fault(tmp_path, text)
    assert key in message
    assert right in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[input]\npixel_scale = 0", "input.pixel_scale must be a number above 0, not 0"),
        ("[input]\npixel_scale = true", "input.pixel_scale must be a number"),
        ("[input]\npixel_scale = nan", "input.pixel_scale must be a number"),
        ("[input]\nmean = [0, 0]", "input.mean must be a list of three numbers"),
        (
            "[input]\nstd = [1, 0, 1]",
            "input.std must be a list of three numbers, and each must be a number above 0",
        ),
        ("[input]\npad = 256", "input.pad must be a whole number from 0 to 255, not 256"),
        ("[input]\npad = 1.5", "input.pad must be a whole number"),
        ("[input]\nsize = 416", "input.size must be a list of height and width"),
        ("[input]\nsize = [416, -1]", "input.size must be a list of height and width"),
        ("input = 3", "input must be a table, [input]"),
        ("[head]\noutput = 'a'", "head must be a list of tables, [[head]]"),
        ("[[head]]\nstride = 8", "head[0] needs output"),
        ("[[head]]\noutput = 'a'\n[[head]]\noutput = 'a'", '"a" is there twice'),
        ("[[head]]\noutput = 'a'\nanchors = [[1, 2, 3]]", "head[0].anchors must be a list of pairs"),
        ("[[head]]\noutput = 'a'\nanchors = []", "head[0].anchors must be a list of pairs"),
        ("[[head]]\noutput = 'a'\nstride = '8'", "head[0].stride must be a whole number"),
        ("classes = []", "classes must be the name of a file, or a list of names"),
        ("classes = ['a', 3]", "classes must be"),
        ("classes = 'nowhere.names'", "there is no file"),
        ("family = 'none'", "family must be one of"),
        ("[[output]]\nname = 'a'", "output[0] needs shape"),
        ("[[output]]\nname = 'a'\nshape = [1]", "[[output]] belongs only in the outputs.toml"),
        ("[input]\npixel_scale = 1" + "0" * 400, "input.pixel_scale must be a number"),
        ("[input]\npad = inf", "input.pad must be a whole number"),
        ("family = ", "is not TOML"),
    ],
)
def test_that_a_wrong_value_is_named_with_what_it_must_be(tmp_path: Path, text: str, said: str) -> None:
    assert said in fault(tmp_path, text)


TOML_VALUES = st.recursive(
    st.one_of(st.integers(), st.booleans(), st.floats(), st.sampled_from(["'a'", "'rgb'", "1979-05-27"])),
    lambda inner: st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(map(_as_toml, items))}]"),
    max_leaves=6,
).map(lambda value: _as_toml(value))
KEYS = [
    *("family", "classes", "input", "head", "output", "x", "input.colour", "input.pixel_scale", "input.mean"),
    *(
        "input.pad",
        "input.size",
        "input.resize",
        "head.output",
        "[[head]]",
        "[input]",
        "stride",
        "anchors",
        "box",
    ),
]


def _as_toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@settings(deadline=None, max_examples=200)
@given(lines=st.lists(st.tuples(st.sampled_from(KEYS), TOML_VALUES), max_size=6))
def test_that_nothing_in_a_sidecar_gives_anything_but_one_clear_line(lines: list[tuple[str, str]]) -> None:
    text = "\n".join(key if key.startswith("[") else f"{key} = {value}" for key, value in lines)
    with TemporaryDirectory() as folder:
        try:
            read(Path(folder), text)
        except BadInput as error:
            assert "\n" not in str(error)


def test_that_all_faults_are_told_at_once(tmp_path: Path) -> None:
    message = fault(tmp_path, 'famly = "x"\n[input]\npad = -1\n[[head]]\noutput = "a"\nbox = "round"\n')
    assert all(word in message for word in ("famly", "input.pad", "head[0].box"))


@pytest.mark.parametrize(
    ("names", "said"), [("", "names no class"), ("a\n\nb\n", "line 2"), (None, "no file")]
)
def test_that_a_bad_class_file_is_named(tmp_path: Path, names: str | None, said: str) -> None:
    if names is not None:
        (tmp_path / "my.names").write_text(names)
    message = fault(tmp_path, 'classes = "my.names"')
    assert said in message
    assert "my.names" in message


def test_that_a_sidecar_that_is_no_text_is_said(tmp_path: Path) -> None:
    path = tmp_path / "model.toml"
    path.write_bytes(b"\xff\xfe\x00family")
    with pytest.raises(BadInput, match="UTF-8"):
        read_sidecar(path)


def test_that_the_sidecar_is_beside_a_file_and_inside_a_folder(tmp_path: Path) -> None:
    assert sidecar_path(tmp_path / "yolo.int8.onnx") == tmp_path / "yolo.int8.toml"
    assert sidecar_path(tmp_path) == tmp_path / "outputs.toml"


def test_that_the_first_of_two_sidecars_is_heard() -> None:
    first = Sidecar(family=Family.YOLOX, input=SidecarInput(pad=0))
    second = Sidecar(family=Family.YOLO_DFL, classes=("a",), input=SidecarInput(pad=1, colour="bgr"))
    both = first.over(second)
    assert (both.family, both.classes) == (Family.YOLOX, ("a",))
    assert both.input == SidecarInput(pad=0, colour="bgr")
