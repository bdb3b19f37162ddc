"use strict";
// Draws every element with data-chart; see pages.Chart for what it holds.
window.drawCharts = (root) => {
  for (const place of root.querySelectorAll("[data-chart]")) {
    if (place.firstChild) continue;
    const chart = JSON.parse(place.dataset.chart);
    const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name === "plain" ? "ink" : name}`).trim();
    const series = chart.series.map((each) => ({ label: each.label, stroke: colour(each.colour) }));
    const options = { width: place.clientWidth || 600, height: 240, scales: { x: { time: chart.x_kind === "time" } }, series: [{ label: chart.x_label }, ...series] };
    new uPlot(options, [chart.x, ...chart.series.map((each) => each.values)], place);
  }
};
window.drawCharts(document);
