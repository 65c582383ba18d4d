"""Faces side by side, a row a person, in a picture of bounded size."""

import numpy as np

from builders.namespaces import random_chip
from edged.vision.contact_sheet import ACROSS, CELL_PX, MOST_ROWS, Row, contact_sheet


def a_chip(colour):
    return np.full((150, 150, 3), colour, np.uint8)


def test_every_face_is_on_the_sheet_in_its_colours():
    red, green = a_chip((250, 0, 0)), a_chip((0, 250, 0))

    sheet = contact_sheet([Row("somebody", [(red, "one"), (green, "two")])])

    assert (sheet == (0, 0, 250)).all(axis=2).sum() >= CELL_PX * CELL_PX * 0.9, "BGR"
    assert (sheet == (0, 250, 0)).all(axis=2).sum() >= CELL_PX * CELL_PX * 0.9


def test_a_row_goes_on_in_the_next_line():
    face = (random_chip(1), "q0.80")

    one = contact_sheet([Row("somebody", [face] * ACROSS)])
    two = contact_sheet([Row("somebody", [face] * (ACROSS + 1))])

    assert one.shape[1] == two.shape[1]
    assert two.shape[0] > one.shape[0] + CELL_PX


def test_the_sheet_is_bounded():
    sheet = contact_sheet([Row("Öre", [(None, "no chip")])] * (MOST_ROWS + 30))

    assert sheet.shape[0] <= MOST_ROWS * 170


def test_a_group_without_faces_still_has_its_title():
    sheet = contact_sheet([Row("nobody's face was kept", [])])

    assert sheet.min() < 100
