"""Dataset, predictions and map into one HTML file."""

from gradus.report.content import Map, Predictions, ReportContent

__all__ = ["Map", "Predictions", "ReportContent"]
