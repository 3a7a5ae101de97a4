"""Plotly on the page: a chart lives on in the browser while its data moves, so that zoom, hover and a drag last.

Streamlit's own ``st.plotly_chart`` counts the data to a chart's identity and builds it anew with every change. This one
is a component of ours over the ``plotly.min.js`` that Plotly's package brings, served by this page's own server.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

from monitor.web.drawing.figures import Figure, Plotly

PROJECT: Final = "tradebyte"
SCRIPT: Final = """
const address = new URL('_stcore/bidi-components/tradebyte.plotly/plotly.min.js', document.baseURI).href;
const charts = new WeakMap();

function themed(layout, element) {
  const style = getComputedStyle(element);
  const dark = getComputedStyle(document.querySelector('.stApp')).colorScheme.includes('dark');
  const line = dark ? '#2c3846' : '#d5dbe3';
  const axis = {gridcolor: line, zerolinecolor: line, linecolor: line};
  return {
    ...layout, paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
    font: {family: style.fontFamily, color: style.color, size: 12}, dragmode: layout.dragmode ?? 'zoom',
    xaxis: {...axis, ...layout.xaxis, showgrid: false}, yaxis: {...axis, ...layout.yaxis},
  };
}

export default async function ({ data, parentElement }) {
  const element = parentElement.querySelector('.tb-chart');
  const chart = charts.get(element) ?? {};
  charts.set(element, chart);
  chart.newest = data;
  element.style.height = `${data.figure.layout.height}px`;
  if (!window.Plotly) await import(address);
  if (chart.newest !== data) return;  // overtaken while the script was loading
  await window.Plotly.react(element, data.figure.data, themed(data.figure.layout, element), data.config);
  if (!chart.watch) {
    chart.watch = new ResizeObserver(() => element.isConnected && window.Plotly.Plots.resize(element));
    chart.watch.observe(element);
  }
  return () => setTimeout(() => {
    if (element.isConnected) return;
    chart.watch?.disconnect();
    window.Plotly.purge(element);
  }, 0);
}
"""


@functools.cache
def _assets() -> None:
    """Have the server hand out Plotly's script; once per server."""
    plotly = importlib.util.find_spec("plotly")
    assert plotly is not None
    assert plotly.origin is not None
    manifest = ComponentManifest(PROJECT, "", [ComponentConfig("plotly", "package_data")])
    get_bidi_component_manager().register_from_manifest(manifest, Path(plotly.origin).parent)


@functools.cache
def _component() -> Callable[..., object]:
    _assets()
    return st.components.v2.component(
        f"{PROJECT}.chart", html='<div class="tb-chart"></div>', js=SCRIPT, isolate_styles=False
    )


def show(figure: Figure, config: Plotly, key: str) -> None:
    """Draw a figure, or update the one of this key with new data."""
    _component()(key=key, data={"figure": figure, "config": config}, height="content")
