"use strict";
(() => {
  const page = JSON.parse(document.getElementById("report-data").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 34rem)");
  const PRINTED = 690; // CSS pixels of the text on a printed A4 page
  const COLOURS = new Set(["color", "fillcolor"]);

  const colour = (token, palette) =>
    Array.isArray(token) ? token.map((one) => colour(one, palette))
      : /^@\d+$/.test(token) ? palette.lines[Number(token.slice(1))]
        : typeof token === "string" && token.startsWith("@") ? palette[token.slice(1)] : token;

  const coloured = (value, palette) => {
    if (Array.isArray(value)) return value.map((one) => coloured(one, palette));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) =>
      [key, key === "colorscale" ? palette.scale : COLOURS.has(key) ? colour(one, palette) : coloured(one, palette)]));
  };

  const dressed = (layout, palette) => {
    const result = {
      ...structuredClone(layout), autosize: true, dragmode: false,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: palette.ink, size: narrow.matches ? 11 : 13, family: getComputedStyle(document.body).fontFamily },
      hoverlabel: { bgcolor: palette.ink, font: { color: palette.scale[0][1] } },
    };
    for (const side of ["xaxis", "yaxis"]) {
      const axis = { ...result[side], fixedrange: true, automargin: true, gridcolor: palette.grid, linecolor: palette.faint };
      axis.title = { ...axis.title, standoff: 10 };
      result[side] = axis;
    }
    if (narrow.matches) {
      result.margin = { ...result.margin, l: 40, r: 8 };
    }
    return result;
  };

  const drawAll = (scheme, width) => page.figures.map((figure) => {
    const place = document.getElementById(`plot-${figure.key}`);
    const palette = page.palettes[scheme];
    const layout = dressed(figure.layout, palette);
    if (width) Object.assign(layout, { width, autosize: false });
    return Plotly.react(place, coloured(figure.data, palette), layout, { displayModeBar: false, responsive: !width })
      .catch((error) => {
        place.textContent = page.words.failed;
        console.error(figure.key, error);
      });
  });
  const draw = () => Promise.all(drawAll(dark.matches ? "dark" : "light"));

  const make = (name, text, attributes = {}) => {
    const element = document.createElement(name);
    if (text) element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };

  const player = (track) => make("audio", "", {
    controls: "", preload: "none", src: track.clip, "aria-label": track.play,
  });

  const panel = document.getElementById("cell-tracks");
  const show = (row, column) => {
    const cell = page.cells[`${row}-${column}`];
    panel.replaceChildren();
    panel.hidden = false;
    const close = make("button", page.words.close, { type: "button", class: "close" });
    close.addEventListener("click", () => { panel.hidden = true; });
    panel.append(make("h3", cell ? cell.title : page.words.empty), close);
    const list = make("ul");
    for (const [number, probability] of cell ? cell.tracks : []) {
      const track = page.tracks[number];
      const item = make("li");
      item.append(make("strong", track.title), ` · ${track.artist} · `, make("span", probability, { class: "quiet" }));
      if (track.clip) item.append(player(track));
      else item.append(" · ", make("a", page.words.open, { href: track.href }));
      list.append(item);
    }
    panel.append(list);
    for (const button of document.querySelectorAll("[data-cell]"))
      button.setAttribute("aria-pressed", String(button.dataset.cell === `${row}-${column}`));
    panel.scrollIntoView({ block: "nearest" });
  };

  for (const button of document.querySelectorAll("[data-cell]"))
    button.addEventListener("click", () => show(...button.dataset.cell.split("-").map(Number)));
  for (const place of document.querySelectorAll("[data-track]")) {
    const track = page.tracks[Number(place.dataset.track)];
    if (track.clip) place.replaceChildren(player(track));
  }

  draw().then(() => {
    for (const key of ["confusion", "confusion_rates"]) {
      const place = document.getElementById(`plot-${key}`);
      place.classList.add("clickable");
      place.on("plotly_click", (event) => show(event.points[0].y, event.points[0].x));
    }
    document.documentElement.dataset.drawn = "yes";
  });
  dark.addEventListener("change", draw);
  narrow.addEventListener("change", draw);
  addEventListener("beforeprint", () => drawAll("light", PRINTED));
  addEventListener("afterprint", draw);
})();
