"""What most notebooks of this environment import and use first, done once before any of them runs.

A template process runs it and is then forked for every run, so nothing here may start a
thread, open a connection, draw a random number or keep a secret.
"""

import io

import matplotlib.backends.backend_agg
import matplotlib.figure
import matplotlib.pyplot
import numpy
import pandas
import psycopg  # noqa: F401
import sqlalchemy  # noqa: F401

frame = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})
frame.groupby("b")["a"].sum().to_frame().to_html()
frame["when"] = pandas.to_datetime(["2026-01-01", "2026-02-01"])
frame.describe().to_html()
numpy.linalg.inv(numpy.eye(2))

figure = matplotlib.figure.Figure()
matplotlib.backends.backend_agg.FigureCanvasAgg(figure)
axes = figure.subplots()
axes.plot(frame["when"], frame["a"], label="a")
axes.set_title("Title")
axes.legend()
figure.savefig(io.BytesIO(), format="png", bbox_inches="tight")
