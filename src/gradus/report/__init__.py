"""Dataset, predictions and map into one HTML file."""

from gradus.report.content import Map, Network, Predictions, ReportContent
from gradus.report.page import render_report, write_report
from gradus.report.static_map import draw_map

__all__ = ["Map", "Network", "Predictions", "ReportContent", "draw_map", "render_report", "write_report"]
