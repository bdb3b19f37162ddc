"use strict";
// Draws every element with data-chart (charts.Chart says what it holds) with uPlot. Drag to zoom
// along x, double click to see all again. Colours come from the style sheet's variables; a chart is
// drawn anew when its width or the colour scheme changes, and when its part of the page does.
(() => {
  const PLAIN_POINTS = 2000; // beyond as many, points are squares: a circle costs ten times as much
  const drawn = new Map(); // place -> plot
  const hidden = new Map(); // name of a chart -> labels that are switched off, kept over updates

  const variable = (name) =>
    getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  // A colour that follows the scheme has to be asked of an element that uses it.
  const colour = (name) => {
    const probe = document.createElement("span");
    probe.style.color = `var(--${name === "plain" ? "ink" : name})`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };
  const washed = (rgb, alpha) => rgb.replace(/^rgba?\(([^,)]+),([^,)]+),([^,)]+).*$/, `rgba($1,$2,$3,${alpha})`);

  // ---- how numbers are written -------------------------------------------------------------
  const places = (step) => Math.max(0, Math.min(12, Math.ceil(-Math.log10(step) - 1e-9)));
  const two = (number) => String(number).padStart(2, "0");
  const moment = (seconds) => {
    const at = new Date(seconds * 1000);
    return `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
  };
  const dollars = (value) => {
    const size = Math.abs(value);
    const sign = value < 0 ? "-" : "";
    if (size === 0) return "$0.0000";
    if (size < 0.01) return `${sign}$${size.toFixed(Math.min(20, 2 - Math.floor(Math.log10(size))))}`;
    return sign + (size < 100 ? `$${size.toFixed(4)}` : `$${size.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`);
  };
  const written = {
    number: (value) => value.toLocaleString("en", { maximumSignificantDigits: 6 }),
    percent: (value) => `${(100 * value).toFixed(1)} %`,
    usd: dollars,
    time: moment,
    milliseconds: (value) => (Math.abs(value) < 1000 ? `${+value.toPrecision(3)} ms` : `${(value / 1000).toFixed(1)} s`),
  };
  const along = {
    number: (value, step) => value.toLocaleString("en", { minimumFractionDigits: places(step), maximumFractionDigits: places(step) }),
    percent: (value, step) => `${(100 * value).toFixed(places(100 * step))} %`,
    usd: (value, step) => `$${value.toFixed(places(step))}`,
    milliseconds: (value, step) => (step >= 1000 ? `${(value / 1000).toFixed(places(step / 1000))} s` : `${value.toFixed(places(step))} ms`),
  };
  const TIMES = [
    [86400 * 365, "{YYYY}", null, null, null, null, null, null, 1],
    [86400 * 28, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
    [86400, "{D} {MMM}", "\n{YYYY}", null, null, null, null, null, 1],
    [3600, "{HH}:{mm}", "\n{D} {MMM} {YYYY}", null, "\n{D} {MMM}", null, null, null, 1],
    [60, "{HH}:{mm}", "\n{D} {MMM} {YYYY}", null, "\n{D} {MMM}", null, null, null, 1],
    [1, "{HH}:{mm}:{ss}", "\n{D} {MMM} {YYYY}", null, "\n{D} {MMM}", null, null, null, 1],
  ];

  // ---- what is drawn -------------------------------------------------------------------------
  // Room for the longest label beside an axis; uPlot asks again until nothing changes.
  const room = (plot, labels, side, cycle) => {
    const axis = plot.axes[side];
    if (cycle > 1) return axis._size;
    const longest = (labels ?? []).reduce((most, label) => (label?.length > most.length ? label : most), "");
    plot.ctx.font = axis.font[0];
    return Math.ceil(axis.ticks.size + axis.gap + plot.ctx.measureText(longest).width / devicePixelRatio) + 2;
  };

  const points = (size) => (plot, at, from, to) => {
    const path = new Path2D();
    const [xs, ys] = [plot.data[0], plot.data[at]];
    const side = size * devicePixelRatio;
    const { left, top, width, height } = plot.bbox;
    const [x, y] = [plot.scales.x, plot.scales.y];
    for (let row = from; row <= to; row++) {
      if (ys[row] == null) continue;
      const across = left + ((xs[row] - x.min) / (x.max - x.min)) * width;
      const down = top + (1 - (ys[row] - y.min) / (y.max - y.min)) * height;
      if (to - from > PLAIN_POINTS) path.rect(across - side / 2, down - side / 2, side, side);
      else {
        path.moveTo(across + side, down);
        path.arc(across, down, side, 0, 2 * Math.PI);
      }
    }
    return { stroke: null, fill: path, clip: null, flags: 1 };
  };

  // Bars of several series: beside each other over categories, over one another over numbers.
  const bars = (place, of, beside) => (plot, at, from, to) => {
    const path = new Path2D();
    const [xs, ys] = [plot.data[0], plot.data[at]];
    let gap = Infinity;
    for (let row = 1; row < xs.length; row++) gap = Math.min(gap, xs[row] - xs[row - 1]);
    if (!Number.isFinite(gap)) gap = plot.scales.x.max - plot.scales.x.min;
    const whole = Math.abs(plot.valToPos(xs[0] + gap, "x", true) - plot.valToPos(xs[0], "x", true));
    const used = Math.min(whole * (beside ? 0.75 : 0.94), (beside ? 60 * of : 90) * devicePixelRatio);
    const width = Math.max(1, beside ? used / of : used);
    const floor = plot.valToPos(Math.max(0, plot.scales.y.min), "y", true);
    for (let row = from; row <= to; row++) {
      if (ys[row] == null) continue;
      const across = plot.valToPos(xs[row], "x", true) - used / 2 + (beside ? place * width : 0);
      const top = plot.valToPos(ys[row], "y", true);
      path.rect(across, Math.min(top, floor), Math.max(1, width - (beside ? devicePixelRatio : 0)), Math.max(Math.abs(floor - top), ys[row] ? 1 : 0));
    }
    return { stroke: path, fill: path, clip: null, flags: 1 };
  };

  const whiskers = (plot, chart, colours, shown) => {
    const { ctx } = plot;
    chart.series.forEach((each, row) => {
      if (!each.low.length || each.draw === "line" || each.draw === "step" || !shown(row)) return;
      const of = chart.series.filter((other) => other.draw === "bars").length;
      ctx.strokeStyle = each.draw === "bars" ? variable("ink") && colours.ink : colours.series[row];
      ctx.lineWidth = 1.25 * devicePixelRatio;
      ctx.beginPath();
      chart.x.forEach((x, at) => {
        if (each.low[at] == null || each.high[at] == null) return;
        if (x < plot.scales.x.min || x > plot.scales.x.max) return;
        let across = plot.valToPos(x, "x", true);
        if (each.draw === "bars" && chart.categories.length && of > 1) {
          const whole = Math.abs(plot.valToPos(x + 1, "x", true) - across);
          const used = Math.min(whole * 0.75, 60 * of * devicePixelRatio);
          const place = chart.series.filter((other) => other.draw === "bars").indexOf(each);
          across += -used / 2 + (place + 0.5) * (used / of);
        }
        const [low, high, cap] = [plot.valToPos(each.low[at], "y", true), plot.valToPos(each.high[at], "y", true), 3 * devicePixelRatio];
        ctx.moveTo(across, low);
        ctx.lineTo(across, high);
        ctx.moveTo(across - cap, low);
        ctx.lineTo(across + cap, low);
        ctx.moveTo(across - cap, high);
        ctx.lineTo(across + cap, high);
      });
      ctx.stroke();
    });
  };

  const marks = (plot, chart, colours) => {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `${11 * ratio}px system-ui, sans-serif`;
    ctx.textAlign = "left";
    ctx.textBaseline = "alphabetic";
    let line = 0;
    for (const [x, label] of chart.marks) {
      const across = Math.round(plot.valToPos(x, "x", true));
      if (across < bbox.left - 1 || across > bbox.left + bbox.width + 1) continue;
      ctx.strokeStyle = colours.ink;
      ctx.lineWidth = 1.5 * ratio;
      ctx.setLineDash([5 * ratio, 4 * ratio]);
      ctx.beginPath();
      ctx.moveTo(across, bbox.top);
      ctx.lineTo(across, bbox.top + bbox.height);
      ctx.stroke();
      ctx.setLineDash([]);
      const wide = ctx.measureText(label).width;
      const fits = across + wide + 8 * ratio < bbox.left + bbox.width;
      const left = fits ? across + 5 * ratio : across - wide - 5 * ratio;
      const down = bbox.top + (12 + 14 * (line++ % 4)) * ratio;
      ctx.lineWidth = 4 * ratio;
      ctx.lineJoin = "round";
      ctx.strokeStyle = colours.panel;
      ctx.strokeText(label, left, down);
      ctx.fillStyle = colours.ink;
      ctx.fillText(label, left, down);
    }
    ctx.restore();
  };

  // ---- one chart -----------------------------------------------------------------------------
  function draw(place) {
    drawn.get(place)?.destroy();
    const chart = JSON.parse(place.dataset.chart);
    const figure = place.closest("figure");
    const foot = figure?.querySelector(".chart-foot");
    const off = hidden.get(figure?.id) ?? new Set();
    const colours = {
      ink: colour("ink"), faint: colour("faint"), line: colour("line"), panel: colour("panel"),
      series: chart.series.map((each) => colour(each.colour)),
    };
    const barSeries = chart.series.filter((each) => each.draw === "bars");
    const byCategory = chart.categories.length > 0;
    const data = [chart.x];
    const series = [{ label: chart.x_label }];
    const bands = [];
    const own = []; // places in `series` of each series: itself, and the ends of its band
    chart.series.forEach((each, row) => {
      const paint = colours.series[row];
      const show = !off.has(each.label);
      const mine = [series.length];
      const told = { label: each.label, show, stroke: paint, width: 1.75, points: { show: false }, spanGaps: false };
      if (each.draw === "points") {
        told.paths = points(chart.x.length > PLAIN_POINTS ? 2 : 2.75);
        told.fill = chart.x.length > PLAIN_POINTS ? washed(paint, 0.4) : washed(paint, 0.75);
        told.width = 0;
      } else if (each.draw === "bars") {
        told.paths = bars(barSeries.indexOf(each), barSeries.length, byCategory);
        told.fill = byCategory && barSeries.length === 1 ? washed(paint, 0.8) : washed(paint, byCategory ? 0.85 : 0.4);
        told.width = byCategory ? 0 : 1;
      } else {
        if (each.draw === "step") told.paths = uPlot.paths.stepped({ align: 1 });
        if (each.dashed) told.dash = [6, 4];
        else if (each.values.filter((value) => value != null).length < 60) told.points = { show: true, size: 5, fill: paint, width: 0 };
      }
      data.push(each.values);
      series.push(told);
      if (each.low.length && (each.draw === "line" || each.draw === "step")) {
        const end = { show, stroke: "transparent", width: 0, points: { show: false }, paths: told.paths };
        data.push(each.high, each.low);
        mine.push(series.length, series.length + 1);
        bands.push({ series: [series.length, series.length + 1], fill: washed(paint, 0.16) });
        series.push({ ...end, label: `${each.label}, high` }, { ...end, label: `${each.label}, low` });
      } else if (each.low.length) {
        // Whiskers are drawn by hand; the axis has to reach to their ends.
        const end = { show, stroke: "transparent", width: 0, points: { show: false }, paths: () => null };
        data.push(each.high, each.low);
        mine.push(series.length, series.length + 1);
        series.push({ ...end, label: `${each.label}, high` }, { ...end, label: `${each.label}, low` });
      }
      own.push(mine);
    });

    const shown = (row) => plot.series[own[row][0]].show;
    const xKind = byCategory ? "category" : chart.x_kind;
    const label = (value) => (xKind === "category" ? chart.categories[value] : written[xKind](value));
    const narrow = place.clientWidth < 480;
    const cut = (name, most) => (name.length > most ? `${name.slice(0, most - 1)}…` : name);
    const axis = {
      stroke: colours.faint, font: "12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
      labelFont: "12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", labelSize: 20,
      grid: { stroke: colours.line, width: 1 }, ticks: { stroke: colours.line, width: 1, size: 5 },
    };
    const spread = (chart.x.at(-1) ?? 1) - (chart.x[0] ?? 0);
    const readout = document.createElement("span");
    const options = {
      width: place.clientWidth || 600,
      height: figure?.classList.contains("small") ? 150 : narrow ? 220 : 250,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      legend: { show: false },
      padding: [10, 14, 0, 0],
      scales: {
        x: {
          time: xKind === "time",
          range: (_, low, high) => {
            if (byCategory) return [-0.6, chart.x.length - 0.4];
            if (low == null) return [0, 1];
            const step = barSeries.length && chart.x.length > 1 ? spread / (chart.x.length - 1) / 2 : 0;
            if (low === high) return xKind === "time" ? [low - 43200, high + 43200] : [low - 0.5, high + 0.5];
            return [low - step, high + step];
          },
        },
        y: {
          range: (_, low, high) => {
            if (chart.y_range) return chart.y_range;
            if (low == null) return [0, 1];
            const base = barSeries.length || (low >= 0 && low < high * 0.6) ? Math.min(0, low) : low;
            const [from, to] = uPlot.rangeNum(base, high === base ? base + (Math.abs(base) || 1) : high, 0.08, true);
            const [least, most] = [base >= 0 ? Math.max(0, from) : from, chart.y_kind === "percent" && high <= 1 ? Math.min(1, to) : to];
            return [least, most];
          },
        },
      },
      axes: [
        {
          ...axis, label: chart.x_label, size: xKind === "time" ? 44 : 32, space: xKind === "time" ? 70 : xKind === "usd" ? 80 : 56,
          ...(xKind === "time" ? { values: TIMES } : {}),
          ...(byCategory
            ? {
                grid: { show: false },
                splits: () => chart.x,
                values: (_, splits) => {
                  const wide = (place.clientWidth - 70) / Math.max(1, chart.x.length);
                  const every = Math.max(1, Math.ceil(48 / wide));
                  return splits.map((at) => (at % every ? "" : cut(chart.categories[at], Math.max(5, Math.floor((wide * every) / 7)))));
                },
              }
            : xKind === "time" ? {} : { values: (_, splits, __, ___, step) => splits.map((value) => along[xKind](value, step)) }),
        },
        {
          ...axis, label: chart.y_label, size: room, space: 34,
          values: (_, splits, __, ___, step) => splits.map((value) => along[chart.y_kind === "time" ? "number" : chart.y_kind](value, step)),
        },
      ],
      cursor: {
        drag: { x: !byCategory, y: false, setScale: !byCategory },
        points: { show: (_, at) => series[at].stroke !== "transparent" && series[at].width !== 0, size: 7 },
      },
      series,
      bands,
      data,
      hooks: {
        draw: [
          (plot) => {
            whiskers(plot, chart, colours, (row) => plot.series[own[row][0]].show);
            marks(plot, chart, colours);
          },
        ],
        setCursor: [
          (plot) => {
            const at = plot.cursor.idx;
            if (at == null || plot.cursor.left < 0) {
              readout.textContent = "";
              return;
            }
            const said = chart.series.flatMap((each, row) => {
              const value = each.values[at];
              if (value == null || !plot.series[own[row][0]].show) return [];
              const write = written[chart.y_kind];
              const ends = each.low[at] != null && each.high[at] != null ? ` (${write(each.low[at])} … ${write(each.high[at])})` : "";
              return [`${each.label} ${write(value)}${ends}`];
            });
            readout.textContent = said.length ? `${label(chart.x[at])}: ${said.join(" · ")}` : "";
          },
        ],
        setScale: [
          (plot, which) => {
            if (which !== "x" || byCategory) return;
            place.classList.toggle("zoomed", plot.scales.x.max - plot.scales.x.min < spread * 0.999);
          },
        ],
      },
    };
    place.replaceChildren();
    const plot = new uPlot(options, data, place);
    drawn.set(place, plot);
    place.drawnWidth = place.clientWidth;
    if (foot) {
      readout.className = "readout";
      foot.replaceChildren(readout);
      if (chart.series.length > 1) foot.prepend(legend(chart, colours, plot, own, off, figure.id));
    }
    return plot;
  }

  function legend(chart, colours, plot, own, off, name) {
    const list = document.createElement("ul");
    list.className = "legend";
    chart.series.forEach((each, row) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", String(!off.has(each.label)));
      button.append(sign(each, colours.series[row]), each.label);
      button.addEventListener("click", () => {
        const on = button.getAttribute("aria-pressed") === "false";
        button.setAttribute("aria-pressed", String(on));
        if (on) off.delete(each.label);
        else off.add(each.label);
        hidden.set(name, off);
        plot.batch(() => own[row].forEach((at) => plot.setSeries(at, { show: on })));
      });
      const item = document.createElement("li");
      item.append(button);
      list.append(item);
    });
    return list;
  }

  // A line, a dashed line, dots or a bar: series are told apart by their form as well.
  function sign(each, paint) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 20 10");
    svg.setAttribute("aria-hidden", "true");
    const part = (name, of) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(of)) made.setAttribute(key, value);
      svg.append(made);
    };
    if (each.draw === "points") for (const x of [4, 10, 16]) part("circle", { cx: x, cy: x === 10 ? 3 : 7, r: 2, fill: paint });
    else if (each.draw === "bars") part("rect", { x: 4, y: 1, width: 12, height: 8, fill: washed(paint, 0.6), stroke: paint });
    else part("path", { d: each.draw === "step" ? "M1 8 H10 V2 H19" : "M1 5 H19", stroke: paint, "stroke-width": 2.5, fill: "none", "stroke-dasharray": each.dashed ? "4 3" : "none" });
    return svg;
  }

  // ---- when ----------------------------------------------------------------------------------
  const resized = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.clientWidth && Math.abs(target.clientWidth - target.drawnWidth) > 1) again(target);
    }
  });
  const waiting = new Set();
  const again = (place) => {
    if (!waiting.size) requestAnimationFrame(() => {
      for (const each of [...waiting]) if (each.isConnected) draw(each);
      waiting.clear();
    });
    waiting.add(place);
  };

  window.drawCharts = (root) => {
    for (const [place, plot] of drawn) {
      if (place.isConnected) continue;
      plot.destroy();
      resized.unobserve(place);
      drawn.delete(place);
    }
    const places = root.matches?.("[data-chart]") ? [root] : root.querySelectorAll("[data-chart]");
    for (const place of places) {
      if (drawn.has(place)) continue;
      draw(place);
      resized.observe(place);
    }
  };
  window.chartOf = (name) => drawn.get(document.getElementById(name)?.querySelector("[data-chart]"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const place of drawn.keys()) again(place);
  });
  window.drawCharts(document);
})();
