"use strict";
// What the live pages do beside htmx: they ask only while somebody looks, keep what a person has opened or is
// writing, and say how long ago things were. Texts from data reach the page as text.
(() => {
  const root = document.documentElement;
  root.dataset.script = "on";

  // ---- how long ago
  const steps = [[60, "second", 1], [3600, "minute", 60], [86400, "hour", 3600], [86400 * 60, "day", 86400]];
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  const ago = (seconds) => {
    if (Math.abs(seconds) < 10) return "now";
    for (const [below, unit, size] of steps) if (Math.abs(seconds) < below) return words.format(-Math.trunc(seconds / size), unit);
    return "";
  };
  const age = (within = document) => {
    for (const one of within.querySelectorAll("time[datetime]")) {
      if (!one.dataset.said) one.dataset.said = one.textContent;
      const relative = ago((Date.now() - Date.parse(one.dateTime)) / 1000);
      const text = relative ? `${one.dataset.said} (${relative})` : one.dataset.said;
      if (one.textContent !== text) one.textContent = text;
    }
  };
  age();
  setInterval(age, 5000);

  // ---- asking for news: not while the page is hidden, nor over what somebody writes
  const busy = (region) => region.querySelector("details.form[open]") || (region.contains(document.activeElement) && document.activeElement.matches("input, select, textarea"));
  const is_poll = (event) => event.detail.elt.matches("[data-live]") && event.detail.requestConfig.verb === "get";
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (is_poll(event) && (document.hidden || busy(event.detail.elt))) event.preventDefault();
  });
  let kept = null;
  const path = (one) => one.closest("[data-live]")?.id;
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (is_poll(event) && busy(event.detail.elt)) event.detail.shouldSwap = false;
    const region = event.detail.target;
    const act = event.detail.requestConfig.verb === "post" && event.detail.successful;
    const at = document.activeElement;
    kept = {
      open: [...region.querySelectorAll("details[open][id]")].filter((one) => !(act && one.matches(".form"))).map((one) => one.id),
      focus: region.contains(at) ? at.id || at.closest("[id]")?.id : null,
      inner: region.contains(at) && !at.id ? [...(at.closest("[id]")?.querySelectorAll("a, summary, button") || [])].indexOf(at) : -1,
      region: region.id || path(region),
    };
  });
  document.addEventListener("htmx:afterSettle", () => {
    age();
    if (!kept) return;
    for (const id of kept.open) { const one = document.getElementById(id); if (one) one.open = true; }
    let at = kept.focus && document.getElementById(kept.focus);
    if (at && kept.inner >= 0) at = at.querySelectorAll("a, summary, button")[kept.inner] || at;
    if (at && document.activeElement !== at) at.focus({ preventScroll: true });
    kept = null;
  });
  // A server that is away is told once, and found again by itself.
  const told = document.getElementById("told");
  let away = false;
  const say = (text) => { const p = document.createElement("p"); p.className = "told"; p.textContent = text; told?.replaceChildren(p); };
  document.addEventListener("htmx:sendError", () => { if (!away) { away = true; say("The dashboard does not answer any more; was it stopped? What you see is from before."); } });
  document.addEventListener("htmx:afterRequest", (event) => { if (away && event.detail.xhr?.status) { away = false; told?.replaceChildren(); } });

  // ---- the report is drawn by its own script: it is loaded anew, with what was chosen
  const KEY = `lakemon:${location.pathname}${location.search}`;
  const chosen = ["granularity", "filter", "order"], text_of = (id) => { const one = document.getElementById(id); return one?.selectedOptions?.[0]?.text; };
  const keep = () => sessionStorage.setItem(KEY, JSON.stringify({
    y: scrollY, open: [...document.querySelectorAll("main details")].map((one, i) => (one.open ? i : -1)).filter((i) => i >= 0),
    values: Object.fromEntries(chosen.map((id) => [id, document.getElementById(id)?.value])), column: text_of("column"), window: text_of("window"), last: document.getElementById("window")?.selectedIndex === document.getElementById("window")?.length - 1,
  }));
  const restore = () => {
    const text = sessionStorage.getItem(KEY);
    if (!text) return;
    sessionStorage.removeItem(KEY);
    const was = JSON.parse(text), set = (id, value, kind) => { const one = document.getElementById(id); if (one && value !== undefined && value !== null && one.value !== value) { one.value = value; one.dispatchEvent(new Event(kind)); } };
    const pick = (id, words) => { const one = document.getElementById(id), i = one ? [...one.options].findIndex((option) => option.text === words) : -1; if (i >= 0) set(id, String(i), "change"); };
    set("granularity", was.values.granularity, "change"); set("order", was.values.order, "input"); set("filter", was.values.filter, "input");
    pick("column", was.column); if (!was.last) pick("window", was.window);
    const all = [...document.querySelectorAll("main details")];
    for (const i of was.open) if (all[i]) all[i].open = true;
    scrollTo({ top: was.y, behavior: "instant" });
  };
  if (document.getElementById("news")) {
    let touched = 0;
    for (const kind of ["pointerdown", "keydown", "wheel", "touchmove"]) addEventListener(kind, () => { touched = Date.now(); }, { passive: true });
    const again = () => { keep(); location.reload(); };
    document.addEventListener("htmx:afterSettle", () => {
      const news = document.querySelector("[data-reload]");
      if (!news) return;
      news.querySelector("a").addEventListener("click", (event) => { event.preventDefault(); again(); });
      const wait = () => (Date.now() - touched > 4000 ? again() : setTimeout(wait, 1000));
      wait();
    });
    const ready = new MutationObserver(() => { if (root.dataset.ready) { ready.disconnect(); restore(); } });
    if (root.dataset.ready) restore(); else ready.observe(root, { attributes: true });
  }

  // ---- the box for SQL
  const form = document.getElementById("query");
  if (form) {
    const sql = form.elements.sql, id = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(9)))).replace(/[^a-zA-Z0-9]/g, "x");
    sql.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); } });
    document.getElementById("stop").addEventListener("click", (event) => {
      const body = new URLSearchParams({ form_key: form.elements.form_key.value, query_id: form.elements.query_id.value });
      fetch(event.target.dataset.stop, { method: "POST", body });
    });
    form.addEventListener("htmx:afterRequest", () => { form.elements.query_id.value = id(); });
    for (const button of document.querySelectorAll("[data-sql]")) button.addEventListener("click", () => { sql.value = button.dataset.sql; form.requestSubmit(); });
  }
  for (const one of document.querySelectorAll("[data-submit]")) one.addEventListener("change", () => one.form.requestSubmit());
})();
