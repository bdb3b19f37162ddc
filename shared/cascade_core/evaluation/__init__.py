"""What a cascade gives and costs, read off labelled rows: curves, figures and their intervals."""

from cascade_core.evaluation.baselines import oracle, random_line
from cascade_core.evaluation.curve import Axis, Curve, Point
from cascade_core.evaluation.curve_intervals import curve_intervals
from cascade_core.evaluation.labelled import cost_quality_curve
from cascade_core.evaluation.means import Means
from cascade_core.evaluation.replaying import Replay, replay
from cascade_core.evaluation.sweeping import sweep
from cascade_core.statistics.bootstrap import Interval, Resamples, interval, mean_interval
from cascade_core.statistics.metrics import RiskCoverage, auroc, risk_coverage
from cascade_core.statistics.reliability import Reliability, ece, ece_noise_floor, reliability

__all__ = [
    "Axis",
    "Curve",
    "Interval",
    "Means",
    "Point",
    "Reliability",
    "Replay",
    "Resamples",
    "RiskCoverage",
    "auroc",
    "cost_quality_curve",
    "curve_intervals",
    "ece",
    "ece_noise_floor",
    "interval",
    "mean_interval",
    "oracle",
    "random_line",
    "reliability",
    "replay",
    "risk_coverage",
    "sweep",
]
