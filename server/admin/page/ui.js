"use strict";

// The page fetches the figures every two seconds. The server keeps a history of 15 minutes, so a new page
// shows all of it at once. Names that clients and databases choose (routes, schemas) are set as text only.

const EVERY = 2000;
const KEEP = 15 * 60 * 1000; // ms that a plot shows at most
const LEAST = 60 * 1000;     // ms that a plot shows at least, so that the lines of a new server do not start in a corner
const WINDOW = 5;            // number of samples for the figures beside the plots
const PERIOD = 4000;         // ms, the shortest interval for a plotted rate or quantile

const samples = []; // statuses of the server, oldest first
const moments = []; // the server's history, oldest first; the last one belongs to the last sample
const points = [];  // points of the plots, made from moments
let failed = 0;

const $ = (id) => document.getElementById(id);

function el(name, attributes, ...children) {
  const node = name.startsWith("svg:")
    ? document.createElementNS("http://www.w3.org/2000/svg", name.slice(4))
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// --- numbers

const sum = (list) => list.reduce((a, b) => a + b, 0);

function number(x, digits = 3) {
  if (x === null || x === undefined || Number.isNaN(x)) return "–";
  if (x >= 1e9) return (x / 1e9).toPrecision(digits) + " G";
  if (x >= 1e6) return (x / 1e6).toPrecision(digits) + " M";
  if (x >= 1e4) return (x / 1e3).toPrecision(digits) + " k";
  if (x >= 100 || Number.isInteger(x)) return String(Math.round(x));
  return x >= 10 ? x.toFixed(1) : x.toPrecision(2);
}

function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 1) return number(seconds * 1000) + " ms";
  return number(seconds) + " s";
}

function bytes(n) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let i = 0;
  while (n >= 1024 && i < units.length - 1) { n /= 1024; i++; }
  return (i === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)) + " " + units[i];
}

function age(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return s + " s";
  if (s < 3600) return Math.floor(s / 60) + " min";
  if (s < 86400) return Math.floor(s / 3600) + " h " + Math.floor(s % 3600 / 60) + " min";
  return Math.floor(s / 86400) + " d " + Math.floor(s % 86400 / 3600) + " h";
}

// percent never rounds up to 100 %.
function percent(part, whole) {
  if (!whole) return "–";
  const share = 100 * part / whole;
  const exact = share < 100 && (share > 99 || share < 1);
  return (exact ? (Math.floor(share * 10) / 10).toFixed(1) : Math.round(share)) + " %";
}

// between is the difference of two states of a histogram.
function between(older, newer) {
  if (!older) return { counts: newer.counts.slice(), sum: newer.sum };
  return { counts: newer.counts.map((n, i) => n - older.counts[i]), sum: newer.sum - older.sum };
}

// quantile assumes that durations are spread evenly within a bucket. Above the last bound it returns that bound.
function quantile(histogram, q, bounds) {
  const all = sum(histogram.counts);
  if (all <= 0) return null;
  if (histogram.counts[0] === all) return histogram.sum / all; // all are in the first bucket: the mean is more exact
  let rank = q * all;
  for (let i = 0; i < histogram.counts.length; i++) {
    const n = histogram.counts[i];
    if (n > 0 && rank <= n) {
      if (i === bounds.length) return bounds[bounds.length - 1];
      const low = i === 0 ? 0 : bounds[i - 1];
      return low + (bounds[i] - low) * Math.max(0, rank) / n;
    }
    rank -= n;
  }
  return bounds[bounds.length - 1];
}

// --- plots

const WIDTH = 600, HEIGHT = 110, BOTTOM = 1, TOP = 6;

// span is the width of the plots in ms.
const span = () => points.length ? Math.min(KEEP, Math.max(LEAST, points[points.length - 1].now - points[0].now)) : LEAST;

// nice rounds up to 1, 2 or 5 times a power of ten.
function nice(x) {
  if (!(x > 0)) return 1;
  const unit = 10 ** Math.floor(Math.log10(x));
  for (const step of [1, 2, 5, 10]) if (x <= step * unit * 1.0001) return step * unit;
  return 10 * unit;
}

// near reports whether a line has anything to draw at a moment. Lines of trouble are not drawn at zero.
const near = (shown, i, value) => [i - 1, i, i + 1].some((j) => shown[j] && value(shown[j]) > 0);

// nearest returns the index of the point nearest to a time.
const nearest = (shown, time) => shown.reduce((best, point, i) => Math.abs(point.now - time) < Math.abs(shown[best].now - time) ? i : best, 0);

function plot(id, title, unit, lines, options) {
  const card = $(id);
  const svg = el("svg:svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
  const big = el("span", { class: "big" });
  const legend = el("div", { class: "legend" });
  const scale = el("div", { class: "scale", "aria-hidden": "true" }, el("span"), el("span"), el("span"));
  card.append(el("div", { class: "head" }, el("h2", null, title), big), legend, el("div", { class: "plot" }, scale, svg));
  let hovered = null;
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * WIDTH;
    hovered = x / WIDTH;
    draw();
  });
  svg.addEventListener("pointerleave", () => { hovered = null; draw(); });

  function draw() {
    const shown = points;
    const end = shown.length ? shown[shown.length - 1].now : 0;
    const limit = options.limit ? options.limit() : 0;
    const values = lines.flatMap((line) => shown.map(line.value)).filter((v) => v !== null);
    const top = nice(Math.max(limit, options.least || 0, ...values));
    const x = (i) => WIDTH * (1 - (end - shown[i].now) / span());
    const y = (v) => HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * v / top;
    svg.replaceChildren();
    for (const share of [0, 0.5, 1]) {
      svg.append(el("svg:line", { class: "grid", x1: 0, x2: WIDTH, y1: y(top * share), y2: y(top * share) }));
    }
    // The text is beside the plot, because inside it would be stretched.
    [top, top / 2, 0].forEach((v, i) => { scale.children[i].textContent = options.format(v); });
    if (limit > 0) svg.append(el("svg:line", { class: "limit", x1: 0, x2: WIDTH, y1: y(limit), y2: y(limit) }));
    for (const line of lines) {
      // A missing value leaves a gap.
      let path = "", area = "", start = null;
      const close = (i) => { if (start !== null) area += `L${x(i)},${y(0)}L${x(start)},${y(0)}Z`; start = null; };
      shown.forEach((point, i) => {
        const v = line.value(point);
        if (v === null || line.trouble && !near(shown, i, line.value)) { close(i - 1); return; }
        const at = `${x(i).toFixed(1)},${y(v).toFixed(1)}`;
        path += (start === null ? "M" : "L") + at;
        area += (start === null ? "M" : "L") + at;
        if (start === null) start = i;
      });
      close(shown.length - 1);
      if (line.area) svg.append(el("svg:path", { class: "area " + line.color, d: area }));
      svg.append(el("svg:path", { class: "line " + line.color, d: path }));
    }
    const chosen = hovered === null ? shown.length - 1 : nearest(shown, end - (1 - hovered) * span());
    const point = shown[chosen];
    legend.replaceChildren(...lines.map((line) => el("span", null, el("i", { class: line.color }), line.name + " ",
      el("b", null, point ? options.format(line.value(point)) : "–"))));
    if (point && hovered !== null && chosen >= 0) {
      svg.append(el("svg:line", { class: "cursor", x1: x(chosen), x2: x(chosen), y1: TOP, y2: HEIGHT - BOTTOM }));
      legend.append(el("span", { class: "when" }, age((points[points.length - 1].now - point.now) / 1000) + " ago"));
    }
    const last = shown[shown.length - 1];
    if (last) {
      const text = options.big(last);
      big.replaceChildren(text, el("small", null, unit));
      svg.setAttribute("aria-label", `${title}: ${text} ${unit}`);
    }
  }
  return draw;
}

const plots = [
  plot("requests", "Requests", "per second", [
    { name: "2xx and 3xx", color: "blue", area: true, value: (p) => p.good },
    { name: "4xx", color: "amber", trouble: true, value: (p) => p.refused },
    { name: "5xx", color: "red", trouble: true, value: (p) => p.broken },
  ], { format: (v) => number(v), big: (p) => number(p.all), least: 1 }),
  plot("latency", "Time to answer", "p95", [
    { name: "median", color: "teal", area: true, value: (p) => p.p50 },
    { name: "p95", color: "blue", value: (p) => p.p95 },
    { name: "p99", color: "violet", value: (p) => p.p99 },
  ], { format: duration, big: (p) => duration(p.p95), least: 0.001 }),
  plot("database", "Time in the database", "p95", [
    { name: "median", color: "teal", area: true, value: (p) => p.db50 },
    { name: "p95", color: "blue", value: (p) => p.db95 },
    { name: "waiting for a connection, p95", color: "amber", value: (p) => p.wait95 },
  ], { format: duration, big: (p) => duration(p.db95), least: 0.001 }),
  plot("pool", "Connection pool", "in use, mean", [
    { name: "in use, mean", color: "blue", area: true, value: (p) => p.inUse },
    { name: "peak", color: "violet", value: (p) => p.inUsePeak },
    { name: "waiting requests, peak", color: "red", trouble: true, value: (p) => p.waitingPeak },
  ], { format: (v) => number(v), big: (p) => `${number(p.inUse)} of ${poolSize()}`, limit: poolSize }),
];

function poolSize() { return samples.length ? samples[samples.length - 1].pool.max : 0; }

// --- figures as text

function pairs(id, list) {
  $(id).replaceChildren(...list.map(([name, value]) => el("div", null, el("dt", null, name), el("dd", null, String(value)))));
}

function state(kind, text) {
  $("state").className = "state " + kind;
  $("state-text").textContent = text;
}

function notice(text) {
  $("notice").hidden = !text;
  $("notice").textContent = text || "";
}

function show(now, older) {
  $("version").textContent = now.version;
  document.title = "fastgrest " + now.version;
  if (now.live && now.ready) state("good", "ready");
  else if (!now.ready) state("wait", "waiting for the database");
  else state("bad", "not live");
  notice(now.ready ? "" : "Requests are answered with what was loaded last, or with 503 before the first load.");
  pairs("facts", [["up", age((now.now - now.started) / 1000)], ["on", now.postgres], ["shown", "the last " + age(span() / 1000)]].filter(([, v]) => v));

  $("caches").replaceChildren(...now.caches.map((cache) => {
    const all = cache.hits + cache.misses;
    const bar = el("div");
    bar.style.width = (all ? 100 * cache.hits / all : 0) + "%";
    return el("div", { class: "meter" },
      el("div", { class: "names" }, el("span", null, cache.name + ": hit rate"), el("span", null, `${percent(cache.hits, all)} of ${number(all)}`)),
      el("div", { class: "bar" }, bar));
  }));
  const pool = now.pool;
  pairs("connections", [
    ["in use", `${pool.in_use} of ${pool.max}`], ["idle", pool.idle], ["being made", pool.connecting],
    ["requests waiting", pool.waiting], ["waits given up", number(pool.timeouts)],
    ["made since the start", number(pool.opened)], ["refused since the start", number(pool.refused)],
  ]);
  const seconds = older ? (now.now - older.now) / 1000 : 0;
  pairs("process", [
    ["sent", bytes(now.bytes) + (seconds ? ` (${bytes((now.bytes - older.bytes) / seconds)}/s)` : "")],
    ["of it streamed", bytes(now.streamed)],
    ["heap", bytes(now.heap)], ["goroutines", number(now.goroutines)], ["plans kept", number(now.plans)],
  ]);

  const before = new Map((older ? older.routes : []).map((r) => [r.route, r]));
  const rows = now.routes.map((r) => {
    const recent = between(before.get(r.route) && before.get(r.route).duration, r.duration);
    return { ...r, rate: older && seconds ? sum(recent.counts) / seconds : 0 };
  }).sort((a, b) => b.rate - a.rate || b.requests - a.requests).slice(0, 15);
  $("routes-note").textContent = now.routes.length > rows.length ? `the busiest ${rows.length}` : "";
  fill("routes", rows, (r) => [
    [r.route], [r.rate ? number(r.rate) + "/s" : "–", "n"], [number(r.requests), "n"],
    [duration(quantile(r.duration, 0.5, now.bounds)), "n"], [duration(quantile(r.duration, 0.95, now.bounds)), "n"],
    [number(r.errors), r.errors ? "n hot" : "n"],
  ], "No requests yet.");
  fill("schemas", now.schemas, (s) => [[s.name], [number(s.tables), "n"], [number(s.views), "n"], [number(s.functions), "n"]], "Nothing is loaded yet.");
  $("nodes-section").hidden = now.nodes.length === 0;
  fill("nodes", now.nodes, (n) => [
    [n.name], [n.serves ? "yes" : "no: " + n.why, n.serves ? "" : "hot"], [n.lag < 0 ? "–" : duration(n.lag), "n"],
    [number(n.in_flight), "n"], [number(n.requests), "n"], [number(n.retried), n.retried ? "n hot" : "n"],
  ], "");
  $("key-sets-section").hidden = now.key_sets.length === 0;
  fill("key-sets", now.key_sets, (k) => [
    [k.from], [number(k.keys), k.keys ? "n" : "n hot"], [k.age < 0 ? "never" : age(k.age) + " ago", "n"],
    [number(k.fetched), "n"], [number(k.failed), k.problem ? "n hot" : "n"], [k.problem],
  ], "");
  const load = now.load;
  pairs("catalog", [
    ["relationships", number(now.relationships)],
    ["loaded", load.at ? age((now.now - load.at) / 1000) + " ago" : "not yet"],
    ["queries took", load.at ? duration(load.seconds) : "–"],
    ["loads", load.failed ? `${load.succeeded}, and ${load.failed} that failed` : load.succeeded],
  ]);
}

function fill(id, rows, cells, empty) {
  const body = $(id).tBodies[0];
  const width = $(id).tHead.rows[0].cells.length;
  if (rows.length === 0) {
    body.replaceChildren(el("tr", null, el("td", { class: "none", colspan: width }, empty)));
    return;
  }
  body.replaceChildren(...rows.map((row) => el("tr", null, ...cells(row).map(([text, kind]) => el("td", kind ? { class: kind } : null, text)))));
}

// --- the loop

// point computes what the plots show of a moment: rates and quantiles since a moment at least PERIOD older.
function point(moment, older) {
  const p = {
    now: moment.now, inUse: moment.use.in_use, inUsePeak: moment.use.in_use_peak, waitingPeak: moment.use.waiting_peak,
    all: null, good: null, refused: null, broken: null, p50: null, p95: null, p99: null, db50: null, db95: null, wait95: null,
  };
  if (!older) return p;
  const seconds = (moment.now - older.now) / 1000;
  const rate = (c) => (moment.classes[c] - older.classes[c]) / seconds;
  p.good = rate("1xx") + rate("2xx") + rate("3xx");
  p.refused = rate("4xx");
  p.broken = rate("5xx");
  p.all = p.good + p.refused + p.broken;
  const total = between(older.duration, moment.duration), db = between(older.database, moment.database), wait = between(older.wait, moment.wait);
  [p.p50, p.p95, p.p99] = [0.5, 0.95, 0.99].map((q) => quantile(total, q, bounds()));
  [p.db50, p.db95] = [0.5, 0.95].map((q) => quantile(db, q, bounds()));
  p.wait95 = quantile(wait, 0.95, bounds());
  return p;
}

const bounds = () => samples[samples.length - 1].bounds;

// kept is the number of the last moment of the history that the page has.
const kept = () => moments.reduce((last, moment) => Math.max(last, moment.number), 0);

function keep(moment) {
  points.push(point(moment, moments.findLast((m) => m.now <= moment.now - PERIOD)));
  moments.push(moment);
  while (moments[0].now < moment.now - KEEP) { moments.shift(); points.shift(); }
}

function take(sample) {
  const last = samples[samples.length - 1];
  if (last && last.started !== sample.started) [samples, moments, points].forEach((list) => { list.length = 0; }); // a new process: its counters started at zero
  samples.push(sample);
  if (samples.length > WINDOW + 1) samples.shift();
  // The sample stands for the latest moment until the history has a later one.
  if (moments.length && !moments[moments.length - 1].number) { moments.pop(); points.pop(); }
  sample.history.forEach(keep);
  keep(sample);
  show(sample, samples.length > 1 ? samples[0] : null);
  plots.forEach((draw) => draw());
}

async function poll() {
  if (!document.hidden) {
    try {
      const answer = await fetch("ui.json?after=" + kept(), { cache: "no-store", signal: AbortSignal.timeout(10000) });
      if (!answer.ok) throw new Error(answer.status);
      take(await answer.json());
      failed = 0;
    } catch {
      failed++;
      state("bad", "no answer");
      notice("The admin server does not answer. What is shown is the last that was heard of it.");
    }
  }
  setTimeout(poll, failed ? Math.min(EVERY * 2 ** failed, 16000) : EVERY);
}

poll();
