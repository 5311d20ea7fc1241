import itertools

import numpy as np
import pytest

from gradus.report.label_places import FARTHEST, place_labels


@pytest.mark.parametrize("crowd", [1, 20, 60])
def test_no_two_labels_overlap_and_all_are_inside_and_near_their_anchors(crowd):
    generator = np.random.default_rng(0)
    anchors = 500 + 60 * generator.normal(size=(crowd, 2))
    sizes = np.stack([generator.uniform(30, 150, crowd), np.full(crowd, 16.0)], 1)
    places = place_labels(anchors, sizes, (1000, 1000))
    assert None not in places
    assert places[0] == tuple(anchors[0])
    boxes = [
        (np.array(place) - size / 2, np.array(place) + size / 2) for place, size in zip(places, sizes, strict=True)
    ]
    for (low, high), (other_low, other_high) in itertools.combinations(boxes, 2):
        assert (high <= other_low).any() or (other_high <= low).any()
    for (low, high), anchor in zip(boxes, anchors, strict=True):
        assert (low >= 0).all() and (high <= 1000).all()
        assert np.linalg.norm((low + high) / 2 - anchor) <= FARTHEST


def test_a_label_at_the_edge_is_moved_inside_and_one_without_room_is_left_out():
    assert place_labels(np.array([[0.0, 100.0]]), np.array([[50.0, 10.0]]), (100, 100)) == [(26.5, 93.5)]
    assert place_labels(np.array([[50.0, 50.0]]), np.array([[200.0, 10.0]]), (100, 100)) == [None]
    full = place_labels(np.full((30, 2), 50.0), np.full((30, 2), 40.0), (100, 100))
    assert full[0] == (50.0, 50.0) and None in full
