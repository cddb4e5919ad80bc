"""A run's newest figures for the textfile collector of Prometheus' node exporter.

Source: https://github.com/prometheus/node_exporter#textfile-collector
"""

import pathlib

import prometheus_client

from anonygan_jax.io.atomic_write import named
from anonygan_jax.training.status import TrainingRun


def write_textfile(path: pathlib.Path, name: str, run: TrainingRun) -> None:
    """Writes a file atomically.

    Gauges with the label run: anonygan_step, anonygan_num_steps, anonygan_alerts, and
    anonygan_metric with one more label, metric, for everything that was logged.

    Args:
      path: ends with ".prom".
      name: of the run.
      run: its config and metrics.

    Raises:
      OSError: the file cannot be written.
    """
    registry = prometheus_client.CollectorRegistry()
    counts = {
        "step": ("Step logged last", run.step),
        "num_steps": ("Steps of the whole run", run.num_steps),
        "alerts": ("Signs of divergence", len(run.alerts())),
    }
    for key, (text, value) in counts.items():
        gauge = prometheus_client.Gauge(
            f"anonygan_{key}", text, ["run"], registry=registry
        )
        gauge.labels(name).set(value)
    metric = prometheus_client.Gauge(
        "anonygan_metric", "Value logged last", ["run", "metric"], registry=registry
    )
    newest = {key: value for line in run.lines for key, value in line.items()}
    for key in newest.keys() - {"step"}:
        metric.labels(name, key).set(newest[key])
    try:  # its temporary file does not end with .prom: nobody reads it
        prometheus_client.write_to_textfile(str(path), registry)
    except OSError as error:
        raise named(error, path) from error
