"use strict";
(() => {
  const page = JSON.parse(document.getElementById("map-data").textContent);
  const at = (id) => document.getElementById(id);
  const plot = at("plot");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const count = page.x.length;
  const SHAPES = ["circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon"];
  const PATHS = { // of the same shapes in a legend, in a box from -6 to 6
    circle: "M5 0A5 5 0 1 1-5 0A5 5 0 1 1 5 0Z", square: "M-4.5-4.5H4.5V4.5H-4.5Z", diamond: "M0-6L5.4 0 0 6-5.4 0Z",
    "triangle-up": "M0-5.5L5.5 4.5H-5.5Z", cross: "M-1.8-5.5H1.8V-1.8H5.5V1.8H1.8V5.5H-1.8V1.8H-5.5V-1.8H-1.8Z",
    x: "M-3-5.6L0-2.6 3-5.6 5.6-3 2.6 0 5.6 3 3 5.6 0 2.6-3 5.6-5.6 3-2.6 0-5.6-3Z",
    star: "M0-6L1.6-2H6L2.5.8 3.8 5.3 0 2.6-3.8 5.3-2.5.8-6-2H-1.6Z", hexagon: "M0-5.6L4.9-2.8V2.8L0 5.6-4.9 2.8V-2.8Z",
  };
  const MOST = 24; // groups with a colour of their own
  const FOUND = 30; // tracks listed under the search box
  const NAMES = 40; // clusters whose name may stand on the map
  const SIZE = count < 600 ? 9 : count < 6000 ? 6 : 4;
  const state = { colour: page.dimensions[0]?.key, hidden: new Map(), matches: null, chosen: null, taken: [], drag: "pan" };

  const make = (name, text, attributes = {}, ...children) => {
    const element = document.createElement(name);
    if (text !== null && text !== undefined && text !== "") element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const palette = () => page.palettes[dark.matches ? "dark" : "light"];
  const dimension = (key) => page.dimensions.find((one) => one.key === key);
  const value = (key, row) => {
    const one = dimension(key);
    if (!one) return null;
    if (one.values) return one.values[row];
    return one.codes[row] < 0 ? null : one.names[one.codes[row]];
  };
  const name = (coded, row) => (coded.codes[row] < 0 ? null : coded.names[coded.codes[row]]);
  const by = (row) => value("artist", row);
  const full = (row) => (page.root ? page.root.replace(/[\\/]$/, "") + page.separator : "") + page.path[row];
  const link = (row) => page.base === null ? null
    : page.base + page.path[row].split(page.separator).map(encodeURIComponent).join("/").replace(/^\/+/, page.base === "file://" ? "/" : "");
  const percent = (share) => `${Math.round(100 * share)}%`;

  let upright = false;
  const turn = () => { // the map is wide; where there is more height than width it is shown upright
    const box = plot.getBoundingClientRect();
    if (box.height > box.width === upright) return false;
    upright = !upright;
    [page.x, page.y] = [page.y, page.x];
    for (const one of [...page.clusters, ...(page.weakest ? [page.weakest] : [])]) [one.x, one.y] = [one.y, one.x];
    return true;
  };
  turn();

  // What is drawn

  const groups = () => {
    const one = dimension(state.colour);
    const all = Array.from({ length: count }, (_, row) => row);
    if (!one) return [{ key: "all", name: "tracks", rows: all, colour: palette().lines[0], shape: "circle" }];
    if (one.values) {
      const known = all.filter((row) => one.values[row] !== null);
      return [
        { key: "known", name: one.says, rows: known, numbers: known.map((row) => one.values[row]), shape: "circle", dimension: one },
        { key: "unknown", name: "unknown", rows: all.filter((row) => one.values[row] === null), colour: palette().faint, shape: "circle-open" },
      ].filter((group) => group.rows.length);
    }
    const rows = one.names.map(() => []);
    const unknown = [];
    one.codes.forEach((code, row) => (code < 0 ? unknown : rows[code]).push(row));
    const order = one.names.map((_, code) => code).filter((code) => rows[code].length);
    const kept = order.length > MOST ? [...order].sort((a, b) => rows[b].length - rows[a].length || a - b).slice(0, MOST) : order;
    const own = new Set(kept);
    const lines = palette().lines;
    const result = order.filter((code) => own.has(code)).map((code) => ({
      key: `c${code}`, name: one.names[code], rows: rows[code], colour: lines[code % lines.length],
      shape: SHAPES[(code + Math.floor(code / lines.length)) % SHAPES.length],
    }));
    const rest = order.filter((code) => !own.has(code)).flatMap((code) => rows[code]);
    if (rest.length) result.push({ key: "rest", name: `${order.length - own.size} others`, rows: rest, colour: palette().faint, shape: "circle" });
    const none = one.key === "cluster" ? "in none" : "unknown";
    if (unknown.length) result.push({ key: "unknown", name: none, rows: unknown, colour: palette().faint, shape: "circle-open" });
    return result;
  };
  const off = () => {
    if (!state.hidden.has(state.colour)) state.hidden.set(state.colour, new Set());
    return state.hidden.get(state.colour);
  };
  const shownRows = () => groups().filter((group) => !off().has(group.key)).flatMap((group) => group.rows)
    .filter((row) => !state.matches || state.matches.has(row)).sort((a, b) => a - b);

  const strength = (row) => (!state.matches || state.matches.has(row) ? 0.85 : 0.1);
  const points = (group) => ({
    type: "scattergl", mode: "markers", meta: "points", name: group.name, customdata: group.rows, hoverinfo: "none",
    x: group.rows.map((row) => page.x[row]), y: group.rows.map((row) => page.y[row]),
    marker: {
      size: SIZE, symbol: group.shape, line: { width: group.shape.endsWith("-open") ? 1.5 : 0, color: group.colour }, opacity: state.matches ? group.rows.map(strength) : 0.85,
      ...(group.numbers
        ? { color: group.numbers, colorscale: palette().numbers, ...ends(group.dimension) }
        : { color: group.colour }),
    },
    unselected: { marker: { opacity: 0.12 } },
  });
  const ends = (one) => {
    const known = one.values.filter((number) => number !== null);
    const [low, high] = one.range || [quantile(known, 0.02), quantile(known, 0.98)];
    return { cmin: low, cmax: high };
  };
  const quantile = (numbers, share) => [...numbers].sort((a, b) => a - b)[Math.round(share * (numbers.length - 1))];

  const traces = () => {
    const result = groups().filter((group) => !off().has(group.key)).map(points);
    if (state.chosen !== null) {
      const from = state.chosen;
      const near = page.near[from];
      const ink = palette().ink;
      const still = { type: "scattergl", hoverinfo: "skip" };
      result.unshift({
        ...still, meta: "lines", mode: "lines", line: { color: ink, width: 1.2 }, opacity: 0.7,
        x: near.flatMap((row) => [page.x[from], page.x[row], null]), y: near.flatMap((row) => [page.y[from], page.y[row], null]),
      });
      const ring = (rows, more, width) => ({
        ...still, meta: "rings", mode: "markers", x: rows.map((row) => page.x[row]), y: rows.map((row) => page.y[row]),
        marker: { symbol: "circle-open", size: SIZE + more, color: ink, line: { width, color: ink } },
        unselected: { marker: { opacity: 1 } },
      });
      result.push(ring(near, 4, 1.2), ring([from], 9, 3));
    }
    return result;
  };

  const extent = (places) => {
    const [low, high] = places.reduce(([least, most], place) => [Math.min(least, place), Math.max(most, place)], [Infinity, -Infinity]);
    const margin = 0.04 * (high - low) + 0.1;
    return [low - margin, high + margin];
  };
  const layout = () => {
    const axis = { visible: false, showgrid: false, zeroline: false, autorange: false };
    const [x, y] = ["xaxis", "yaxis"].map((side) => plot.layout?.[side]?.range); // where the map has been moved to
    return {
      autosize: true, dragmode: state.drag, hovermode: "closest", showlegend: false, uirevision: "map", hoverdistance: 12,
      margin: { l: 8, r: 8, t: 8, b: 8 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      xaxis: { ...axis, range: [...(x || extent(page.x))] }, yaxis: { ...axis, range: [...(y || extent(page.y))], scaleanchor: "x" },
      font: { color: palette().ink, family: getComputedStyle(document.body).fontFamily },
      newselection: { line: { color: palette().ink, width: 2, dash: "solid" } }, selections: [],
      annotations: [], shapes: weak(),
    };
  };
  const weak = () => !page.weakest || state.colour !== "right" ? [] : [{
    type: "circle", xref: "x", yref: "y", line: { color: palette().ink, width: 2, dash: "dash" },
    x0: page.weakest.x - page.weakest.radius, x1: page.weakest.x + page.weakest.radius,
    y0: page.weakest.y - page.weakest.radius, y1: page.weakest.y + page.weakest.radius,
  }];

  const shortened = (text) => (text.length > 34 ? `${text.slice(0, 33)}…` : text);
  const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const labels = () => { // the largest clusters first; a name that would cover another one is left out
    const { xaxis, yaxis } = plot.layout;
    if (!xaxis.range || !yaxis.range) return [];
    const box = plot.getBoundingClientRect();
    const scale = (range, length) => (place) => (place - range[0]) / (range[1] - range[0]) * length;
    const [x, y] = [scale(xaxis.range, box.width), scale(yaxis.range, box.height)];
    const taken = [];
    const texts = [...page.clusters.map((one) => ({ ...one, text: `${shortened(one.name)} (${one.tracks})` })).sort((a, b) => b.tracks - a.tracks).slice(0, NAMES)];
    if (page.weakest && state.colour === "right")
      texts.unshift({ text: `fails most: ${percent(page.weakest.error_rate)} of ${page.weakest.tracks}`, x: page.weakest.x, y: page.weakest.y + page.weakest.radius });
    return texts.flatMap((one) => {
      const half = [3.6 * one.text.length + 6, 11];
      const own = x(one.x);
      const place = [Math.min(Math.max(own, half[0]), box.width - half[0]), y(one.y)]; // inside the map, if its place is
      if (own < 0 || own > box.width) return [];
      if (taken.some((other) => Math.abs(other.place[0] - place[0]) < half[0] + other.half[0] && Math.abs(other.place[1] - place[1]) < half[1] + other.half[1])) return [];
      taken.push({ place, half });
      return [{
        x: one.x, y: one.y, text: escaped(one.text), showarrow: false, xshift: place[0] - own, font: { size: 13, color: palette().ink },
        captureevents: false,
      }];
    });
  };
  let naming = false;
  const nameClusters = async () => {
    if (naming) return;
    naming = true;
    await Plotly.relayout(plot, { annotations: labels() });
    naming = false;
  };
  const draw = async () => {
    const config = { displayModeBar: false, scrollZoom: true, responsive: true, doubleClick: false };
    await Plotly.react(plot, traces(), layout(), config);
    await nameClusters();
  };

  // The legend filters

  const mark = (group) => {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    for (const [key, text] of Object.entries({ width: 14, height: 14, viewBox: "-7 -7 14 14", "aria-hidden": "true" })) svg.setAttribute(key, text);
    const path = document.createElementNS(space, "path");
    const open = group.shape.endsWith("-open");
    path.setAttribute("d", PATHS[group.shape.replace("-open", "")]);
    path.setAttribute(open ? "stroke" : "fill", group.colour);
    if (open) path.setAttribute("fill", "none");
    svg.append(path);
    return svg;
  };
  const legend = () => {
    const place = at("legend");
    place.replaceChildren();
    const all = groups();
    const entry = (group) => {
      const button = make("button", "", { type: "button", class: "entry", "aria-pressed": String(!off().has(group.key)) },
        ...(group.colour ? [mark(group)] : []), make("span", group.name), make("span", String(group.rows.length)));
      button.addEventListener("click", (event) => {
        const hidden = off();
        if (event.shiftKey) all.forEach((one) => (one === group ? hidden.delete(one.key) : hidden.add(one.key)));
        else if (!hidden.delete(group.key)) hidden.add(group.key);
        show();
        [...place.querySelectorAll("button.entry")][all.indexOf(group)]?.focus();
      });
      return button;
    };
    for (const group of all) {
      if (group.numbers) {
        const { cmin, cmax } = ends(group.dimension);
        const text = (number) => (group.dimension.unit === "%" ? percent(number) : `${Math.round(number)} ${group.dimension.unit}`);
        const colours = palette().numbers.map(([share, colour]) => `${colour} ${100 * share}%`).join(",");
        place.append(make("div", "", { class: "bar", style: `background:linear-gradient(90deg,${colours})` }),
          make("div", "", { class: "ends" }, make("span", text(cmin)), make("span", text(cmax))));
      }
      place.append(entry(group));
    }
    const choose = (text, act) => {
      const button = make("button", text, { type: "button" });
      button.addEventListener("click", () => { act(off()); show(); });
      return button;
    };
    if (all.length > 2) {
      place.append(make("div", "", { class: "row", style: "margin-top:.4rem" },
        choose("All", (hidden) => hidden.clear()), choose("None", (hidden) => all.forEach((group) => hidden.add(group.key)))));
    }
  };
  const show = () => { legend(); return draw(); };

  // One track: its card, its sound, its nearest

  const facts = (row) => {
    const answer = value("predicted", row);
    const sure = value("confidence", row);
    const judged = value("right", row);
    const cluster = value("cluster", row);
    const lean = page.leans[row] ? page.clusters[page.leans[row] - 1].name : null;
    const tempo = value("tempo", row);
    return [
      ["artist", by(row)], ["album", name(page.album, row)], ["genre", value("genre", row)],
      ["heard as", answer && `${answer}${sure === null ? "" : `, ${percent(sure)}`}${judged === "wrong" ? " (another than the label)" : ""}`, judged === "wrong"],
      ["cluster", cluster || (lean ? `in none; nearest ${lean}, ${percent(page.membership[row])}` : null)],
      ["tags", page.tags.codes[row].map((code) => page.tags.names[code]).join(", ")],
      ["tempo", tempo === null ? null : `${Math.round(tempo)} BPM`], ["key", name(page.key, row)],
      ["length", `${Math.floor(page.seconds[row] / 60)}:${String(page.seconds[row] % 60).padStart(2, "0")}`],
      ["file", page.path[row]],
    ].filter(([, text]) => text);
  };
  const list = (rows) => {
    const result = make("dl");
    for (const [key, text, wrong] of rows) result.append(make("dt", key), make("dd", text, wrong ? { class: "wrong" } : {}));
    return result;
  };
  const sound = make("audio", "", { controls: "", preload: "none", id: "sound" });
  const unplayable = make("p", "", { class: "quiet", hidden: "" });
  sound.addEventListener("error", () => cannot());
  const cannot = () => {
    const address = state.chosen === null ? null : link(state.chosen);
    unplayable.replaceChildren("This page cannot play the file here. ", ...(address ? [make("a", "Open it", { href: address })] : []));
    unplayable.hidden = false;
  };
  const play = (row) => {
    const source = page.clips?.[row] || link(row);
    unplayable.hidden = true;
    sound.hidden = !source;
    if (!source) return;
    sound.src = source;
    sound.play().catch((error) => { if (error.name === "NotSupportedError") cannot(); });
  };
  const choose = (row, { sounds = true, look = false } = {}) => {
    state.chosen = row;
    const card = at("card");
    card.replaceChildren(make("h2", page.title[row]), sound, unplayable, list(facts(row)), make("h3", "Nearest by sound"));
    const near = make("ol");
    page.near[row].forEach((other, number) => {
      const button = make("button", "", { type: "button" }, make("span", page.title[other]),
        make("small", ` ${by(other) || ""} ${page.similarity[row][number].toFixed(2)}`));
      button.addEventListener("click", () => choose(other, { look: true }));
      near.append(make("li", "", {}, button));
    });
    card.append(near, exporters([row, ...page.near[row]], "Take these"));
    card.hidden = false;
    card.scrollIntoView({ block: "nearest" });
    document.querySelector("aside").scrollTop = 0;
    sound.setAttribute("aria-label", `${page.title[row]}, sound`);
    at("said").textContent = [page.title[row], by(row), value("genre", row)].filter(Boolean).join(", ");
    if (sounds) play(row);
    if (look) see(row);
    return draw();
  };
  const see = (row) => { // move the map if the track lies outside
    const { xaxis, yaxis } = plot.layout;
    const inside = (place, range) => place > range[0] && place < range[1];
    if (inside(page.x[row], xaxis.range) && inside(page.y[row], yaxis.range)) return;
    for (const [axis, place] of [[xaxis, page.x[row]], [yaxis, page.y[row]]]) {
      const half = (axis.range[1] - axis.range[0]) / 2;
      axis.range = [place - half, place + half];
    }
  };
  const release = () => {
    state.chosen = null;
    sound.pause();
    at("card").hidden = true;
    return draw();
  };

  // Lists to take away

  const save = (text, file, kind) => {
    const address = URL.createObjectURL(new Blob([text], { type: kind }));
    const anchor = make("a", "", { href: address, download: file });
    document.body.append(anchor);
    anchor.click();
    anchor.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  };
  const plain = (text) => String(text).replace(/[\r\n]+/g, " ");
  const m3u8 = (rows) => ["#EXTM3U", ...rows.filter((row) => !/[\r\n]/.test(full(row))).flatMap((row) =>
    [`#EXTINF:${page.seconds[row]},${plain(by(row) ? `${by(row)} - ${page.title[row]}` : page.title[row])}`, full(row)])].join("\n") + "\n";
  const field = (text) => (/[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  const csv = (rows) => {
    const columns = [
      ["file", full], ["title", (row) => page.title[row]], ["artist", by], ["album", (row) => name(page.album, row)],
      ...["genre", "cluster", "predicted", "confidence", "tempo"].map((key) => [key, (row) => value(key, row)]),
    ];
    const lines = [columns.map(([key]) => key), ...rows.map((row) => columns.map(([, of]) => of(row) ?? ""))];
    return lines.map((cells) => cells.map((cell) => field(String(cell))).join(",")).join("\n") + "\n";
  };
  const exporters = (rows, says) => {
    const button = (text, act) => {
      const one = make("button", text, { type: "button" });
      one.addEventListener("click", act);
      return one;
    };
    return make("div", "", { class: "row" }, make("span", says, { class: "quiet" }),
      button("M3U8", () => save(m3u8(rows), "tracks.m3u8", "audio/x-mpegurl")), button("CSV", () => save(csv(rows), "tracks.csv", "text/csv")));
  };
  const take = (rows) => {
    state.taken = rows;
    const place = at("list");
    place.replaceChildren();
    place.hidden = !rows.length;
    if (!rows.length) return;
    const clear = make("button", "Let go", { type: "button" });
    clear.addEventListener("click", () => { take([]); draw(); });
    const tools = exporters(rows, "as");
    tools.append(clear);
    requestAnimationFrame(() => place.scrollIntoView({ block: "nearest" }));
    place.append(make("h2", `${rows.length} ${rows.length === 1 ? "track" : "tracks"} taken`), tools);
    at("said").textContent = `${rows.length} tracks taken`;
  };
  const rowsOf = (event) => [...new Set(event.points.filter((point) => point.data.meta === "points").map((point) => point.customdata))]
    .filter((row) => !state.matches || state.matches.has(row)).sort((a, b) => a - b);

  // Search

  const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase(); // é is found by e, however it is stored
  const texts = Array.from({ length: count }, (_, row) =>
    folded([page.title[row], by(row), name(page.album, row), page.path[row]].filter(Boolean).join("\n")));
  const search = at("search");
  const found = at("found");
  const seek = () => {
    const words = folded(search.value).split(/\s+/).filter(Boolean);
    const rows = texts.flatMap((text, row) => (words.every((word) => text.includes(word)) ? [row] : []));
    state.matches = words.length ? new Set(rows) : null;
    found.replaceChildren();
    found.hidden = !words.length;
    for (const row of rows.slice(0, words.length ? FOUND : 0)) {
      const button = make("button", "", { type: "button" }, make("span", page.title[row]), make("small", ` ${by(row) || ""}`));
      button.addEventListener("click", () => { found.hidden = true; choose(row, { look: true }); });
      found.append(button);
    }
    found.append(make("p", rows.length > FOUND ? `and ${rows.length - FOUND} more` : rows.length ? "" : "no such track", { class: "quiet" }));
    return draw();
  };
  let waiting = 0;
  search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(seek, 150); });
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { clearTimeout(waiting); seek().then(() => found.querySelector("button")?.click()); }
    else if (event.key === "ArrowDown") { event.preventDefault(); found.querySelector("button")?.focus(); }
    else if (event.key === "Escape") { search.value = ""; seek(); }
  });
  found.addEventListener("keydown", (event) => {
    const all = [...found.querySelectorAll("button")];
    const next = all.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : NaN);
    if (event.key === "Escape") { found.hidden = true; search.focus(); }
    if (Number.isNaN(next)) return;
    event.preventDefault();
    (next < 0 ? search : all[Math.min(next, all.length - 1)]).focus();
  });
  document.addEventListener("pointerdown", (event) => { if (!event.target.closest(".search")) found.hidden = true; });

  // Mouse and keys on the map

  const hover = at("hover");
  const hint = (event) => {
    const point = event.points.find((one) => one.data.meta === "points");
    if (!point || event.event.buttons) return;
    const row = point.customdata;
    hover.replaceChildren(make("strong", page.title[row]), list(facts(row).filter(([key]) => !["album", "file", "length"].includes(key))));
    hover.hidden = false;
    const box = plot.getBoundingClientRect();
    const [left, top] = [event.event.clientX - box.left, event.event.clientY - box.top];
    hover.style.left = `${Math.max(0, left + 16 + hover.offsetWidth > box.width ? left - 16 - hover.offsetWidth : left + 16)}px`;
    hover.style.top = `${Math.max(0, Math.min(top + 12, box.height - hover.offsetHeight))}px`;
  };
  let moved = false; // whether somebody has zoomed or dragged the map; else it fills its place again when that changes
  const whole = async () => {
    const turned = turn();
    await Plotly.relayout(plot, { "xaxis.range": extent(page.x), "yaxis.range": extent(page.y) });
    if (turned) { // the lasso's line would lie elsewhere; its list stays
      await Plotly.restyle(plot, { selectedpoints: [null] });
      await draw();
    }
    moved = false;
  };
  let resizing = 0;
  addEventListener("resize", () => {
    clearTimeout(resizing);
    resizing = setTimeout(() => (moved ? nameClusters() : whole()), 250);
  });
  const zoom = (factor) => {
    const change = {};
    for (const side of ["xaxis", "yaxis"]) {
      const [low, high] = plot.layout[side].range;
      const [middle, half] = [(low + high) / 2, (high - low) / 2 * factor];
      change[`${side}.range`] = [middle - half, middle + half];
    }
    return Plotly.relayout(plot, change);
  };
  const step = (dx, dy) => { // to the nearest track that lies more that way than across
    const rows = shownRows();
    if (!rows.length) return;
    const { xaxis, yaxis } = plot.layout;
    const from = state.chosen === null
      ? [(xaxis.range[0] + xaxis.range[1]) / 2, (yaxis.range[0] + yaxis.range[1]) / 2] : [page.x[state.chosen], page.y[state.chosen]];
    const far = (row) => Math.hypot(page.x[row] - from[0], page.y[row] - from[1]);
    let best = null;
    for (const row of rows) {
      const along = (page.x[row] - from[0]) * dx + (page.y[row] - from[1]) * dy;
      const across = Math.abs((page.x[row] - from[0]) * dy) + Math.abs((page.y[row] - from[1]) * dx);
      if (row === state.chosen || (state.chosen !== null && (along <= 0 || across > along))) continue;
      if (best === null || far(row) < far(best)) best = row;
    }
    if (best !== null) choose(best, { sounds: false, look: true });
  };
  const KEYS = {
    ArrowLeft: () => step(-1, 0), ArrowRight: () => step(1, 0), ArrowUp: () => step(0, 1), ArrowDown: () => step(0, -1),
    Enter: () => { if (state.chosen !== null) play(state.chosen); }, "+": () => zoom(0.7), "=": () => zoom(0.7), "-": () => zoom(1 / 0.7),
    0: whole, Escape: () => { take([]); release(); },
  };
  plot.addEventListener("keydown", (event) => {
    if (!KEYS[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  const drag = (mode) => {
    state.drag = mode;
    at("move").setAttribute("aria-pressed", String(mode === "pan"));
    at("lasso").setAttribute("aria-pressed", String(mode === "lasso"));
    return Plotly.relayout(plot, { dragmode: mode });
  };
  at("move").addEventListener("click", () => drag("pan"));
  at("lasso").addEventListener("click", () => drag("lasso"));
  at("whole").addEventListener("click", whole);
  at("shown").addEventListener("click", () => take(shownRows()));
  const colour = at("colour");
  for (const one of page.dimensions) colour.append(make("option", one.says, { value: one.key }));
  colour.addEventListener("change", () => { state.colour = colour.value; show(); });

  legend();
  draw().then(() => {
    plot.on("plotly_click", (event) => {
      const point = event.points.find((one) => one.data.meta === "points");
      if (point) choose(point.customdata);
    });
    plot.on("plotly_hover", hint);
    plot.on("plotly_unhover", () => { hover.hidden = true; });
    plot.on("plotly_selected", (event) => { if (event) take(rowsOf(event)); });
    plot.on("plotly_relayout", (change) => {
      moved ||= Object.keys(change).some((key) => key.startsWith("xaxis.range") || key.startsWith("yaxis.range"));
      if (!("annotations" in change)) nameClusters();
    });
    document.documentElement.dataset.drawn = "yes";
  });
  dark.addEventListener("change", show);
})();
