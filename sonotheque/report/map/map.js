"use strict";
(() => {
  const data = JSON.parse(document.getElementById("map-data").textContent);
  const byId = (id) => document.getElementById(id);
  const plot = byId("plot");
  const hover = byId("hover");
  const darkScheme = matchMedia("(prefers-color-scheme: dark)");
  const trackCount = data.x.length;
  const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon"];
  const SYMBOL_PATHS = { // SVG paths of the same symbols for the legend, in a box from -6 to 6
    circle: "M5 0A5 5 0 1 1-5 0A5 5 0 1 1 5 0Z", square: "M-4.5-4.5H4.5V4.5H-4.5Z", diamond: "M0-6L5.4 0 0 6-5.4 0Z",
    "triangle-up": "M0-5.5L5.5 4.5H-5.5Z", cross: "M-1.8-5.5H1.8V-1.8H5.5V1.8H1.8V5.5H-1.8V1.8H-5.5V-1.8H-1.8Z",
    x: "M-3-5.6L0-2.6 3-5.6 5.6-3 2.6 0 5.6 3 3 5.6 0 2.6-3 5.6-5.6 3-2.6 0-5.6-3Z",
    star: "M0-6L1.6-2H6L2.5.8 3.8 5.3 0 2.6-3.8 5.3-2.5.8-6-2H-1.6Z", hexagon: "M0-5.6L4.9-2.8V2.8L0 5.6-4.9 2.8V-2.8Z",
  };
  const MAX_SEARCH_RESULTS = 30;
  const MAX_LISTED_TRACKS = 200;
  const MAX_CLUSTER_LABELS = 40;
  const MAX_OUTLINE_POINTS = 200;
  const MIN_LEADER = 24; // distance in pixels from which a line leads from a label to its cluster
  const POINT_SIZE = trackCount < 100 ? 11 : trackCount < 600 ? 9 : trackCount < 6000 ? 6 : 4;
  const [FULL, FAINT] = [0.85, 0.1]; // opacity of points
  const state = {
    colourBy: data.colour_options[0]?.key,
    hiddenGroups: new Map(), // colour option -> set of the keys of its hidden groups
    matches: null, // set of the rows that match the search; null without a search
    selected: null, // set of the selected rows; null without a selection
    outlines: [], // of the lasso, each with arrays x and y
    newest: null, // "search" or "selection": which of them was made last, and decides which points fade
    current: null, // row of the track on the card
    labelShown: false, // whether the card shows the support of the label
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
    for (const item of [...state.outlines, ...(data.weakest ? [data.weakest] : [])]) [item.x, item.y] = [item.y, item.x];
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
        { key: "unknown", name: option.missing, rows: unknown, colour: faint, symbol: "circle-open" },
      ].filter((group) => group.rows.length);
    }
    const rowsOfCode = option.names.map(() => []);
    const unknown = [];
    option.codes.forEach((code, row) => (code < 0 ? unknown : rowsOfCode[code]).push(row));
    const isListed = (code) => rowsOfCode[code].length || option.key === "correct"; // "wrong: 0" is news
    const used = option.names.map((_, code) => code).filter(isListed);
    const isColoured = (code) => option.slots[code] !== null && option.slots[code] < lines.length * SYMBOLS.length;
    const groups = used.filter(isColoured).map((code) => {
      const slot = option.slots[code];
      const symbol = SYMBOLS[(slot + Math.floor(slot / lines.length)) % SYMBOLS.length];
      return { key: `c${code}`, name: option.names[code], rows: rowsOfCode[code], colour: lines[slot % lines.length], symbol };
    });
    const others = used.filter((code) => !isColoured(code));
    if (others.length)
      groups.push({ key: "rest", name: `${others.length} others`, rows: others.flatMap((code) => rowsOfCode[code]), colour: faint, symbol: "circle" });
    if (unknown.length) groups.push({ key: "unknown", name: option.missing, rows: unknown, colour: faint, symbol: "circle-open" });
    return groups;
  };
  const hiddenGroups = () => {
    if (!state.hiddenGroups.has(state.colourBy)) state.hiddenGroups.set(state.colourBy, new Set());
    return state.hiddenGroups.get(state.colourBy);
  };
  const visibleGroups = () => groupTracks().filter((group) => !hiddenGroups().has(group.key));
  const isMatch = (row) => !state.matches || state.matches.has(row);
  const focusedRows = () => (state.newest === "search" ? state.matches || state.selected : state.selected || state.matches);
  const openRows = () => (state.current === null ? [] : [state.current, ...data.neighbours[state.current]]);
  const visibleRows = () => visibleGroups().flatMap((group) => group.rows).filter(isMatch).sort((a, b) => a - b);

  const quantiles = (numbers, fractions) => {
    const sorted = Float64Array.from(numbers).sort();
    return fractions.map((fraction) => sorted[Math.round(fraction * (sorted.length - 1))]);
  };
  const colourRange = (option) => {
    const [low, high] = option.range || quantiles(option.values.filter((number) => number !== null), [0.02, 0.98]);
    return { cmin: low, cmax: high };
  };
  const pointTrace = (group, opacity) => ({
    type: "scattergl", mode: "markers", meta: "points", name: group.name, customdata: group.rows, hoverinfo: "none",
    x: group.rows.map((row) => data.x[row]), y: group.rows.map((row) => data.y[row]),
    marker: {
      size: POINT_SIZE, symbol: group.symbol, line: { width: group.symbol.endsWith("-open") ? 1.5 : 0, color: group.colour },
      opacity,
      ...(group.numbers
        ? { color: group.numbers, colorscale: currentPalette().colourscale, ...colourRange(group.option) }
        : { color: group.colour }),
    },
    unselected: { marker: { opacity: FAINT } }, // while the lasso is drawn
  });
  const makePointTraces = () => { // the open track and its neighbours are drawn at full strength, even if their group is hidden
    const [focused, open, hidden] = [focusedRows(), new Set(openRows()), hiddenGroups()];
    return groupTracks().flatMap((group) => {
      const kept = group.rows.flatMap((row, at) => (!hidden.has(group.key) || open.has(row) ? [at] : []));
      if (!kept.length) return [];
      const rows = kept.map((at) => group.rows[at]);
      const drawn = kept.length === group.rows.length ? group : { ...group, rows, numbers: group.numbers && kept.map((at) => group.numbers[at]) };
      return [pointTrace(drawn, focused ? rows.map((row) => (focused.has(row) || open.has(row) ? FULL : FAINT)) : FULL)];
    });
  };
  const makeTraces = () => {
    const traces = makePointTraces();
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
      newselection: { line: { color: currentPalette().ink, width: 2, dash: "solid" } },
      selections: [], selectionrevision: selectionRevision += 1, // forget the selection of Plotly: the page keeps its own
      annotations: makeClusterLabels(), shapes: [...weakRegionShapes(), ...state.outlines.map(outlineShape)],
    };
  };
  let selectionRevision = 0;
  const outlineShape = ({ x, y }) => ({
    type: "path", xref: "x", yref: "y", path: `M${x.map((position, at) => `${position},${y[at]}`).join("L")}Z`,
    line: { color: currentPalette().ink, width: 1.5, dash: "dot" },
  });
  const weakRegionShapes = () => !data.weakest || state.colourBy !== "correct" ? [] : [{
    type: "circle", xref: "x", yref: "y", line: { color: currentPalette().ink, width: 2, dash: "dash" },
    x0: data.weakest.x - data.weakest.radius, x1: data.weakest.x + data.weakest.radius,
    y0: data.weakest.y - data.weakest.radius, y1: data.weakest.y + data.weakest.radius,
  }];

  // Labels of the clusters

  const shorten = (text) => {
    const limit = plot.clientWidth < 500 ? 24 : 34;
    return text.length > limit ? `${text.slice(0, limit - 1).trimEnd()}…` : text;
  };
  const escapeMarkup = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const LABEL_FONT = { size: 13, weight: 600 };
  const pen = document.createElement("canvas").getContext("2d");
  const clusterRows = data.clusters.map(() => []);
  colourOption("cluster")?.codes.forEach((code, row) => { if (code >= 0) clusterRows[code].push(row); });
  const sumOver = (rows, isCounted) => rows.reduce((count, row) => count + isCounted(row), 0);

  const listLabels = (toPixels, isInView) => { // the most important first; those of hidden or faded clusters last
    const [focused, shown] = [focusedRows(), new Set(visibleGroups().flatMap((group) => group.rows))];
    const labels = data.clusters.flatMap((cluster, number) => {
      const rows = clusterRows[number];
      const inView = rows.filter(isInView);
      if (inView.length < Math.min(3, cluster.tracks) || inView.length < 0.1 * cluster.tracks) return [];
      const isOn = sumOver(rows, (row) => shown.has(row)) >= 0.25 * cluster.tracks
        && (!focused || sumOver(rows, (row) => focused.has(row)) >= 0.1 * cluster.tracks);
      const members = inView.map((row) => toPixels(data.x[row], data.y[row]));
      return [{ text: `${shorten(cluster.name)} (${cluster.tracks})`, members, isOn, size: cluster.tracks, colour: clusterColour(number) }];
    });
    labels.sort((a, b) => b.isOn - a.isOn || b.size - a.size).splice(MAX_CLUSTER_LABELS);
    if (data.weakest && state.colourBy === "correct") {
      const { x, y, radius, error_rate: rate, tracks } = data.weakest;
      const [[left, top], [right, bottom]] = [toPixels(x - radius, y + radius), toPixels(x + radius, y - radius)];
      labels.unshift({ text: `highest error rate: ${formatPercent(rate)} of ${tracks}`, members: [[left, top], [right, top], [(left + right) / 2, bottom]], isOn: true, colour: currentPalette().ink });
    }
    return labels;
  };
  const weakRegionOutline = () => !data.weakest || state.colourBy !== "correct" ? [] : Array.from({ length: 90 }, (_, degrees) => [
    data.weakest.x + data.weakest.radius * Math.cos(degrees * Math.PI / 45), data.weakest.y + data.weakest.radius * Math.sin(degrees * Math.PI / 45),
  ]);
  const mixColours = (first, second, part) => {
    const [from, to] = [first, second].map((colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)));
    return `rgb(${from.map((level, at) => Math.round(level * (1 - part) + to[at] * part)).join(",")})`;
  };
  const clusterColour = (number) => {
    const { lines, ink } = currentPalette();
    const slot = state.colourBy === "cluster" ? colourOption("cluster").slots[number] : null;
    return slot === null ? ink : mixColours(lines[slot % lines.length], ink, 0.4); // some are too light for text
  };
  const makeClusterLabels = () => {
    const size = plot._fullLayout?._size;
    const { xaxis, yaxis } = plot.layout || {};
    if (!size || !xaxis?.range || !yaxis?.range) return [];
    const [width, height] = [xaxis, yaxis].map(({ range }) => range[1] - range[0]);
    const toPixels = (x, y) => [(x - xaxis.range[0]) / width * size.w, (yaxis.range[1] - y) / height * size.h];
    const toData = ([x, y]) => ({ x: xaxis.range[0] + x / size.w * width, y: yaxis.range[1] - y / size.h * height });
    const isInView = (row) => data.x[row] > xaxis.range[0] && data.x[row] < xaxis.range[1] && data.y[row] > yaxis.range[0] && data.y[row] < yaxis.range[1];
    const drawn = new Set([...visibleGroups().flatMap((group) => group.rows), ...openRows()]);
    const points = [...[...drawn].map((row) => [data.x[row], data.y[row]]), ...weakRegionOutline()].map(([x, y]) => toPixels(x, y));
    pen.font = `${LABEL_FONT.weight} ${LABEL_FONT.size}px ${getComputedStyle(document.body).fontFamily}`;
    const labels = listLabels(toPixels, isInView).map((label) => ({ ...label, width: pen.measureText(label.text).width }));
    return placeLabels(labels, { points, pointSize: POINT_SIZE, area: [size.w, size.h] }).map(({ label, centre, nearest, gap }) => {
      const annotation = { text: escapeMarkup(label.text), font: { ...LABEL_FONT, color: label.colour }, captureevents: false, opacity: label.isOn ? 1 : 0.3, borderpad: 0 };
      if (gap < MIN_LEADER) return { ...annotation, ...toData(centre), showarrow: false };
      return { // a thin line leads to the nearest track of the cluster
        ...annotation, ...toData(nearest), showarrow: true, arrowhead: 0, arrowwidth: 1, arrowcolor: currentPalette().faint, standoff: POINT_SIZE,
        ax: centre[0] - nearest[0], ay: centre[1] - nearest[1],
      };
    });
  };
  let [updatingLabels, labelsAreStale] = [false, false];
  const updateClusterLabels = async () => {
    labelsAreStale = true;
    if (updatingLabels) return;
    updatingLabels = true;
    while (labelsAreStale) {
      labelsAreStale = false;
      await Plotly.relayout(plot, { annotations: makeClusterLabels() });
    }
    updatingLabels = false;
  };
  const drawPlot = async () => {
    const isFirst = !plot._fullLayout; // labels are placed by the size of the plot, which is then unknown
    const config = { displayModeBar: false, scrollZoom: true, responsive: true, doubleClick: false };
    await Plotly.react(plot, makeTraces(), makeLayout(), config);
    if (isFirst) await updateClusterLabels();
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
    const known = option.values.filter((number) => number !== null);
    const ends = [ // the ends of the scale stand for everything beyond them
      (known.some((number) => number < cmin) ? "≤ " : "") + format(cmin), format((cmin + cmax) / 2), (known.some((number) => number > cmax) ? "≥ " : "") + format(cmax),
    ];
    const stops = currentPalette().colourscale.map(([fraction, colour]) => `${colour} ${100 * fraction}%`).join(",");
    const text = `Colours from ${ends[0]} to ${ends[2]}`;
    return makeElement("div", "", { class: "scale", role: "img", "aria-label": text },
      makeElement("div", "", { class: "bar", style: `background:linear-gradient(90deg,${stops})` }),
      makeElement("div", "", { class: "bar-ends" }, ...ends.map((end) => makeElement("span", end))));
  };
  const makeRegionKey = () => {
    const { error_rate: rate, tracks } = data.weakest;
    return makeElement("div", "", { class: "region-key" }, makeElement("span", "", { class: "dashed", "aria-hidden": "true" }),
      makeElement("span", `highest local error rate: ${formatPercent(rate)} of ${tracks} tracks`));
  };
  const selectVisible = makeButton("Select all visible", () => selectTracks(visibleRows()), { id: "select-visible" });
  const updateLegend = () => {
    const legend = byId("legend");
    legend.replaceChildren();
    const groups = groupTracks();
    const option = colourOption(state.colourBy);
    byId("legend-title").textContent = option ? `Legend: ${option.label}` : "Legend";
    if (option?.hint) legend.append(makeElement("p", option.hint, { class: "hint" }));
    const makeEntry = (group) => makeButton("", (event) => {
      const hidden = hiddenGroups();
      if (event.shiftKey) groups.forEach((one) => (one === group ? hidden.delete(one.key) : hidden.add(one.key)));
      else if (!hidden.delete(group.key)) hidden.add(group.key);
      redraw();
      [...legend.querySelectorAll("button.entry")][groups.indexOf(group)]?.focus();
    }, { class: "entry", "aria-pressed": String(!hiddenGroups().has(group.key)), title: "Show or hide; with the shift key, show only these" },
    ...(group.colour ? [makeSymbol(group)] : []), makeElement("span", group.name), makeElement("span", String(group.rows.length)));
    for (const group of groups) {
      if (group.numbers) legend.append(makeColourBar(group.option));
      legend.append(makeEntry(group));
    }
    if (data.weakest && state.colourBy === "correct") legend.append(makeRegionKey());
    const showAll = makeButton("All", () => { hiddenGroups().clear(); redraw(); });
    const hideAll = makeButton("None", () => { groups.forEach((group) => hiddenGroups().add(group.key)); redraw(); });
    legend.append(makeElement("div", "", { class: "row legend-buttons" }, ...(groups.length > 2 ? [showAll, hideAll] : []), selectVisible));
  };
  const redraw = () => { updateLegend(); return drawPlot(); };

  // Panel: the selected tracks, then the open track. On a narrow screen it is a sheet over the lower part of the map

  const panel = byId("panel");
  const panelIsSheet = () => getComputedStyle(panel).position === "fixed";
  const updatePanel = () => {
    panel.hidden = byId("card").hidden && byId("selection").hidden;
    document.querySelector("main").dataset.panel = panel.hidden ? "closed" : "open";
  };
  const announce = (text) => { byId("status").textContent = text; };
  const makeTrackButton = (row, details, options) => makeButton("", () => openTrack(row, options), {},
    makeElement("span", data.title[row]), makeElement("small", details ? ` ${details}` : ""));
  const makeTrackList = (buttons, attributes = {}) => makeElement("ol", "", { class: "tracks", ...attributes },
    ...buttons.map((button) => makeElement("li", "", {}, button)));
  const countTracks = (count) => `${count} ${count === 1 ? "track" : "tracks"}`;

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
      ["tags", tagsOf(row).join(", ")],
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
  // The label of a track in the terms of the command `errors`

  const explainMissingSupport = (row) => {
    const label = valueOf("genre", row);
    if (!label) return "This track has no label, so there is nothing to check.";
    if (!data.label_support) return "The labels of this library are not checked: that needs labels of two genres.";
    const { codes } = colourOption("genre");
    if (codes.filter((code) => code === codes[row]).length === 1) return `It is the only track with the label ${label}, so the label cannot be checked.`;
    return "The label is not checked, because the track has no vector of one of the embedders.";
  };
  const makeSupportBar = (role, name, support) => makeElement("div", "", { class: "support" }, makeElement("span", role, { class: "role" }), makeElement("span", name),
    makeElement("span", formatPercent(support), { class: "number" }),
    makeElement("span", "", { class: "meter", style: `--support:${(100 * support).toFixed(1)}%`, "aria-hidden": "true" }));
  const makeLabelSupport = (row) => {
    const table = data.label_support;
    const section = makeElement("div", "", { id: "label-support" });
    if (!table?.rank[row]) return section.append(makeElement("p", explainMissingSupport(row))), section;
    const [label, proposal] = [valueOf("genre", row), table.names[table.proposal[row]]];
    const isDoubtful = table.proposal_support[row] > table.support[row];
    section.append(
      makeElement("p", isDoubtful ? `${proposal} has more support than the label: the label may be wrong.` : "No other label has more support.", isDoubtful ? { class: "wrong" } : {}),
      makeSupportBar("label", label, table.support[row]), makeSupportBar("proposal", proposal, table.proposal_support[row]));
    if (table.voters[row].length)
      section.append(makeElement("h4", `Nearest tracks with the label ${proposal}`),
        makeTrackList(table.voters[row].map((other) => makeTrackButton(other, artistOf(other), { moveView: true }))));
    section.append(makeElement("p", `Number ${table.rank[row]} of ${table.tested} in the list of sonotheque errors, the least support first. Support is the mean of a `
      + "classifier’s probability and of the fraction of the ten nearest labelled tracks with the label. The classifier was trained without the track"
      + `${table.by_track[row] ? ", but with other tracks of its artist" : ""}.`, { class: "muted" }));
    return section;
  };
  const makeLabelButton = (row) => makeButton("Check the label", (event) => {
    state.labelShown = !state.labelShown;
    event.target.setAttribute("aria-expanded", String(state.labelShown));
    byId("label-support").hidden = !state.labelShown;
  }, { id: "check-label", "aria-expanded": String(state.labelShown), "aria-controls": "label-support" });

  const openTrack = (row, { playAudio = true, moveView = false } = {}) => {
    state.current = row;
    const similar = data.neighbours[row].map((other, rank) =>
      makeTrackButton(other, `${artistOf(other) || ""} ${data.similarities[row][rank].toFixed(2)}`, { moveView: true }));
    const close = makeButton("", closeTrack, { id: "close-track" }, makeElement("span", "Close", { class: "wide" }), makeElement("span", "Back to the map", { class: "narrow" }));
    const support = makeLabelSupport(row);
    support.hidden = !state.labelShown;
    const card = byId("card");
    const hadFocus = [panel, results].some((element) => element.contains(document.activeElement));
    const heading = makeElement("h2", data.title[row], { tabindex: "-1" });
    card.replaceChildren(makeElement("div", "", { class: "card-head" }, heading, close), player, playError, makeDefinitionList(listFacts(row)),
      makeLabelButton(row), support,
      ...(similar.length ? [makeElement("h3", "Most similar tracks"), makeTrackList(similar)] : []), makeExportButtons([row, ...data.neighbours[row]], "Export all as"));
    card.hidden = false;
    updatePanel();
    if (hadFocus) heading.focus({ preventScroll: true }); // the button that had it may be gone
    panel.scrollTop = state.selected ? card.offsetTop - panel.clientHeight / 3 : 0; // the selection stays above it
    player.setAttribute("aria-label", `Audio of ${data.title[row]}`);
    announce([data.title[row], artistOf(row), valueOf("genre", row)].filter(Boolean).join(", "));
    hover.hidden = true;
    if (playAudio) play(row);
    moveViewTo(row, { always: moveView });
    return drawPlot();
  };
  const visibleArea = () => { // of the plot, in its pixels: without what is outside the window or below the sheet
    const box = plot.getBoundingClientRect();
    const sheet = panel.getBoundingClientRect();
    const area = { left: Math.max(box.left, 0), top: Math.max(box.top, 0), right: Math.min(box.right, innerWidth), bottom: Math.min(box.bottom, innerHeight) };
    if (!panel.hidden && panelIsSheet()) {
      if (sheet.left <= box.left) area.bottom = Math.min(area.bottom, sheet.top);
      else area.right = Math.min(area.right, sheet.left);
    }
    return { left: area.left - box.left, top: area.top - box.top, right: area.right - box.left, bottom: area.bottom - box.top };
  };
  const moveViewTo = (row, { always }) => { // only if the track is not visible
    const { xaxis, yaxis } = plot.layout;
    const size = plot._fullLayout._size;
    const area = visibleArea();
    const isCovered = area.right - area.left < size.w || area.bottom - area.top < size.h;
    if (!always && !isCovered) return;
    const x = size.l + (data.x[row] - xaxis.range[0]) / (xaxis.range[1] - xaxis.range[0]) * size.w;
    const y = size.t + (yaxis.range[1] - data.y[row]) / (yaxis.range[1] - yaxis.range[0]) * size.h;
    const margin = panelIsSheet() ? 40 : 8;
    if (x > area.left + margin && x < area.right - margin && y > area.top + margin && y < area.bottom - margin) return;
    const right = (x - (area.left + area.right) / 2) / size.w * (xaxis.range[1] - xaxis.range[0]);
    const down = (y - (area.top + area.bottom) / 2) / size.h * (yaxis.range[1] - yaxis.range[0]);
    if (panelIsSheet()) viewBefore ??= [xaxis.range, yaxis.range];
    xaxis.range = xaxis.range.map((position) => position + right);
    yaxis.range = yaxis.range.map((position) => position - down);
  };
  let viewBefore = null; // the view that the sheet has moved; it comes back when the sheet is closed
  const restoreView = () => {
    if (viewBefore) [plot.layout.xaxis.range, plot.layout.yaxis.range] = viewBefore;
    viewBefore = null;
  };
  const closeTrack = () => {
    restoreView();
    const hadFocus = panel.contains(document.activeElement);
    state.current = null;
    player.pause();
    byId("card").hidden = true;
    updatePanel();
    if (hadFocus) plot.focus({ preventScroll: true });
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

  // Selection

  const selectTracks = (rows, outlines = []) => {
    const hadFocus = byId("selection").contains(document.activeElement);
    state.selected = rows.length ? new Set(rows) : null;
    state.outlines = rows.length ? outlines : [];
    state.newest = rows.length ? "selection" : "search";
    const section = byId("selection");
    section.replaceChildren();
    section.hidden = !rows.length;
    if (rows.length) {
      const heading = `${countTracks(rows.length)} selected`;
      const buttons = makeExportButtons(rows, "Export as");
      buttons.append(makeButton("Clear", () => selectTracks([]), { id: "clear-selection", title: "Clear the selection (Escape)" }));
      const listed = rows.slice(0, MAX_LISTED_TRACKS).map((row) => makeTrackButton(row, artistOf(row), { moveView: true }));
      section.append(makeElement("h2", heading), buttons, makeTrackList(listed));
      if (rows.length > listed.length) section.append(makeElement("p", `and ${rows.length - listed.length} more`, { class: "muted" }));
      announce(heading);
    }
    updatePanel();
    panel.scrollTop = 0;
    if (hadFocus && !rows.length) plot.focus({ preventScroll: true });
    return drawPlot();
  };
  const rowsInLasso = (event) => event.points.filter((point) => point.data.meta === "points").map((point) => point.customdata).filter(isMatch);
  const thinOut = (positions) => positions.filter((_, at) => at % Math.ceil(positions.length / MAX_OUTLINE_POINTS) === 0);
  const lasso = { cancelled: false, adds: false };
  const finishLasso = (event) => {
    if (!event?.lassoPoints || lasso.cancelled) return drawPlot(); // also drops the outline that Plotly has drawn
    const outline = { x: thinOut(event.lassoPoints.x), y: thinOut(event.lassoPoints.y) };
    const rows = new Set([...(lasso.adds && state.selected ? state.selected : []), ...rowsInLasso(event)]);
    return selectTracks([...rows].sort((a, b) => a - b), [...(lasso.adds ? state.outlines : []), outline]);
  };
  let tap = { at: 0, x: 0, y: 0, onTrack: false };
  plot.addEventListener("pointerdown", (event) => { tap = { at: event.timeStamp, x: event.clientX, y: event.clientY, onTrack: false }; }, true);
  plot.addEventListener("pointerup", (event) => { // a tap beside the points closes the sheet of a narrow screen
    if (panelIsSheet() && event.timeStamp - tap.at < 400 && Math.hypot(event.clientX - tap.x, event.clientY - tap.y) < 6)
      setTimeout(() => { if (!tap.onTrack && state.current !== null) closeTrack(); }, 150);
  }, true);
  plot.addEventListener("pointerdown", (event) => Object.assign(lasso, { cancelled: false, adds: event.shiftKey }), true);

  // Search

  const genreForSearch = (row) => {
    const predicted = valueOf("predicted", row);
    return valueOf("genre", row) || (predicted && `predicted ${predicted}`);
  };
  const tagsOf = (row) => data.tags.codes[row].map((code) => data.tags.names[code]);
  const search = makeTrackSearch(trackCount, [
    ["title", (row) => data.title[row]], ["artist", artistOf], ["genre", genreForSearch], ["album", (row) => decode(data.album, row)],
    ["tags", (row) => tagsOf(row).join(", ")], ["file", (row) => data.path[row]],
  ]);
  const searchBox = byId("search");
  const results = byId("results");
  const runSearch = () => {
    const words = search.parse(searchBox.value);
    const rows = search.find(words);
    state.matches = words.length ? new Set(rows) : null;
    state.newest = words.length ? "search" : "selection";
    results.replaceChildren();
    results.hidden = !words.length;
    hover.hidden = true;
    if (!words.length) return drawPlot();
    const shown = new Set(visibleGroups().flatMap((group) => group.rows));
    const hiddenCount = rows.filter((row) => !shown.has(row)).length;
    const count = rows.length ? `${countTracks(rows.length)} found${hiddenCount ? `, ${hiddenCount} hidden by the legend` : ""}` : "no tracks found";
    const head = makeElement("div", "", { class: "results-head" }, makeElement("span", count, { id: "result-count" }));
    if (rows.length > 1)
      head.append(makeButton("Select all", () => { results.hidden = true; selectTracks([...rows].sort((a, b) => a - b)); }, { id: "select-found" }));
    results.append(head);
    for (const row of rows.slice(0, MAX_SEARCH_RESULTS)) {
      results.append(makeButton("", () => { openTrack(row, { moveView: true }); results.hidden = true; }, { class: "hit" },
        makeElement("span", data.title[row]), makeElement("small", ` ${[artistOf(row), search.explain(row, words)].filter(Boolean).join(" · ")}`)));
    }
    if (rows.length > MAX_SEARCH_RESULTS) results.append(makeElement("p", `and ${rows.length - MAX_SEARCH_RESULTS} more`, { class: "muted" }));
    announce(count);
    return drawPlot();
  };
  let searchTimer = 0;
  searchBox.addEventListener("input", () => { clearTimeout(searchTimer); searchTimer = setTimeout(runSearch, 150); });
  searchBox.addEventListener("focus", () => { results.hidden = !results.childElementCount; });
  searchBox.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { clearTimeout(searchTimer); runSearch().then(() => results.querySelector("button.hit")?.click()); }
    else if (event.key === "ArrowDown") { event.preventDefault(); results.querySelector("button")?.focus(); }
  });
  results.addEventListener("keydown", (event) => {
    const buttons = [...results.querySelectorAll("button")];
    const next = buttons.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : NaN);
    if (Number.isNaN(next)) return;
    event.preventDefault();
    (next < 0 ? searchBox : buttons[Math.min(next, buttons.length - 1)]).focus();
  });
  document.addEventListener("pointerdown", (event) => { if (!event.target.closest(".search")) results.hidden = true; });

  // Mouse and keyboard

  let pointerMoved = -Infinity; // Plotly also reports the point under a pointer that rests, whenever the map is drawn again
  plot.addEventListener("pointermove", () => { pointerMoved = performance.now(); }, true);
  const showHover = (event) => {
    const point = event.points.find((one) => one.data.meta === "points");
    if (!point || event.event.buttons || performance.now() - pointerMoved > 500) return;
    const row = point.customdata;
    if (row === state.current) return;
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
    if (reoriented) await drawPlot();
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
  };
  const clearAll = () => { // search, selection, open track and a lasso that is being drawn
    clearTimeout(searchTimer);
    searchBox.value = "";
    lasso.cancelled = true;
    Object.assign(state, { matches: null, current: null });
    results.replaceChildren();
    if ([panel, results].some((element) => element.contains(document.activeElement))) plot.focus({ preventScroll: true });
    for (const element of [results, hover, byId("card")]) element.hidden = true;
    player.pause();
    restoreView();
    return selectTracks([]);
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") clearAll();
  });
  plot.addEventListener("keydown", (event) => {
    if (!KEYS[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  const setDragMode = (mode) => {
    state.dragMode = mode;
    plot.dataset.mode = mode;
    byId("pan").setAttribute("aria-pressed", String(mode === "pan"));
    byId("lasso").setAttribute("aria-pressed", String(mode === "lasso"));
    return Plotly.relayout(plot, { dragmode: mode });
  };
  byId("pan").addEventListener("click", () => setDragMode("pan"));
  byId("lasso").addEventListener("click", () => setDragMode("lasso"));
  byId("reset-view").addEventListener("click", resetView);
  const colourSelect = byId("colour");
  for (const option of data.colour_options) colourSelect.append(makeElement("option", option.label, { value: option.key }));
  colourSelect.addEventListener("change", () => {
    state.colourBy = colourSelect.value;
    redraw();
    document.querySelector(".legend").scrollTo(0, 0);
  });

  updateLegend();
  drawPlot().then(() => {
    plot.on("plotly_click", (event) => {
      const point = event.points.find((one) => one.data.meta === "points");
      if (!point) return;
      tap.onTrack = true;
      openTrack(point.customdata);
    });
    plot.on("plotly_hover", showHover);
    plot.on("plotly_unhover", () => { hover.hidden = true; });
    plot.on("plotly_selected", (event) => setTimeout(() => finishLasso(event)));
    plot.on("plotly_deselect", () => setTimeout(drawPlot));
    plot.on("plotly_relayout", (change) => {
      if (Object.keys(change).some((key) => key.startsWith("xaxis.range") || key.startsWith("yaxis.range"))) [viewChanged, viewBefore] = [true, null];
      if (!("annotations" in change)) updateClusterLabels();
    });
    document.documentElement.dataset.drawn = "yes";
  });
  darkScheme.addEventListener("change", redraw);
})();
