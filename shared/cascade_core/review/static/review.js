"use strict";
// Partial updates: a form with data-update="id" is sent in the background, and of the page that
// comes back only the element of that id is put in the place of the one that is there.
async function update(form) {
  const id = form.dataset.update;
  const method = (form.method || "get").toUpperCase();
  const data = new URLSearchParams(new FormData(form));
  const address = method === "GET" ? `${form.action.split("?")[0]}?${data}` : form.action;
  const sent = ++update.last;
  const answer = await fetch(address, method === "GET" ? {} : { method, body: data });
  const text = await answer.text();
  if (sent !== update.last) return; // a later one is under way
  const found = new DOMParser().parseFromString(text, "text/html");
  const part = found.getElementById(answer.ok ? id : "main");
  const here = document.getElementById(id);
  if (part && here) {
    here.replaceWith(part);
    window.drawCharts?.(part);
    part.dispatchEvent(new CustomEvent("cascade:updated", { bubbles: true }));
  }
  if (method === "GET" && form.dataset.address !== undefined) history.replaceState(null, "", address);
}
update.last = 0;
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.update === undefined) return;
  event.preventDefault();
  update(form);
});
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form?.dataset.update !== undefined && form.dataset.live !== undefined) update(form);
});
