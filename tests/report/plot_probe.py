"""Where a row's point is on the screen, and what the page shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from gradus.report import ReportContent

_RANGES = """() => {
  const plot = [...Bokeh.index.roots][0].model;
  const box = document.querySelector("#plot").getBoundingClientRect();
  const border = document.querySelector("#plot").clientLeft;
  return [plot.x_range.start, plot.x_range.end, plot.y_range.start, plot.y_range.end,
          box.left + border, box.top + border, box.width - 2 * border, box.height - 2 * border];
}"""
_PICTURE = """(canvas) => {
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return [canvas.height, canvas.width, ...data.filter((_, i) => i % 4 === 0)];
}"""


@dataclass
class Plot:
    """The map of a page, addressed by dataset row."""

    page: Any
    content: ReportContent

    def settle(self) -> None:
        self.page.wait_for_timeout(450)

    def show(self) -> Plot:
        self.page.locator("#plot").scroll_into_view_if_needed()
        self.settle()
        return self

    def pixels(self) -> np.ndarray:
        """(n, 2) places of the rows' points in the window."""
        x0, x1, y0, y1, left, top, width, height = self.page.evaluate(_RANGES)
        x, y = self.content.map.positions.astype(float).T
        return np.stack([left + (x - x0) / (x1 - x0) * width, top + (y1 - y) / (y1 - y0) * height], 1)

    def lonely(self, among: np.ndarray, number: int) -> list[int]:
        """Rows of ``among`` (positions) whose points are farthest from any other point of ``among``."""
        places = self.pixels()[among]
        distance = cKDTree(places).query(places, k=2)[0][:, 1]
        return [int(row) for row in among[np.argsort(-distance)[:number]]]

    def hover(self, row: int) -> str:
        """Point at a row; return the row id that the card shows."""
        x, y = self.pixels()[row].tolist()
        self.page.mouse.move(x - 3, y - 40)
        self.page.mouse.move(x, y)
        self.page.wait_for_timeout(120)
        card = self.page.locator("#tooltip")
        return card.locator("dd").first.text_content() if card.is_visible() else ""

    def card_picture(self) -> np.ndarray:
        self.page.wait_for_timeout(250)
        height, width, *values = self.page.locator("#tooltip canvas").evaluate(_PICTURE)
        return np.array(values).reshape(height, width)

    def drag(self, corners: list[tuple[float, float]]) -> None:
        """Press at the first place of the window, pass by the others, and let go."""
        mouse = self.page.mouse
        mouse.move(*map(float, corners[0]))
        mouse.down()
        for corner in corners[1:]:
            mouse.move(*map(float, corner), steps=4)
        mouse.up()
        self.settle()
