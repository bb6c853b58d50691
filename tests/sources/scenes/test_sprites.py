"""Sprites: what is drawn of an object alone fills its box and nothing else, and blending is exact."""

from __future__ import annotations

import numpy as np
import pytest

from trtviewer.sources.scenes.chance import Chance, bell, clouds, hashed, wave
from trtviewer.sources.scenes.people import PHASES, person_design, person_sprite
from trtviewer.sources.scenes.sprite import Sprite, blend, draw, place
from trtviewer.sources.scenes.vehicles import car_design, truck_design, vehicle_sprite
from trtviewer.sources.scenes.weather import Ground

BARE = Ground("bare", 0.0, 0, 0, 0)


def _sprites() -> list[tuple[str, Sprite]]:
    chance, found = Chance(1), []
    for number in range(6):
        for distance in (14.0, 40.0):
            design = car_design(chance) if number % 2 else truck_design(chance)
            sprite = vehicle_sprite(
                design,
                forward=number % 3 == 0,
                aside=number * 2.0 - 5,
                eye=6.0,
                distance=distance,
                focal=1200.0,
                ground=BARE,
            )
            found.append((f"{design.kind} at {distance}", sprite))
        for heading in (-1, 1, 2, -2):
            who = person_design(chance, number % 2 == 0)
            sprite = person_sprite(who, heading=heading, phase=number % PHASES, scale=30.0, ground=BARE)
            found.append((f"person {heading} rides {who.rides}", sprite))
    return found


@pytest.mark.parametrize("scale", [1.0, 0.9, 0.7])
def test_that_an_object_without_its_shadow_fills_its_box_and_nothing_else(scale: float) -> None:
    for name, sprite in _sprites():
        picture = np.zeros((900, 1400, 3), np.uint8)
        placed = place(sprite, 700.0, 600.0, scale)
        draw(picture, placed, np.full((256, 1, 3), 255, np.uint8))
        rows, columns = np.nonzero(picture.max(2).max(1) > 120)[0], np.nonzero(picture.max(2).max(0) > 120)[0]
        drawn = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
        assert np.abs(drawn - np.array(placed.box)).max() <= 2.0, name


def test_that_feet_and_wheels_stand_at_the_anchor() -> None:
    for name, sprite in _sprites():
        if name.startswith("person"):
            assert abs(sprite.box[3] - sprite.anchor[1]) < 5, name
            assert sprite.box[0] < sprite.anchor[0] < sprite.box[2], name


def test_that_blending_is_the_whole_number_formula() -> None:
    chance = np.random.default_rng(3)
    target = chance.integers(0, 256, (40, 50, 3)).astype(np.uint8)
    colour = chance.integers(0, 256, (40, 50, 3)).astype(np.uint8)
    alpha = chance.integers(0, 256, (40, 50)).astype(np.uint8)
    expected = target.astype(int)
    for row in range(40):
        for column in range(50):
            weight = (int(alpha[row, column]) + 1) // 2
            for channel in range(3):
                step = (int(colour[row, column, channel]) - int(target[row, column, channel])) * weight + 64
                expected[row, column, channel] += step // 128
    blend(target, colour, alpha)
    assert np.array_equal(target, expected)


def test_that_a_sprite_outside_the_frame_changes_nothing() -> None:
    picture = np.full((60, 80, 3), 9, np.uint8)
    sprite = _sprites()[0][1]
    for x, y in ((-2000.0, 30.0), (3000.0, 30.0), (40.0, -2000.0), (40.0, 4000.0)):
        draw(picture, place(sprite, x, y, 1.0), None)
    assert (picture == 9).all()


def test_that_hashed_chance_is_what_it_always_was() -> None:
    assert hashed(1, 2, 3) == 17535407170941933615
    chance = Chance(7)
    assert [chance.whole(0, 9) for _ in range(12)] == [2, 8, 8, 5, 5, 6, 8, 0, 9, 9, 5, 9]
    assert bell(Chance(7).generator(), (4,), 5).tolist() == [-3, 11, 1, 11]
    assert int(clouds(Chance(7).generator(), 20, 30, 4, 3).astype(int).sum()) == 78680


def test_that_chance_is_even() -> None:
    chance = Chance(11)
    values = np.array([chance.between(0.0, 1.0) for _ in range(4000)])
    assert abs(values.mean() - 0.5) < 0.02 and abs(values.std() - 12**-0.5) < 0.01
    assert abs(np.mean([chance.happens(0.3) for _ in range(4000)]) - 0.3) < 0.03


def test_that_the_wave_is_a_sine_within_two_thousandths() -> None:
    for turns in np.linspace(-2, 3, 501):
        assert abs(wave(float(turns)) - np.sin(2 * np.pi * turns)) < 0.002
