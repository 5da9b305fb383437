"use strict";
// Draws what people choose: the heat map, which shows only what is in sight, and the distributions of one cell.
// Names from data reach the page as text nodes and canvas text only.
(async () => {
  document.documentElement.dataset.script = "on";
  const $ = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  const HEADER = 22, ROW = 20, WIDTH = 440, HEIGHT = 190;

  const unpack = async (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  };
  const { views } = await unpack($("packed").textContent);
  const at = (list, place) => (Array.isArray(list) ? list[place] : list);
  const told = (value) => (value === null || value === undefined ? "not known" : Number(value).toLocaleString("en", { maximumSignificantDigits: 3 }));

  const state = { view: views[0], rows: [], row: 0, window: 0 };
  const row = () => state.rows[state.row];

  // How a cell is coloured: in parts of its limit. What chance alone would give is not drawn as a breach.
  const step = (one, place) => {
    const value = one.value[place];
    if (value === null || value === undefined) return 5;
    const limit = at(one.limit, place), chance = at(one.chance, place);
    if (value > limit && one.status[place] !== "b" && chance !== null && value <= chance) return 2;
    const ratio = limit ? value / limit : value ? 9 : 0;
    return ratio <= 0.25 ? 0 : ratio <= 0.5 ? 1 : ratio <= 1 ? 2 : ratio <= 2 ? 3 : 4;
  };

  // ---- the heat map
  const heat = $("heat"), canvas = $("canvas"), pen = canvas.getContext("2d");
  const nameWidth = () => Math.min(170, Math.round(heat.clientWidth * 0.34));
  const cellWidth = () => Math.max(7, Math.min(60, Math.floor((heat.clientWidth - nameWidth()) / Math.max(1, state.view.windows.length))));

  const draw = () => {
    const names = nameWidth(), wide = cellWidth(), count = state.view.windows.length;
    const height = Math.min(480, HEADER + state.rows.length * ROW), width = heat.clientWidth;
    $("space").style.width = `${names + count * wide}px`;
    $("space").style.height = `${HEADER + state.rows.length * ROW}px`;
    heat.style.height = `${height + 18}px`;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = width * ratio; canvas.height = height * ratio;
    canvas.style.width = `${width}px`; canvas.style.height = `${height}px`;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(document.documentElement), colour = (name) => style.getPropertyValue(name).trim();
    const steps = [0, 1, 2, 3, 4, 5].map((k) => colour(`--k${k}`));
    pen.fillStyle = colour("--paper"); pen.fillRect(0, 0, width, height);
    pen.font = "12px system-ui, sans-serif"; pen.textBaseline = "middle";
    const left = heat.scrollLeft, top = heat.scrollTop;
    const firstRow = Math.floor(top / ROW), lastRow = Math.min(state.rows.length, firstRow + Math.ceil(height / ROW) + 1);
    const first = Math.floor(left / wide), last = Math.min(count, first + Math.ceil((width - names) / wide) + 1);
    for (let r = firstRow; r < lastRow; r++) {
      const one = state.rows[r], y = HEADER + r * ROW - top;
      for (let w = first; w < last; w++) {
        const kind = step(one, w), x = names + w * wide - left, gap = wide > 9 ? 1 : 0;
        pen.fillStyle = steps[kind];
        if (kind === 5) {
          pen.strokeStyle = steps[5]; pen.lineWidth = 1;
          pen.beginPath(); pen.moveTo(x + 1, y + ROW - 3); pen.lineTo(x + wide - 2, y + 2); pen.stroke();
          continue;
        }
        pen.fillRect(x, y, wide - gap, ROW - 1);
        if (kind > 2) { pen.fillStyle = colour(kind === 3 ? "--mark" : "--paper"); pen.fillRect(x + wide / 2 - 1.5, y + ROW / 2 - 2, 3, 3); }
      }
      pen.fillStyle = colour("--paper"); pen.fillRect(0, y, names, ROW);
      pen.fillStyle = colour(one.judged ? "--ink" : "--quiet"); pen.textAlign = "left";
      pen.fillText(fitted(one.name, names - 10), 4, y + ROW / 2);
    }
    if (row()) {
      const x = names + state.window * wide - left, y = HEADER + state.row * ROW - top;
      pen.strokeStyle = colour("--ink"); pen.lineWidth = 2;
      if (x >= names - 1 && y >= HEADER - 1) pen.strokeRect(x, y, wide, ROW - 1);
    }
    pen.fillStyle = colour("--paper"); pen.fillRect(0, 0, width, HEADER);
    pen.fillStyle = colour("--quiet");
    const every = Math.max(1, Math.ceil(86 / wide));
    for (let w = first; w < last; w++) {
      const x = names + w * wide - left;
      if (w % every === 0 && x >= names && x + 70 <= width) pen.fillText(state.view.windows[w], x, HEADER / 2);
    }
  };
  const fitted = (text, room) => {
    if (pen.measureText(text).width <= room) return text;
    let kept = text;
    while (kept && pen.measureText(kept + "…").width > room) kept = kept.slice(0, -1);
    return kept + "…";
  };
  let waiting = 0;
  const redraw = () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(draw); };

  // ---- small SVG
  const put = (parent, name, attributes, text) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  };
  const chart = (place, label, height = HEIGHT) => {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
    svg.setAttribute("role", "img"); svg.setAttribute("aria-label", label);
    $(place).replaceChildren(svg);
    return svg;
  };
  const say = (place, text) => { const p = document.createElement("p"); p.className = "quiet"; p.textContent = text; $(place).replaceChildren(p); };
  const scale = (low, high, from, to) => (value) => from + ((value - low) / (high - low || 1)) * (to - from);

  // ---- distributions
  // Share of the values up to x, from evenly spaced quantiles; between them values lie evenly.
  const below = (quantiles, x) => {
    const last = quantiles.length - 1;
    if (x < quantiles[0]) return 0;
    if (x >= quantiles[last]) return 1;
    let i = 0;
    while (i < last && quantiles[i + 1] <= x) i++;
    return (i + (x - quantiles[i]) / (quantiles[i + 1] - quantiles[i])) / last;
  };
  const bins = (quantiles, low, high, count) => {
    const width = (high - low) / count || 1;
    const ends = Array.from({ length: count + 1 }, (_, i) => below(quantiles, low + i * width + (i === count ? 1e-9 : 0)));
    return ends.slice(1).map((end, i) => end - (i ? ends[i] : 0));
  };
  const histogram = (one, now, baseline) => {
    const known = [now, baseline].filter(Boolean);
    const low = Math.min(...known.map((q) => q[0])), high = Math.max(...known.map((q) => q[q.length - 1]));
    const count = known.some((q) => q.length > 10) ? 16 : 8;
    const shares = known.map((q) => bins(q, low, high, count)), top = Math.max(...shares.flat());
    const svg = chart("now", `Histogram of ${one.name}: this window in bars, the baseline as an outline.`);
    const x = scale(0, count, 40, WIDTH - 8), y = scale(0, top || 1, HEIGHT - 26, 10);
    if (now) shares[0].forEach((share, i) => put(svg, "rect", { class: "bar", x: x(i) + 1, y: y(share), width: x(1) - x(0) - 2, height: y(0) - y(share) }));
    if (baseline) put(svg, "path", { class: "outline", d: `M${x(0)} ${y(0)}` + shares[shares.length - 1].map((share, i) => `V${y(share)}H${x(i + 1)}`).join("") + `V${y(0)}` });
    put(svg, "text", { x: x(0), y: HEIGHT - 8 }, told(low)); put(svg, "text", { x: x(count), y: HEIGHT - 8, class: "end" }, told(high));
    put(svg, "text", { x: 36, y: y(top) + 8, class: "end" }, `${told(100 * top)} %`); put(svg, "text", { x: 36, y: y(0), class: "end" }, "0");
  };
  const bands = (one, shape) => {
    const known = shape.windows.map((q, i) => [i, q]).filter(([, q]) => q);
    if (!known.length) return say("bands", "No values in any window.");
    const all = [...known.map(([, q]) => q), ...(shape.baseline ? [shape.baseline] : [])];
    // Far ends would press everything else flat: the picture shows the middle half.
    const low = Math.min(...all.map((q) => quantile(q, 0.25))), high = Math.max(...all.map((q) => quantile(q, 0.75)));
    const svg = chart("bands", `Quantiles of ${one.name} over ${state.view.windows.length} windows; the baseline as dotted lines.`);
    const x = scale(-0.5, state.view.windows.length - 0.5, 52, WIDTH - 8), y = scale(low, high === low ? low + 1 : high, HEIGHT - 26, 10);
    const half = (x(1) - x(0)) / 2;
    const strip = (q, i, from, to, kind) => put(svg, "rect", { class: kind, x: x(i) - half, width: 2 * half, y: y(quantile(q, to)), height: Math.max(0.5, y(quantile(q, from)) - y(quantile(q, to))) });
    for (const [i, q] of known) {
      strip(q, i, 0.25, 0.75, "band");
      put(svg, "path", { class: "line", d: `M${x(i) - half} ${y(quantile(q, 0.5))}h${2 * half}` });
    }
    if (shape.baseline) for (const part of [0.25, 0.5, 0.75]) put(svg, "path", { class: "baseline", d: `M52 ${y(quantile(shape.baseline, part))}H${WIDTH - 8}` });
    put(svg, "path", { class: "cursor", d: `M${x(state.window)} 10V${HEIGHT - 26}` });
    ends(svg, y, low, high);
    $("bands-title").textContent = "All windows: the middle half and the median; dotted, the same of the baseline";
  };
  const quantile = (q, part) => q[Math.round(part * (q.length - 1))];
  const span = (svg, right) => {
    put(svg, "text", { x: 52, y: HEIGHT - 8 }, state.view.windows[0]);
    put(svg, "text", { x: right, y: HEIGHT - 8, class: "end" }, state.view.windows[state.view.windows.length - 1]);
  };
  const ends = (svg, y, low, high) => {
    put(svg, "text", { x: 46, y: y(low), class: "end" }, told(low)); put(svg, "text", { x: 46, y: y(high) + 8, class: "end" }, told(high));
    span(svg, WIDTH - 8);
  };
  const levels = (one, shape, now) => {
    const height = 24 + shape.levels.length * 24, svg = chart("now", `Shares of the levels of ${one.name}: this window in bars, the baseline as an outline.`, height);
    const top = Math.max(1, ...(now || []), ...(shape.baseline || [])), x = scale(0, top, 132, WIDTH - 54);
    shape.levels.forEach((level, i) => {
      const y = 6 + i * 24;
      put(svg, "text", { x: 126, y: y + 13, class: "end" }, level.length > 18 ? level.slice(0, 17) + "…" : level);
      const share = now ? now[i] : null, before = shape.baseline ? shape.baseline[i] : null;
      if (share !== null) put(svg, "rect", { class: "bar", x: x(0), y, width: x(share) - x(0), height: 18 });
      if (before !== null) put(svg, "path", { class: "outline", d: `M${x(before)} ${y - 1}v20` });
      put(svg, "text", { x: Math.max(x(share ?? 0), x(before ?? 0)) + 5, y: y + 13 }, share !== null ? `${told(share / 10)} %` : now ? "rare" : "");
    });
    $("now-title").textContent = "This window in bars, the baseline as lines. Levels called rare are not among the most frequent";
    levelsOverTime(one, shape);
  };
  const levelsOverTime = (one, shape) => {
    const first = shape.levels.slice(0, 5), last = shape.windows.findLast(Boolean), right = WIDTH - 84;
    const top = Math.max(1, ...[...shape.windows, shape.baseline].filter(Boolean).flatMap((shares) => shares.slice(0, 5)));
    const svg = chart("bands", `Shares of the levels of ${one.name} over ${state.view.windows.length} windows.`);
    const x = scale(-0.5, state.view.windows.length - 0.5, 52, right), y = scale(0, top, HEIGHT - 26, 10);
    const known = (shares, k) => shares && shares[k] !== null;
    first.forEach((level, k) => {
      const path = shape.windows.map((shares, i) => (known(shares, k) ? `${i && known(shape.windows[i - 1], k) ? "L" : "M"}${x(i)} ${y(shares[k])}` : "")).join("");
      put(put(svg, "path", { class: `line level${k}`, d: path || "M0 0" }), "title", {}, level);
    });
    // Names at the ends of the lines, from top to bottom, kept apart from each other.
    let lowest = -10;
    for (const k of last ? first.map((_, i) => i).filter((i) => last[i] !== null).sort((a, b) => last[b] - last[a]) : []) {
      lowest = Math.max(y(last[k]) + 4, lowest + 13);
      put(svg, "text", { class: `level${k}`, x: right + 5, y: lowest }, first[k].length > 12 ? first[k].slice(0, 11) + "…" : first[k]);
    }
    put(svg, "path", { class: "cursor", d: `M${x(state.window)} 10V${HEIGHT - 26}` });
    put(svg, "text", { x: 46, y: y(top) + 8, class: "end" }, `${told(top / 10)} %`); put(svg, "text", { x: 46, y: y(0), class: "end" }, "0");
    span(svg, right);
    $("bands-title").textContent = "All windows: shares of the five first levels";
  };

  const explore = () => {
    const one = row();
    $("explorer").hidden = !one;
    if (!one) return;
    const place = state.window, value = one.value[place], limit = at(one.limit, place);
    const verdict = { b: "beyond its limit", o: "within its limit", u: "could not be judged", "-": one.judged ? "not judged" : "no rule judges it" }[one.status[place]];
    const figure = value === null || value === undefined ? `not known (${one.reasons[place] || "not measured"})` : told(value);
    $("cell").textContent = `${one.statistic} of ${one.name}, ${state.view.windows[place]}: ${figure}, ${one.judged ? "" : "usual "}limit ${told(limit)}, ${verdict}.`;
    $("how").textContent = `Method ${one.method}, n ${told(at(one.n, place))}, table version ${at(one.version, place) ?? "not known"}. Chance alone stays below ${told(at(one.chance, place))} in 95 of 100 windows. ` +
      (one.judged ? "The limit is that of a rule." : "No rule names this column: it is shown against a usual limit.") + " Distributions are drawn from stored quantiles and the most frequent levels.";
    const shape = one.shape, now = shape.windows[place];
    $("now-title").textContent = "This window in bars, the baseline as an outline";
    if (shape.levels) levels(one, shape, now);
    else {
      if (now || shape.baseline) histogram(one, now, shape.baseline); else say("now", "No distribution is stored for this window.");
      bands(one, shape);
    }
  };
  const select = (r, w) => {
    state.row = Math.max(0, Math.min(state.rows.length - 1, r));
    state.window = Math.max(0, Math.min(state.view.windows.length - 1, w));
    $("column").value = String(state.row); $("window").value = String(state.window);
    explore(); redraw();
  };
  const options = (id, texts) => $(id).replaceChildren(...texts.map((text, i) => new Option(text, String(i))));
  const arrange = () => {
    const wanted = $("filter").value.toLowerCase(), last = state.view.windows.length - 1;
    const part = (one, place) => (one.value[place] ?? -1) / (at(one.limit, place) || 1);
    const worst = new Map(state.view.rows.map((one) => [one, Math.max(-1, ...one.value.map((_, i) => part(one, i)))]));
    const orders = { worst: (a, b) => worst.get(b) - worst.get(a), newest: (a, b) => part(b, last) - part(a, last), name: (a, b) => a.name.localeCompare(b.name) };
    state.rows = state.view.rows.filter((one) => one.name.toLowerCase().includes(wanted)).sort(orders[$("order").value]);
    heat.hidden = !state.rows.length; $("none").hidden = !heat.hidden;
    options("column", state.rows.map((one) => one.name));
  };
  const view = (number) => {
    state.view = views[number];
    options("window", state.view.windows);
    arrange();
    select(0, state.view.windows.length - 1);
    draw(); // gives the map its width, so that it can start at the newest window
    heat.scrollLeft = heat.scrollWidth; heat.scrollTop = 0;
    for (const one of document.querySelectorAll(".view")) one.hidden = one.dataset.view !== String(number);
  };
  const reveal = () => {
    const wide = cellWidth(), x = state.window * wide, y = state.row * ROW;
    if (x < heat.scrollLeft) heat.scrollLeft = x;
    if (x + wide > heat.scrollLeft + heat.clientWidth - nameWidth()) heat.scrollLeft = x + wide - heat.clientWidth + nameWidth();
    if (y < heat.scrollTop) heat.scrollTop = y;
    if (y + ROW > heat.scrollTop + heat.clientHeight - HEADER) heat.scrollTop = y + ROW - heat.clientHeight + HEADER;
  };

  for (const id of ["scope", "tools", "place"]) $(id).addEventListener("submit", (event) => event.preventDefault());
  $("granularity").addEventListener("change", (event) => view(Number(event.target.value)));
  for (const id of ["filter", "order"]) $(id).addEventListener("input", () => { arrange(); select(0, state.window); });
  $("column").addEventListener("change", (event) => { select(Number(event.target.value), state.window); reveal(); });
  $("window").addEventListener("change", (event) => { select(state.row, Number(event.target.value)); reveal(); });
  heat.addEventListener("scroll", redraw);
  window.addEventListener("resize", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-10, 0], PageDown: [10, 0], Home: [0, -1e9], End: [0, 1e9] };
  heat.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    select(state.row + move[0], state.window + move[1]);
    reveal();
  });
  canvas.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    const x = event.clientX - box.left - nameWidth() + heat.scrollLeft, y = event.clientY - box.top - HEADER + heat.scrollTop;
    if (y >= 0) select(Math.floor(y / ROW), x < 0 ? state.window : Math.floor(x / cellWidth()));
  });
  for (const button of document.querySelectorAll("button[data-column]")) {
    button.addEventListener("click", () => {
      $("filter").value = ""; arrange();
      const found = state.rows.findIndex((one) => one.name === button.dataset.column);
      const at = state.view.windows.indexOf(button.dataset.window);
      if (found >= 0) { select(found, at < 0 ? state.window : at); reveal(); }
      $("explorer").scrollIntoView({ block: "center" }); $("column").focus({ preventScroll: true });
    });
  }
  // On paper what findings rest on is unfolded, tables of figures are not; then all is folded again.
  let unfolded = [];
  window.addEventListener("beforeprint", () => {
    unfolded = [...document.querySelectorAll("details.on-paper:not([open])")].filter((one) => !one.closest("[hidden]"));
    for (const one of unfolded) one.open = true;
  });
  window.addEventListener("afterprint", () => { for (const one of unfolded) one.open = false; });
  matchMedia("print").addEventListener("change", draw);
  if (views.length) view(0);
  document.documentElement.dataset.ready = "true";
})();
