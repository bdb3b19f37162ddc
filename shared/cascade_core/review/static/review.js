"use strict";
// Partial updates: a form (or a link) with data-update="id" is sent in the background, and of the
// page that comes back only the element of that id takes the place of the one that is there.
//   data-announce   on the element: what a screen reader is told after it was put in place
// Without a script all of them are plain forms and links. `cascade.say(text, "bad")` is for pages'
// own scripts.
(() => {
  let shown = location.pathname + location.search; // the address of what is on the page
  const queues = new Map(); // id -> what is still to be sent for that element, in order

  // ---- what is said --------------------------------------------------------------------------
  let saying;
  const say = (text, tone = "") => {
    const line = document.getElementById("status");
    if (!line) return;
    clearTimeout(saying);
    line.className = tone;
    // Of several parts that come one after another, what came last is said.
    saying = setTimeout(() => {
      line.textContent = text;
      if (tone !== "bad") saying = setTimeout(() => { line.textContent = ""; }, 4000);
    }, tone === "bad" ? 0 : 250);
  };
  const GONE = "The server does not answer: does cascade review still run?";

  async function ask(address, options) {
    let answer;
    try {
      answer = await fetch(address, { credentials: "same-origin", ...options });
    } catch {
      throw new Error(GONE);
    }
    const text = await answer.text();
    const page = answer.headers.get("Content-Type")?.startsWith("text/html")
      ? new DOMParser().parseFromString(text, "text/html") : null;
    if (!answer.ok) throw new Error(page?.querySelector("[role=alert]")?.textContent.trim() || text.slice(0, 300) || `status ${answer.status}`);
    return { answer, page, text };
  }

  // ---- putting a part in place -----------------------------------------------------------------
  function place(id, page) {
    const here = document.getElementById(id);
    const part = page.getElementById(id);
    if (!here || !part) return false;
    const focused = here.contains(document.activeElement) ? document.activeElement : null;
    const of = focused && { id: focused.id, name: focused.name, value: focused.value, href: focused.getAttribute("href"), start: selection(focused) };
    const open = [...here.querySelectorAll("details")].map((each) => each.open);
    const scrolled = [...here.querySelectorAll(".scroll, .said")].map((each) => [each.scrollTop, each.scrollLeft]);
    const fresh = document.adoptNode(part);
    here.replaceWith(fresh);
    const details = fresh.querySelectorAll("details");
    if (details.length === open.length) details.forEach((each, at) => { each.open = each.open || open[at]; });
    const scrolls = fresh.querySelectorAll(".scroll, .said");
    if (scrolls.length === scrolled.length) scrolls.forEach((each, at) => { [each.scrollTop, each.scrollLeft] = scrolled[at]; });
    window.drawCharts?.(fresh);
    if (focused) refocus(fresh, of);
    return true;
  }
  function selection(element) {
    try { return element.selectionStart; } catch { return null; }
  }
  function refocus(fresh, of) {
    const found = (of.id && document.getElementById(of.id))
      || (of.name && [...fresh.querySelectorAll("[name]")].find((each) => each.name === of.name && (each.type !== "radio" || each.value === of.value)))
      || (of.href && [...fresh.querySelectorAll("a[href]")].find((each) => each.getAttribute("href") === of.href));
    if (found) {
      found.focus({ preventScroll: true });
      if (of.start !== null && of.start !== undefined && found.setSelectionRange) {
        try { found.setSelectionRange(of.start, of.start); } catch { /* a number has none */ }
      }
      return;
    }
    if (!fresh.hasAttribute("tabindex")) fresh.setAttribute("tabindex", "-1");
    fresh.focus({ preventScroll: true });
  }

  // ---- sending -----------------------------------------------------------------------------------
  // One at a time for each element: answers come in the order of what was sent.
  function update(source, { submitter = null } = {}) {
    const id = source.dataset.update;
    const queue = queues.get(id) ?? [];
    const running = queues.has(id);
    queues.set(id, queue);
    queue.push(request(source, submitter));
    return running ? undefined : work(id, queue);
  }
  function request(source, submitter) {
    if (source instanceof HTMLAnchorElement) return { method: "GET", address: source.href, isLink: true };
    const method = (submitter?.getAttribute("formmethod") ?? source.getAttribute("method") ?? "get").toUpperCase();
    const action = submitter?.getAttribute("formaction") ?? source.getAttribute("action") ?? location.pathname;
    const data = new URLSearchParams(new FormData(source, submitter));
    if (method !== "GET") return { method, address: action, body: data };
    for (const [name, value] of [...data]) if (value === "") data.delete(name);
    const asked = data.toString();
    return { method, address: action.split("?")[0] + (asked ? `?${asked}` : "") };
  }
  async function work(id, queue) {
    const here = document.getElementById(id);
    here?.setAttribute("aria-busy", "true");
    while (queue.length) {
      const { method, address, body, isLink } = queue.shift();
      try {
        const { answer, page } = await ask(address, method === "GET" ? {} : { method, body });
        if (!page || !place(id, page)) {
          if (answer.redirected || method === "GET") location.assign(answer.url);
          continue;
        }
        place("banners", page);
        const said = document.getElementById(id)?.dataset.announce ?? page.getElementById("status")?.textContent.trim();
        say(said || "Updated.");
        if (isLink) {
          history.pushState({ cascade: true }, "", address);
          shown = location.pathname + location.search;
        }
      } catch (error) {
        say(error.message, "bad");
      }
    }
    queues.delete(id);
    document.getElementById(id)?.removeAttribute("aria-busy");
  }
  window.cascade = { say };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.update === undefined || event.defaultPrevented) return;
    event.preventDefault();
    update(form, { submitter: event.submitter });
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-update]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    update(link);
  });
  // Back to what a link had replaced; a step to a place on this page is no other address.
  addEventListener("popstate", () => {
    if (location.pathname + location.search !== shown) location.reload();
  });

  // ---- keys --------------------------------------------------------------------------------------
  const keys = document.getElementById("keys");
  const typing = (element) => element.closest?.("input:not([type=checkbox], [type=radio], [type=range], [type=button], [type=submit]), textarea, select, [contenteditable]");
  let going = false;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      for (const each of document.querySelectorAll("details.custom[open]")) {
        each.open = false;
        each.querySelector("summary").focus();
      }
      return;
    }
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (going) {
      going = false;
      const link = document.querySelector(`nav a[data-key="${CSS.escape(event.key)}"]`);
      if (link) {
        event.preventDefault();
        link.click();
      }
    } else if (event.key === "g" && !document.querySelector("dialog[open]")) {
      going = true;
      setTimeout(() => { going = false; }, 1500);
    } else if (event.key === "?" && keys) {
      event.preventDefault();
      if (keys.open) keys.close();
      else keys.showModal();
    }
  });
  for (const each of document.querySelectorAll("[data-opens]")) {
    each.hidden = false;
    each.addEventListener("click", () => document.getElementById(each.dataset.opens)?.showModal());
  }
  document.addEventListener("click", (event) => {
    for (const each of document.querySelectorAll("details.custom[open]")) if (!each.contains(event.target)) each.open = false;
  });
})();
