"use strict";
// The queue by keyboard. A label leaves its decision's row at once and is sent in the background,
// one after another in order; where the server does not answer it waits, is tried again, and
// survives a reload of the page. Without this script every row is a form with buttons.
(() => {
  const list = document.getElementById("queue");
  if (!list || !list.dataset.csrf) return;
  const STORE = "cascade-queue";
  const rows = [...list.children];
  const keys = document.getElementById("use-keys");
  const help = document.getElementById("keys");
  const words = { 1: "good", 0: "bad" };
  const history = []; // rows that were labelled, the last one last
  let waiting = []; // what is still to be sent, in order
  let sending = false;
  let tries = 0;

  for (const each of document.querySelectorAll(".keys-only")) each.hidden = false;
  list.classList.add("by-keys");
  try { keys.checked = localStorage.getItem(STORE) !== "off"; } catch { /* not kept */ }
  keys.addEventListener("change", () => {
    try { localStorage.setItem(STORE, keys.checked ? "on" : "off"); } catch { /* not kept */ }
  });

  // ---- where one is ------------------------------------------------------------------------------
  const open = () => rows.filter((row) => !row.hidden);
  const current = () => rows.find((row) => row.getAttribute("aria-current") === "true" && !row.hidden);
  const titleOf = (row) => row.querySelector("h2").textContent.trim().slice(0, 60);
  function mark(row) {
    for (const each of rows) {
      each.tabIndex = each === row ? 0 : -1;
      if (each === row) each.setAttribute("aria-current", "true");
      else each.removeAttribute("aria-current");
    }
  }
  function go(row) {
    if (!row) return;
    mark(row);
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }
  function step(by) {
    const there = open();
    const at = there.indexOf(current());
    go(there[Math.min(there.length - 1, Math.max(0, at + by))]);
  }
  function told() {
    const left = open().length;
    document.getElementById("queue-end").hidden = left > 0;
    document.getElementById("left-here").textContent = `${left} left here`;
  }
  list.addEventListener("focusin", (event) => {
    const row = event.target.closest("#queue > li");
    if (row) mark(row);
  });

  // ---- labelling ---------------------------------------------------------------------------------
  function label(row, quality, correction = {}) {
    const there = open();
    const next = there[there.indexOf(row) + 1] ?? there[there.indexOf(row) - 1];
    const said = words[quality] ?? String(quality);
    row.hidden = true;
    history.push(row);
    send({
      path: list.dataset.label, row: row.id, said, title: titleOf(row),
      fields: { id: row.dataset.id, quality, ...correction, by: document.getElementById("by").value, key: crypto.randomUUID() },
    });
    told();
    if (next) go(next);
    else document.getElementById("queue-end").focus();
  }
  function undo() {
    const row = history.pop();
    if (!row) { window.cascade.say("There is nothing to take back."); return; }
    const last = waiting.findLastIndex((each) => each.row === row.id && each.path === list.dataset.label);
    if (last > 0 || (last === 0 && !sending)) {
      waiting.splice(last, 1); // it never left
      keep();
      window.cascade.say(`Taken back: ${titleOf(row)}`);
    } else {
      send({ path: list.dataset.undo, row: row.id, said: "", title: titleOf(row), fields: { id: row.dataset.id } });
    }
    row.hidden = false;
    told();
    go(row);
  }
  function correct(row) {
    const details = row.querySelector("details.correct");
    details.open = true;
    const field = details.querySelector("textarea");
    field.focus();
    // Typing replaces the answer that was given, an arrow key goes on in it; what was written is kept.
    if (field.value === field.defaultValue) field.select();
    else field.setSelectionRange(field.value.length, field.value.length);
  }
  function keepCorrection(row) {
    const between = row.querySelector("[name=between]");
    if (!between.reportValidity()) return;
    label(row, Number(between.value), { quality: "between", between: between.value, corrected: row.querySelector("textarea").value });
  }

  // ---- sending, in order ---------------------------------------------------------------------------
  function keep() {
    try { sessionStorage.setItem(STORE, JSON.stringify(waiting)); } catch { /* only until a reload */ }
  }
  function send(one) {
    waiting.push(one);
    keep();
    if (tries) away(); // the next try may be ten seconds off
    work();
  }
  function away() {
    window.cascade.say(`The server does not answer: ${waiting.length} not kept yet. It is tried again; leave this page open.`, "bad");
  }
  async function work() {
    if (sending) return;
    sending = true;
    while (waiting.length) {
      const one = waiting[0];
      const body = new URLSearchParams({ ...one.fields, csrf: list.dataset.csrf });
      let answer;
      try {
        answer = await fetch(one.path, { method: "POST", body, credentials: "same-origin", headers: { Accept: "application/json" } });
      } catch { /* the server is away */ }
      if (!answer || answer.status >= 500) {
        tries += 1;
        const wait = Math.min(10_000, 500 * 2 ** Math.min(tries, 5));
        away();
        await new Promise((resolve) => setTimeout(resolve, wait));
        continue;
      }
      tries = 0;
      waiting.shift();
      keep();
      if (answer.ok) done(one, await answer.json());
      else refused(one, await answer.text());
    }
    sending = false;
  }
  function done(one, told) {
    const row = document.getElementById(one.row);
    if (one.path === list.dataset.undo) {
      const before = row?.querySelector(".before");
      if (before) {
        before.hidden = false;
        before.querySelector("span").textContent = words[told.said] ?? told.said;
      }
      window.cascade.say(`Taken back: ${one.title}. The log keeps what was said; say it again, and that counts.`);
    } else {
      window.cascade.say(`Kept as ${one.said}: ${one.title}. ${open().length} left here.${waiting.length ? ` ${waiting.length} on their way.` : ""}`);
    }
  }
  function refused(one, text) {
    const found = new DOMParser().parseFromString(text, "text/html").querySelector("[role=alert]");
    window.cascade.say(`Not kept: ${one.title}. ${found ? found.textContent.trim() : ""}`, "bad");
    const row = document.getElementById(one.row);
    if (!row || one.path !== list.dataset.label) return;
    row.hidden = false;
    told();
    go(row);
  }
  window.addEventListener("beforeunload", (event) => {
    if (waiting.length) event.preventDefault();
  });

  // ---- hands ---------------------------------------------------------------------------------------
  list.addEventListener("submit", (event) => {
    const row = event.target.closest("li");
    event.preventDefault();
    const chosen = event.submitter?.value ?? "between";
    if (chosen === "between") keepCorrection(row);
    else label(row, Number(chosen));
  });
  document.addEventListener("keydown", (event) => {
    const row = event.target.closest?.("#queue > li");
    if (event.target.matches?.("textarea, input, select")) {
      if (!row) return;
      if (event.key === "Escape") {
        row.querySelector("details.correct").open = false;
        go(row);
      } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        keepCorrection(row);
      }
      return;
    }
    if (!keys.checked || event.defaultPrevented || help.open || event.ctrlKey || event.metaKey || event.altKey) return;
    const here = row ?? current();
    const act = {
      j: () => step(1), ArrowDown: row && (() => step(1)), k: () => step(-1), ArrowUp: row && (() => step(-1)),
      1: () => here && label(here, 1), 0: () => here && label(here, 0), e: () => here && correct(here),
      u: undo, o: () => here && here.querySelector("a.open").click(),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  // ---- what a page before this one left ----------------------------------------------------------
  try { waiting = JSON.parse(sessionStorage.getItem(STORE)) ?? []; } catch { waiting = []; }
  for (const one of waiting) {
    const row = rows.find((each) => each.dataset.id === one.fields.id);
    one.row = row?.id ?? "";
    if (row && one.path === list.dataset.label) row.hidden = true;
  }
  told();
  mark(open()[0]);
  if (waiting.length) work();
  if (document.activeElement === document.body) open()[0]?.focus({ preventScroll: true });
})();
