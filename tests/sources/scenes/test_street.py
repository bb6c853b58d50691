"""The street: the same pixels everywhere and in any order, and a truth that bounds what is drawn."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from trtviewer.errors import BadUsage
from trtviewer.sources.scenes import open_scene
from trtviewer.sources.scenes import street as street_module
from trtviewer.sources.scenes.layout import street_of
from trtviewer.sources.scenes.street import StreetScene
from trtviewer.sources.scenes.traffic import CLASS_NAMES, Actor, actors_at
from trtviewer.sources.source import Source

SMALL = "size=320x180"


def _digest(picture: NDArray[np.uint8]) -> str:
    return hashlib.sha256(picture.tobytes()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("address", "index", "digest"),
    [
        (f"scene:street?condition=day&seed=1&{SMALL}", 40, "132297397221058a"),
        (f"scene:street?condition=rain&seed=2&{SMALL}", 41, "ca0da2954fdb1dfb"),
        (f"scene:street?condition=night&seed=3&{SMALL}", 42, "531a897fcfca5706"),
        (f"scene:street?condition=mix&seed=4&frames=300&{SMALL}", 105, "d53584e10fd64046"),
        ("scene:street?condition=night&seed=5", 7, "5a560b6db6f70373"),
    ],
)
def test_that_a_seed_gives_the_same_pixels_on_every_machine(address: str, index: int, digest: str) -> None:
    with open_scene(address) as scene:
        assert _digest(scene.read(index).picture) == digest


@pytest.mark.parametrize("condition", ["day", "rain", "night", "mix"])
def test_that_any_order_of_reading_gives_the_pixels_of_playing(condition: str) -> None:
    address = f"scene:street?condition={condition}&seed=11&frames=40&{SMALL}"
    with open_scene(address) as scene:
        played = [_digest(scene.read(index).picture) for index in range(40)]
    with open_scene(address) as scene:
        for index in np.random.default_rng(0).permutation(40)[:12].tolist():
            assert _digest(scene.read(index).picture) == played[index]
    with open_scene(address) as scene:
        assert _digest(scene.read(39).picture) == played[39]
    assert len(set(played)) == 40


def test_that_seeds_and_conditions_are_streets_of_their_own() -> None:
    pictures = set()
    for condition in ("day", "rain", "night"):
        for seed in range(4):
            with open_scene(f"scene:street?condition={condition}&seed={seed}&{SMALL}") as scene:
                pictures.add(_digest(scene.read(0).picture))
    assert len(pictures) == 12


def test_that_a_frame_is_read_only_and_of_the_size_asked_for() -> None:
    with open_scene("scene:street?size=512x300&frames=90") as scene:
        frame = scene.read(60)
        assert frame.size == scene.size == (300, 512)
        assert (frame.index, frame.time_s) == (60, 2.0)
        assert not frame.picture.flags.writeable
        assert (scene.length, scene.rate, scene.class_names) == (
            90,
            30.0,
            ("car", "truck", "person", "cyclist"),
        )
        assert scene.time_s(30) == 1.0
        for index in (-1, 90):
            with pytest.raises(IndexError, match="frames 0 to 89"):
                scene.read(index)
            with pytest.raises(IndexError):
                scene.truth(index)


def test_that_a_closed_scene_may_be_closed_again_and_read_again() -> None:
    scene = open_scene(f"scene:street?{SMALL}")
    before = _digest(scene.read(5).picture)
    scene.close()
    scene.close()
    assert _digest(scene.read(5).picture) == before


def test_that_mix_goes_from_day_through_rain_into_night_without_a_jump() -> None:
    with open_scene(f"scene:street?condition=mix&seed=9&frames=900&{SMALL}") as mixed:
        light = [float(mixed.read(index).picture.mean()) for index in range(0, 900, 12)]
    assert light[0] > 1.6 * light[-1]
    assert max(abs(b - a) for a, b in pairwise(light)) < 16.0
    for condition, index in (("day", 0), ("rain", 450), ("night", 899)):
        address = f"seed=9&frames=900&{SMALL}"
        with (
            open_scene(f"scene:street?condition=mix&{address}") as mixed,
            open_scene(f"scene:street?condition={condition}&{address}") as pure,
        ):
            assert np.array_equal(mixed.read(index).picture, pure.read(index).picture)


def test_that_truth_holds_every_class_near_and_far_and_keeps_inside_the_frame() -> None:
    heights: dict[int, list[float]] = {number: [] for number in range(len(CLASS_NAMES))}
    for seed in (3, 8, 12):
        with open_scene(f"scene:street?condition=day&seed={seed}&frames=1200") as scene:
            for index in range(0, 1200, 100):
                truth = scene.truth(index)
                assert truth is not None
                x0, y0, x1, y1 = truth.xyxy.T
                assert (x0 >= 0).all() and (y0 >= 0).all() and (x1 <= 1280).all() and (y1 <= 720).all()
                assert ((x1 - x0) >= 1).all() and ((y1 - y0) >= 1).all()
                counted = ~truth.ignore
                assert ((y1 - y0)[counted] * 416 / 1280 >= 8).all()
                for kind, high in zip(truth.class_id[counted], (y1 - y0)[counted], strict=True):
                    heights[int(kind)].append(float(high))
    for kind, values in heights.items():
        assert len(values) > 20, CLASS_NAMES[kind]
        assert min(values) < 40 and max(values) > 100, CLASS_NAMES[kind]


@pytest.mark.parametrize("condition", ["day", "rain", "night"])
def test_that_a_truth_box_bounds_what_is_drawn_of_its_object(
    condition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each object is left out once: what changes in the picture, apart from shadow, mirror image and glow, is its box."""
    index, checked = 20, 0
    with open_scene(f"scene:street?condition={condition}&seed=8&frames=300") as scene:
        whole = scene.read(index).picture.astype(np.int16)
        everybody = actors_at(street_of(8, 1280, 720), index / 30.0)
        for victim in everybody[::2]:
            others = [actor for actor in everybody if actor is not victim]
            found = _box_of(scene, index, victim, others, monkeypatch)
            if found is None or found[4]:
                continue
            monkeypatch.setattr(street_module, "actors_at", lambda street, time_s, left=others: left)
            difference = np.abs(scene.read(index).picture.astype(np.int16) - whole).max(2)
            monkeypatch.undo()
            x0, y0, x1, y1 = (round(float(value)) for value in found[:4])
            inside = difference[y0:y1, x0:x1] > 2
            assert inside.mean() > 0.2
            if condition == "day":
                # A shadow falls to the right and lies at the feet; above and to the left nothing else is drawn.
                strong = difference[: y1 - (y1 - y0) // 6] > 24
                rows, columns = np.nonzero(strong.any(1))[0], np.nonzero(strong.any(0))[0]
                assert rows[0] >= y0 - 2 and columns[0] >= x0 - 3
                assert inside.any(1).mean() > 0.6 and inside.any(0).mean() > 0.6
            checked += 1
    assert checked >= 4


def _box_of(
    scene: Source, index: int, victim: Actor, others: list[Actor], monkeypatch: pytest.MonkeyPatch
) -> tuple[float, float, float, float, bool] | None:
    """The victim's truth: the box that is there with it and not without it."""
    full = scene.truth(index)
    monkeypatch.setattr(street_module, "actors_at", lambda street, time_s: others)
    less = scene.truth(index)
    monkeypatch.undo()
    assert full is not None and less is not None
    rest = {tuple(box) for box in less.xyxy.tolist()}
    for box, kind, ignored in zip(full.xyxy.tolist(), full.class_id, full.ignore, strict=True):
        if tuple(box) not in rest and kind == victim.class_id:
            return box[0], box[1], box[2], box[3], bool(ignored)
    return None


def test_that_what_is_hidden_or_tiny_is_to_be_ignored() -> None:
    ignored = counted = 0
    with open_scene("scene:street?condition=day&seed=8&frames=900") as scene:
        for index in range(0, 900, 90):
            truth = scene.truth(index)
            assert truth is not None
            tiny = (truth.xyxy[:, 3] - truth.xyxy[:, 1]) * 416 / 1280 < 8
            assert truth.ignore[tiny].all()
            ignored += int(truth.ignore.sum())
            counted += int((~truth.ignore).sum())
    assert ignored > 10 and counted > 50


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("scene:harbour", ["no scene 'harbour'", "street"]),
        ("scene:", ["no scene ''", "street"]),
        ("scene:street?condition=fog", ["no condition 'fog'", "day, rain, night, mix"]),
        ("scene:street?sede=3", ["'sede=3'", "did you mean 'seed'", "condition=, seed=, frames=, size="]),
        ("scene:street?seed", ["'seed'", "condition=, seed=, frames=, size="]),
        ("scene:street?seed=-1", ["seed=-1", "whole number from 0"]),
        ("scene:street?frames=0", ["frames=0", "from 1"]),
        ("scene:street?size=1280", ["size=", "1280x720"]),
        ("scene:street?size=9x9", ["size=9", "from 64"]),
    ],
)
def test_that_a_bad_address_gets_one_line_that_lists_the_right_words(address: str, words: list[str]) -> None:
    with pytest.raises(BadUsage) as raised:
        open_scene(address)
    line = str(raised.value)
    assert "\n" not in line
    for word in words:
        assert word in line


def test_that_a_scene_is_a_street() -> None:
    assert isinstance(open_scene("scene:street"), StreetScene)
