"use strict";
(() => {
  const data = JSON.parse(document.getElementById("map-data").textContent);
  const byId = (id) => document.getElementById(id);
  const plot = byId("plot");
  const darkScheme = matchMedia("(prefers-color-scheme: dark)");
  const trackCount = data.x.length;
  const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon"];
  const SYMBOL_PATHS = { // SVG paths of the same symbols for the legend, in a box from -6 to 6
    circle: "M5 0A5 5 0 1 1-5 0A5 5 0 1 1 5 0Z", square: "M-4.5-4.5H4.5V4.5H-4.5Z", diamond: "M0-6L5.4 0 0 6-5.4 0Z",
    "triangle-up": "M0-5.5L5.5 4.5H-5.5Z", cross: "M-1.8-5.5H1.8V-1.8H5.5V1.8H1.8V5.5H-1.8V1.8H-5.5V-1.8H-1.8Z",
    x: "M-3-5.6L0-2.6 3-5.6 5.6-3 2.6 0 5.6 3 3 5.6 0 2.6-3 5.6-5.6 3-2.6 0-5.6-3Z",
    star: "M0-6L1.6-2H6L2.5.8 3.8 5.3 0 2.6-3.8 5.3-2.5.8-6-2H-1.6Z", hexagon: "M0-5.6L4.9-2.8V2.8L0 5.6-4.9 2.8V-2.8Z",
  };
  const MAX_COLOURED_GROUPS = 24; // the largest groups; the others share one grey entry
  const MAX_SEARCH_RESULTS = 30;
  const MAX_CLUSTER_LABELS = 40;
  const POINT_SIZE = trackCount < 600 ? 9 : trackCount < 6000 ? 6 : 4;
  const state = {
    colourBy: data.colour_options[0]?.key,
    hiddenGroups: new Map(), // colour option -> set of the keys of its hidden groups
    matches: null, // rows that match the search; null without a search
    current: null, // row of the track on the card
    dragMode: "pan",
  };

  const makeElement = (name, text, attributes = {}, ...children) => {
    const element = document.createElement(name);
    if (text !== null && text !== undefined && text !== "") element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const makeButton = (text, onClick, attributes = {}, ...children) => {
    const button = makeElement("button", text, { type: "button", ...attributes }, ...children);
    button.addEventListener("click", onClick);
    return button;
  };
  const currentPalette = () => data.palettes[darkScheme.matches ? "dark" : "light"];
  const colourOption = (key) => data.colour_options.find((option) => option.key === key);
  const decode = (column, row) => (column.codes[row] < 0 ? null : column.names[column.codes[row]]);
  const valueOf = (key, row) => {
    const option = colourOption(key);
    if (!option) return null;
    return option.values ? option.values[row] : decode(option, row);
  };
  const artistOf = (row) => valueOf("artist", row);
  const fullPath = (row) => (data.root ? data.root.replace(/[\\/]$/, "") + data.separator : "") + data.path[row];
  const audioUrl = (row) => data.base === null ? null
    : data.base + data.path[row].split(data.separator).map(encodeURIComponent).join("/").replace(/^\/+/, data.base === "file://" ? "/" : "");
  const formatPercent = (fraction) => `${Math.round(100 * fraction)}%`;

  let transposed = false;
  const orientMap = () => { // the map is wider than tall; swap x and y where the plot is taller than wide
    const box = plot.getBoundingClientRect();
    if (box.height > box.width === transposed) return false;
    transposed = !transposed;
    [data.x, data.y] = [data.y, data.x];
    for (const item of [...data.clusters, ...(data.weakest ? [data.weakest] : [])]) [item.x, item.y] = [item.y, item.x];
    return true;
  };
  orientMap();

  // Plot

  const groupTracks = () => {
    const option = colourOption(state.colourBy);
    const allRows = Array.from({ length: trackCount }, (_, row) => row);
    const { lines, faint } = currentPalette();
    if (!option) return [{ key: "all", name: "tracks", rows: allRows, colour: lines[0], symbol: "circle" }];
    if (option.values) {
      const known = allRows.filter((row) => option.values[row] !== null);
      const unknown = allRows.filter((row) => option.values[row] === null);
      return [
        { key: "known", name: option.label, rows: known, numbers: known.map((row) => option.values[row]), symbol: "circle", option },
        { key: "unknown", name: "unknown", rows: unknown, colour: faint, symbol: "circle-open" },
      ].filter((group) => group.rows.length);
    }
    const rowsOfCode = option.names.map(() => []);
    const unknown = [];
    option.codes.forEach((code, row) => (code < 0 ? unknown : rowsOfCode[code]).push(row));
    const used = option.names.map((_, code) => code).filter((code) => rowsOfCode[code].length);
    const bySize = [...used].sort((a, b) => rowsOfCode[b].length - rowsOfCode[a].length || a - b);
    const coloured = new Set(bySize.slice(0, MAX_COLOURED_GROUPS));
    const groups = used.filter((code) => coloured.has(code)).map((code) => ({
      key: `c${code}`, name: option.names[code], rows: rowsOfCode[code], colour: lines[code % lines.length],
      symbol: SYMBOLS[(code + Math.floor(code / lines.length)) % SYMBOLS.length],
    }));
    const others = used.filter((code) => !coloured.has(code));
    if (others.length)
      groups.push({ key: "rest", name: `${others.length} others`, rows: others.flatMap((code) => rowsOfCode[code]), colour: faint, symbol: "circle" });
    const nameOfUnknown = option.key === "cluster" ? "no cluster" : "unknown";
    if (unknown.length) groups.push({ key: "unknown", name: nameOfUnknown, rows: unknown, colour: faint, symbol: "circle-open" });
    return groups;
  };
  const hiddenGroups = () => {
    if (!state.hiddenGroups.has(state.colourBy)) state.hiddenGroups.set(state.colourBy, new Set());
    return state.hiddenGroups.get(state.colourBy);
  };
  const visibleGroups = () => groupTracks().filter((group) => !hiddenGroups().has(group.key));
  const isMatch = (row) => !state.matches || state.matches.has(row);
  const visibleRows = () => visibleGroups().flatMap((group) => group.rows).filter(isMatch).sort((a, b) => a - b);

  const quantile = (numbers, fraction) => [...numbers].sort((a, b) => a - b)[Math.round(fraction * (numbers.length - 1))];
  const colourRange = (option) => {
    const known = option.values.filter((number) => number !== null);
    const [low, high] = option.range || [quantile(known, 0.02), quantile(known, 0.98)];
    return { cmin: low, cmax: high };
  };
  const pointTrace = (group) => ({
    type: "scattergl", mode: "markers", meta: "points", name: group.name, customdata: group.rows, hoverinfo: "none",
    x: group.rows.map((row) => data.x[row]), y: group.rows.map((row) => data.y[row]),
    marker: {
      size: POINT_SIZE, symbol: group.symbol, line: { width: group.symbol.endsWith("-open") ? 1.5 : 0, color: group.colour },
      opacity: state.matches ? group.rows.map((row) => (isMatch(row) ? 0.85 : 0.1)) : 0.85,
      ...(group.numbers
        ? { color: group.numbers, colorscale: currentPalette().colourscale, ...colourRange(group.option) }
        : { color: group.colour }),
    },
    unselected: { marker: { opacity: 0.12 } },
  });
  const makeTraces = () => {
    const traces = visibleGroups().map(pointTrace);
    if (state.current === null) return traces;
    const row = state.current;
    const neighbours = data.neighbours[row];
    const { ink } = currentPalette();
    const lines = {
      type: "scattergl", hoverinfo: "skip", meta: "lines", mode: "lines", line: { color: ink, width: 1.2 }, opacity: 0.7,
      x: neighbours.flatMap((other) => [data.x[row], data.x[other], null]), y: neighbours.flatMap((other) => [data.y[row], data.y[other], null]),
    };
    const rings = (rows, extraSize, width) => ({
      type: "scattergl", hoverinfo: "skip", meta: "rings", mode: "markers", x: rows.map((one) => data.x[one]), y: rows.map((one) => data.y[one]),
      marker: { symbol: "circle-open", size: POINT_SIZE + extraSize, color: ink, line: { width, color: ink } },
      unselected: { marker: { opacity: 1 } },
    });
    return [lines, ...traces, rings(neighbours, 4, 1.2), rings([row], 9, 3)];
  };

  const fullRange = (positions) => {
    const [low, high] = positions.reduce(([min, max], position) => [Math.min(min, position), Math.max(max, position)], [Infinity, -Infinity]);
    const margin = 0.04 * (high - low) + 0.1;
    return [low - margin, high + margin];
  };
  const makeLayout = () => {
    const axis = { visible: false, showgrid: false, zeroline: false, autorange: false };
    const [x, y] = ["xaxis", "yaxis"].map((side) => plot.layout?.[side]?.range); // keep the current view
    return {
      autosize: true, dragmode: state.dragMode, hovermode: "closest", showlegend: false, uirevision: "map", hoverdistance: 12,
      margin: { l: 8, r: 8, t: 8, b: 8 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      xaxis: { ...axis, range: [...(x || fullRange(data.x))] }, yaxis: { ...axis, range: [...(y || fullRange(data.y))], scaleanchor: "x" },
      font: { color: currentPalette().ink, family: getComputedStyle(document.body).fontFamily },
      newselection: { line: { color: currentPalette().ink, width: 2, dash: "solid" } }, selections: [],
      annotations: [], shapes: weakRegionShapes(),
    };
  };
  const weakRegionShapes = () => !data.weakest || state.colourBy !== "correct" ? [] : [{
    type: "circle", xref: "x", yref: "y", line: { color: currentPalette().ink, width: 2, dash: "dash" },
    x0: data.weakest.x - data.weakest.radius, x1: data.weakest.x + data.weakest.radius,
    y0: data.weakest.y - data.weakest.radius, y1: data.weakest.y + data.weakest.radius,
  }];

  const shorten = (text) => (text.length > 34 ? `${text.slice(0, 33)}…` : text);
  const escapeMarkup = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const makeClusterLabels = () => { // the largest clusters first; a label that would overlap another one is left out
    const { xaxis, yaxis } = plot.layout;
    if (!xaxis.range || !yaxis.range) return [];
    const box = plot.getBoundingClientRect();
    const toPixels = (range, length) => (position) => (position - range[0]) / (range[1] - range[0]) * length;
    const [x, y] = [toPixels(xaxis.range, box.width), toPixels(yaxis.range, box.height)];
    const placed = [];
    const candidates = data.clusters.map((cluster) => ({ ...cluster, text: `${shorten(cluster.name)} (${cluster.tracks})` }))
      .sort((a, b) => b.tracks - a.tracks).slice(0, MAX_CLUSTER_LABELS);
    if (data.weakest && state.colourBy === "correct")
      candidates.unshift({
        text: `highest error rate: ${formatPercent(data.weakest.error_rate)} of ${data.weakest.tracks}`,
        x: data.weakest.x, y: data.weakest.y + data.weakest.radius,
      });
    return candidates.flatMap((label) => {
      const half = [3.6 * label.text.length + 6, 11]; // half of the estimated width and height
      const anchor = x(label.x);
      if (anchor < 0 || anchor > box.width) return [];
      const centre = [Math.min(Math.max(anchor, half[0]), box.width - half[0]), y(label.y)]; // shifted to fit into the plot
      const overlaps = (other) => Math.abs(other.centre[0] - centre[0]) < half[0] + other.half[0]
        && Math.abs(other.centre[1] - centre[1]) < half[1] + other.half[1];
      if (placed.some(overlaps)) return [];
      placed.push({ centre, half });
      return [{
        x: label.x, y: label.y, text: escapeMarkup(label.text), showarrow: false, xshift: centre[0] - anchor,
        font: { size: 13, color: currentPalette().ink }, captureevents: false,
      }];
    });
  };
  let updatingLabels = false;
  const updateClusterLabels = async () => {
    if (updatingLabels) return;
    updatingLabels = true;
    await Plotly.relayout(plot, { annotations: makeClusterLabels() });
    updatingLabels = false;
  };
  const drawPlot = async () => {
    const config = { displayModeBar: false, scrollZoom: true, responsive: true, doubleClick: false };
    await Plotly.react(plot, makeTraces(), makeLayout(), config);
    await updateClusterLabels();
  };

  // Legend

  const makeSymbol = (group) => {
    const namespace = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(namespace, "svg");
    for (const [key, text] of Object.entries({ width: 14, height: 14, viewBox: "-7 -7 14 14", "aria-hidden": "true" })) svg.setAttribute(key, text);
    const path = document.createElementNS(namespace, "path");
    const open = group.symbol.endsWith("-open");
    path.setAttribute("d", SYMBOL_PATHS[group.symbol.replace("-open", "")]);
    path.setAttribute(open ? "stroke" : "fill", group.colour);
    if (open) path.setAttribute("fill", "none");
    svg.append(path);
    return svg;
  };
  const makeColourBar = (option) => {
    const { cmin, cmax } = colourRange(option);
    const format = (number) => (option.unit === "%" ? formatPercent(number) : `${Math.round(number)} ${option.unit}`);
    const stops = currentPalette().colourscale.map(([fraction, colour]) => `${colour} ${100 * fraction}%`).join(",");
    return [
      makeElement("div", "", { class: "bar", style: `background:linear-gradient(90deg,${stops})` }),
      makeElement("div", "", { class: "bar-ends" }, makeElement("span", format(cmin)), makeElement("span", format(cmax))),
    ];
  };
  const updateLegend = () => {
    const legend = byId("legend");
    legend.replaceChildren();
    const groups = groupTracks();
    const makeEntry = (group) => makeButton("", (event) => {
      const hidden = hiddenGroups();
      if (event.shiftKey) groups.forEach((one) => (one === group ? hidden.delete(one.key) : hidden.add(one.key)));
      else if (!hidden.delete(group.key)) hidden.add(group.key);
      redraw();
      [...legend.querySelectorAll("button.entry")][groups.indexOf(group)]?.focus();
    }, { class: "entry", "aria-pressed": String(!hiddenGroups().has(group.key)) },
    ...(group.colour ? [makeSymbol(group)] : []), makeElement("span", group.name), makeElement("span", String(group.rows.length)));
    for (const group of groups) {
      if (group.numbers) legend.append(...makeColourBar(group.option));
      legend.append(makeEntry(group));
    }
    if (groups.length > 2) {
      const showAll = makeButton("All", () => { hiddenGroups().clear(); redraw(); });
      const hideAll = makeButton("None", () => { groups.forEach((group) => hiddenGroups().add(group.key)); redraw(); });
      legend.append(makeElement("div", "", { class: "row", style: "margin-top:.4rem" }, showAll, hideAll));
    }
  };
  const redraw = () => { updateLegend(); return drawPlot(); };

  // Track card: facts, audio player, most similar tracks

  const listFacts = (row) => {
    const predicted = valueOf("predicted", row);
    const confidence = valueOf("confidence", row);
    const wrong = valueOf("correct", row) === "wrong";
    const closest = data.closest_cluster[row] ? data.clusters[data.closest_cluster[row] - 1].name : null;
    const tempo = valueOf("tempo", row);
    return [
      ["artist", artistOf(row)], ["album", decode(data.album, row)], ["genre", valueOf("genre", row)],
      ["predicted", predicted && `${predicted}${confidence === null ? "" : `, ${formatPercent(confidence)}`}${wrong ? " (differs from the label)" : ""}`, wrong],
      ["cluster", valueOf("cluster", row) || (closest ? `none; closest ${closest}, ${formatPercent(data.membership[row])}` : null)],
      ["tags", data.tags.codes[row].map((code) => data.tags.names[code]).join(", ")],
      ["tempo", tempo === null ? null : `${Math.round(tempo)} BPM`], ["key", decode(data.key, row)],
      ["length", `${Math.floor(data.seconds[row] / 60)}:${String(data.seconds[row] % 60).padStart(2, "0")}`],
      ["file", data.path[row]],
    ].filter(([, text]) => text);
  };
  const makeDefinitionList = (facts) => {
    const list = makeElement("dl");
    for (const [name, text, wrong] of facts) list.append(makeElement("dt", name), makeElement("dd", text, wrong ? { class: "wrong" } : {}));
    return list;
  };
  const player = makeElement("audio", "", { controls: "", preload: "none", id: "player" });
  const playError = makeElement("p", "", { class: "muted", hidden: "" });
  player.addEventListener("error", () => showPlayError());
  const showPlayError = () => {
    const url = state.current === null ? null : audioUrl(state.current);
    playError.replaceChildren("The browser cannot play this file here. ", ...(url ? [makeElement("a", "Open the file", { href: url })] : []));
    playError.hidden = false;
  };
  const play = (row) => {
    const source = data.clips?.[row] || audioUrl(row);
    playError.hidden = true;
    player.hidden = !source;
    if (!source) return;
    player.src = source;
    player.play().catch((error) => { if (error.name === "NotSupportedError") showPlayError(); });
  };
  const openTrack = (row, { playAudio = true, moveView = false } = {}) => {
    state.current = row;
    const similar = makeElement("ol");
    data.neighbours[row].forEach((other, rank) => {
      const details = makeElement("small", ` ${artistOf(other) || ""} ${data.similarities[row][rank].toFixed(2)}`);
      const button = makeButton("", () => openTrack(other, { moveView: true }), {}, makeElement("span", data.title[other]), details);
      similar.append(makeElement("li", "", {}, button));
    });
    const card = byId("card");
    card.replaceChildren(makeElement("h2", data.title[row]), player, playError, makeDefinitionList(listFacts(row)),
      makeElement("h3", "Most similar tracks"), similar, makeExportButtons([row, ...data.neighbours[row]], "Export all as"));
    card.hidden = false;
    card.scrollIntoView({ block: "nearest" });
    document.querySelector("aside").scrollTop = 0;
    player.setAttribute("aria-label", `Audio of ${data.title[row]}`);
    byId("status").textContent = [data.title[row], artistOf(row), valueOf("genre", row)].filter(Boolean).join(", ");
    if (playAudio) play(row);
    if (moveView) moveViewTo(row);
    return drawPlot();
  };
  const moveViewTo = (row) => { // only if the track is outside the current view
    const { xaxis, yaxis } = plot.layout;
    const isInside = (position, range) => position > range[0] && position < range[1];
    if (isInside(data.x[row], xaxis.range) && isInside(data.y[row], yaxis.range)) return;
    for (const [axis, position] of [[xaxis, data.x[row]], [yaxis, data.y[row]]]) {
      const half = (axis.range[1] - axis.range[0]) / 2;
      axis.range = [position - half, position + half];
    }
  };
  const closeTrack = () => {
    state.current = null;
    player.pause();
    byId("card").hidden = true;
    return drawPlot();
  };

  // Export of track lists

  const download = (text, file, type) => {
    const url = URL.createObjectURL(new Blob([text], { type }));
    const anchor = makeElement("a", "", { href: url, download: file });
    document.body.append(anchor);
    anchor.click();
    anchor.remove();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  const toSingleLine = (text) => String(text).replace(/[\r\n]+/g, " ");
  const toM3u8 = (rows) => ["#EXTM3U", ...rows.filter((row) => !/[\r\n]/.test(fullPath(row))).flatMap((row) => {
    const name = artistOf(row) ? `${artistOf(row)} - ${data.title[row]}` : data.title[row];
    return [`#EXTINF:${data.seconds[row]},${toSingleLine(name)}`, fullPath(row)];
  })].join("\n") + "\n";
  const quoteCsv = (text) => (/[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  const toCsv = (rows) => {
    const columns = [
      ["file", fullPath], ["title", (row) => data.title[row]], ["artist", artistOf], ["album", (row) => decode(data.album, row)],
      ...["genre", "cluster", "predicted", "confidence", "tempo"].map((key) => [key, (row) => valueOf(key, row)]),
    ];
    const lines = [columns.map(([name]) => name), ...rows.map((row) => columns.map(([, getValue]) => getValue(row) ?? ""))];
    return lines.map((cells) => cells.map((cell) => quoteCsv(String(cell))).join(",")).join("\n") + "\n";
  };
  const makeExportButtons = (rows, label) => makeElement("div", "", { class: "row" }, makeElement("span", label, { class: "muted" }),
    makeButton("M3U8", () => download(toM3u8(rows), "tracks.m3u8", "audio/x-mpegurl")),
    makeButton("CSV", () => download(toCsv(rows), "tracks.csv", "text/csv")));
  const selectTracks = (rows) => {
    const section = byId("selection");
    section.replaceChildren();
    section.hidden = !rows.length;
    if (!rows.length) return;
    const heading = `${rows.length} ${rows.length === 1 ? "track" : "tracks"} selected`;
    const buttons = makeExportButtons(rows, "Export as");
    buttons.append(makeButton("Clear", () => { selectTracks([]); drawPlot(); }));
    requestAnimationFrame(() => section.scrollIntoView({ block: "nearest" }));
    section.append(makeElement("h2", heading), buttons);
    byId("status").textContent = heading;
  };
  const rowsInLasso = (event) => [...new Set(event.points.filter((point) => point.data.meta === "points").map((point) => point.customdata))]
    .filter(isMatch).sort((a, b) => a - b);

  // Search

  const foldText = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase(); // ignore case and accents
  const searchTexts = Array.from({ length: trackCount }, (_, row) =>
    foldText([data.title[row], artistOf(row), decode(data.album, row), data.path[row]].filter(Boolean).join("\n")));
  const searchBox = byId("search");
  const results = byId("results");
  const runSearch = () => {
    const words = foldText(searchBox.value).split(/\s+/).filter(Boolean);
    const rows = searchTexts.flatMap((text, row) => (words.every((word) => text.includes(word)) ? [row] : []));
    state.matches = words.length ? new Set(rows) : null;
    results.replaceChildren();
    results.hidden = !words.length;
    for (const row of rows.slice(0, words.length ? MAX_SEARCH_RESULTS : 0)) {
      results.append(makeButton("", () => { results.hidden = true; openTrack(row, { moveView: true }); }, {},
        makeElement("span", data.title[row]), makeElement("small", ` ${artistOf(row) || ""}`)));
    }
    const more = rows.length - MAX_SEARCH_RESULTS;
    results.append(makeElement("p", more > 0 ? `and ${more} more` : rows.length ? "" : "no tracks found", { class: "muted" }));
    return drawPlot();
  };
  let searchTimer = 0;
  searchBox.addEventListener("input", () => { clearTimeout(searchTimer); searchTimer = setTimeout(runSearch, 150); });
  searchBox.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { clearTimeout(searchTimer); runSearch().then(() => results.querySelector("button")?.click()); }
    else if (event.key === "ArrowDown") { event.preventDefault(); results.querySelector("button")?.focus(); }
    else if (event.key === "Escape") { searchBox.value = ""; runSearch(); }
  });
  results.addEventListener("keydown", (event) => {
    const buttons = [...results.querySelectorAll("button")];
    const next = buttons.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : NaN);
    if (event.key === "Escape") { results.hidden = true; searchBox.focus(); }
    if (Number.isNaN(next)) return;
    event.preventDefault();
    (next < 0 ? searchBox : buttons[Math.min(next, buttons.length - 1)]).focus();
  });
  document.addEventListener("pointerdown", (event) => { if (!event.target.closest(".search")) results.hidden = true; });

  // Mouse and keyboard

  const hover = byId("hover");
  const showHover = (event) => {
    const point = event.points.find((one) => one.data.meta === "points");
    if (!point || event.event.buttons) return;
    const row = point.customdata;
    const facts = listFacts(row).filter(([name]) => !["album", "file", "length"].includes(name));
    hover.replaceChildren(makeElement("strong", data.title[row]), makeDefinitionList(facts));
    hover.hidden = false;
    const box = plot.getBoundingClientRect();
    const [left, top] = [event.event.clientX - box.left, event.event.clientY - box.top];
    hover.style.left = `${Math.max(0, left + 16 + hover.offsetWidth > box.width ? left - 16 - hover.offsetWidth : left + 16)}px`;
    hover.style.top = `${Math.max(0, Math.min(top + 12, box.height - hover.offsetHeight))}px`;
  };
  let viewChanged = false; // whether the user has zoomed or panned; until then the map is fitted again when the window is resized
  const resetView = async () => {
    const reoriented = orientMap();
    await Plotly.relayout(plot, { "xaxis.range": fullRange(data.x), "yaxis.range": fullRange(data.y) });
    if (reoriented) { // the outline of the lasso would be in the wrong place; the selected tracks stay listed
      await Plotly.restyle(plot, { selectedpoints: [null] });
      await drawPlot();
    }
    viewChanged = false;
  };
  let resizeTimer = 0;
  addEventListener("resize", () => {
    clearTimeout(resizeTimer);
    resizeTimer = setTimeout(() => (viewChanged ? updateClusterLabels() : resetView()), 250);
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
  const goInDirection = (dx, dy) => { // to the nearest track within 45° of the direction
    const rows = visibleRows();
    if (!rows.length) return;
    const { xaxis, yaxis } = plot.layout;
    const start = state.current === null
      ? [(xaxis.range[0] + xaxis.range[1]) / 2, (yaxis.range[0] + yaxis.range[1]) / 2] : [data.x[state.current], data.y[state.current]];
    const distance = (row) => Math.hypot(data.x[row] - start[0], data.y[row] - start[1]);
    let nearest = null;
    for (const row of rows) {
      const along = (data.x[row] - start[0]) * dx + (data.y[row] - start[1]) * dy;
      const across = Math.abs((data.x[row] - start[0]) * dy) + Math.abs((data.y[row] - start[1]) * dx);
      if (row === state.current || (state.current !== null && (along <= 0 || across > along))) continue;
      if (nearest === null || distance(row) < distance(nearest)) nearest = row;
    }
    if (nearest !== null) openTrack(nearest, { playAudio: false, moveView: true });
  };
  const KEYS = {
    ArrowLeft: () => goInDirection(-1, 0), ArrowRight: () => goInDirection(1, 0),
    ArrowUp: () => goInDirection(0, 1), ArrowDown: () => goInDirection(0, -1),
    Enter: () => { if (state.current !== null) play(state.current); },
    "+": () => zoom(0.7), "=": () => zoom(0.7), "-": () => zoom(1 / 0.7), 0: resetView,
    Escape: () => { selectTracks([]); closeTrack(); },
  };
  plot.addEventListener("keydown", (event) => {
    if (!KEYS[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  const setDragMode = (mode) => {
    state.dragMode = mode;
    byId("pan").setAttribute("aria-pressed", String(mode === "pan"));
    byId("lasso").setAttribute("aria-pressed", String(mode === "lasso"));
    return Plotly.relayout(plot, { dragmode: mode });
  };
  byId("pan").addEventListener("click", () => setDragMode("pan"));
  byId("lasso").addEventListener("click", () => setDragMode("lasso"));
  byId("reset-view").addEventListener("click", resetView);
  byId("select-visible").addEventListener("click", () => selectTracks(visibleRows()));
  const colourSelect = byId("colour");
  for (const option of data.colour_options) colourSelect.append(makeElement("option", option.label, { value: option.key }));
  colourSelect.addEventListener("change", () => { state.colourBy = colourSelect.value; redraw(); });

  updateLegend();
  drawPlot().then(() => {
    plot.on("plotly_click", (event) => {
      const point = event.points.find((one) => one.data.meta === "points");
      if (point) openTrack(point.customdata);
    });
    plot.on("plotly_hover", showHover);
    plot.on("plotly_unhover", () => { hover.hidden = true; });
    plot.on("plotly_selected", (event) => { if (event) selectTracks(rowsInLasso(event)); });
    plot.on("plotly_relayout", (change) => {
      viewChanged ||= Object.keys(change).some((key) => key.startsWith("xaxis.range") || key.startsWith("yaxis.range"));
      if (!("annotations" in change)) updateClusterLabels();
    });
    document.documentElement.dataset.drawn = "yes";
  });
  darkScheme.addEventListener("change", redraw);
})();
