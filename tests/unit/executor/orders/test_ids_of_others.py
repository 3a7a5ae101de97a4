"""Client ids that are none of ours."""

from __future__ import annotations

import pytest

from executor.orders import ids


@pytest.mark.parametrize("text", [None, "", "client-zero", "T" * 18 + "X"])
def test_an_order_without_an_id_of_ours_is_somebody_elses(text: str | None) -> None:
    assert ids.parse(text) is None
