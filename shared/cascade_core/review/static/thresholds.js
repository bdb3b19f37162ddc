"use strict";
// Moves a threshold and shows what it would change: sliders beside the number fields, answers from
// /thresholds/answer, or on a page from disk from the grid of answers that it brings with it.
(() => {
  const form = document.getElementById("sliders");
  if (!form) return;
  const held = document.getElementById("answers-on-disk");
  const onDisk = held && JSON.parse(held.textContent);
  const refused = document.getElementById("refused");
  let plot = document.querySelector("#curve [data-chart]");
  const drawn = plot && JSON.parse(plot.dataset.chart);
  let asked = 0, under = null, later = null;

  const ranges = () => form.querySelectorAll("input[type=range]");
  const stopsOf = (range) => JSON.parse(range.dataset.stops);
  const nearest = (stops, value) => {
    let best = 0;
    stops.forEach((stop, at) => { if (Math.abs(stop - value) < Math.abs(stops[best] - value)) best = at; });
    return best;
  };

  for (const range of ranges()) {
    range.hidden = false;
    if (onDisk) {
      const own = onDisk.sliders[document.getElementById(range.dataset.of).name];
      if (!own) continue;
      range.dataset.stops = JSON.stringify(own.stops);
      range.max = own.stops.length - 1;
      range.value = nearest(own.stops, Number(document.getElementById(range.dataset.of).value));
    }
  }

  form.addEventListener("input", (event) => {
    const input = event.target;
    if (input.type === "range") {
      const field = document.getElementById(input.dataset.of);
      field.value = stopsOf(input)[Number(input.value)];
      input.setAttribute("aria-valuetext", field.value);
      ask(field);
    } else if (input.type === "number") {
      for (const range of ranges()) {
        if (range.dataset.of !== input.id || input.value === "") continue;
        range.value = nearest(stopsOf(range), Number(input.value));
        range.setAttribute("aria-valuetext", input.value);
      }
      ask(input);
    }
  });
  document.getElementById("add")?.addEventListener("change", (event) => { if (event.target.value && !onDisk) form.requestSubmit(); });
  form.addEventListener("submit", (event) => {
    if (document.getElementById("add")?.value && !onDisk) return;
    event.preventDefault();
    ask(null);
  });

  async function ask(moved) {
    if (onDisk) return fromDisk(moved);
    const query = new URLSearchParams(new FormData(form));
    const number = ++asked;
    under?.abort();
    under = new AbortController();
    form.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(`${form.dataset.answer}?${query}`, { signal: under.signal });
      const found = await answer.json();
      if (number !== asked) return; // a later one is under way
      refused.hidden = answer.ok;
      refused.textContent = answer.ok ? "" : found.error;
      if (!answer.ok) return;
      show(found);
      history.replaceState(null, "", `${form.getAttribute("action")}?${query}`);
      take();
    } catch (error) {
      if (error.name === "AbortError" || number !== asked) return;
      refused.hidden = false;
      refused.textContent = "The review does not answer: is cascade review still running?";
    } finally {
      if (number === asked) form.removeAttribute("aria-busy");
    }
  }

  // One slider's answers are there, with the others as they were: those go back.
  function fromDisk(moved) {
    const field = moved ?? document.getElementById(ranges()[0].dataset.of);
    const own = onDisk.sliders[field.name];
    if (!own) return;
    for (const range of ranges()) {
      const other = document.getElementById(range.dataset.of);
      if (other !== moved) other.value = other.defaultValue;
      range.value = nearest(stopsOf(range), Number(other.value));
      range.setAttribute("aria-valuetext", other.value);
    }
    const answer = own.answers[nearest(own.stops, Number(field.value))];
    show({ ...answer, examples: answer.examples.map((each) => ({ ...each, ...onDisk.examples[each.id] })) });
  }
  form.addEventListener("reset", () => setTimeout(() => ask(null)));

  function show(found) {
    for (const place of document.querySelectorAll("[data-figure]")) {
      const [name, part] = place.dataset.figure.split(".");
      const text = found.figures[name]?.[part];
      if (text !== undefined) place.textContent = text;
    }
    document.getElementById("sides").textContent = found.sides;
    document.getElementById("examples").replaceChildren(...found.examples.map(example));
    document.getElementById("promise")?.replaceChildren(...found.promise.map((said) => element("li", said)));
    if (plot && drawn) redraw(found.point);
    clearTimeout(later);
    later = setTimeout(() => { const status = document.getElementById("status"); if (status) status.textContent = found.said; }, 600);
  }

  function example(each) {
    const item = element("li");
    const place = element(each.address ? "a" : "span", each.confidence);
    if (each.address) place.href = each.address;
    item.append(place, " ", element("span", each.move));
    if (each.class) item.append(" ", element("span", each.class, "badge"));
    if (each.text) { const asked = element("span", each.text, "asked"); asked.dir = "auto"; item.append(" ", asked); }
    return item;
  }

  function element(name, text, kind) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  }

  // The chart with the point of the sliders somewhere else; lines go on where it comes between.
  function redraw(point) {
    const chart = structuredClone(drawn);
    const sliders = chart.series.find((each) => each.label === "sliders");
    for (const column of ["values", "low", "high"]) sliders[column] = sliders[column].map(() => null);
    if (point && point[0] !== null) {
      let at = chart.x.findIndex((x) => x >= point[0]);
      if (at < 0) at = chart.x.length;
      if (chart.x[at] !== point[0]) {
        const part = (point[0] - chart.x[at - 1]) / (chart.x[at] - chart.x[at - 1]);
        for (const series of chart.series) {
          const [before, after] = [series.values[at - 1], series.values[at]];
          const known = series.draw === "line" && before !== null && after !== null && before !== undefined && after !== undefined;
          series.values.splice(at, 0, known ? before + part * (after - before) : null);
          for (const column of ["low", "high"]) if (series[column].length) series[column].splice(at, 0, null);
        }
        chart.x.splice(at, 0, point[0]);
      }
      sliders.values[at] = point[1];
      if (sliders.low.length) { sliders.low[at] = point[2]; sliders.high[at] = point[3]; }
    }
    const fresh = plot.cloneNode(false);
    fresh.dataset.chart = JSON.stringify(chart);
    plot.replaceWith(fresh);
    plot = fresh;
    window.drawCharts?.(fresh);
  }

  // What is used is what the fields say when the button is pressed.
  function take() {
    const fields = document.getElementById("use-fields");
    if (!fields) return;
    const made = [];
    for (const field of form.querySelectorAll(".threshold input[type=number]")) {
      const hidden = document.createElement("input");
      hidden.type = "hidden";
      hidden.name = field.name;
      hidden.value = field.value;
      made.push(hidden);
    }
    fields.replaceChildren(...made);
  }
  document.getElementById("use")?.addEventListener("submit", take);
})();
