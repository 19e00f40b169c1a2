"use strict";
(() => {
  const report = JSON.parse(document.getElementById("report-data").textContent);
  const darkScheme = matchMedia("(prefers-color-scheme: dark)");
  const narrowScreen = matchMedia("(max-width: 34rem)");
  const PRINT_WIDTH = 690; // CSS pixels of the text on a printed A4 page
  const COLOUR_KEYS = new Set(["color", "fillcolor"]);

  // Colours in the figures are tokens such as "@0" or "@ink".
  const resolveColour = (token, palette) => {
    if (Array.isArray(token)) return token.map((one) => resolveColour(one, palette));
    if (typeof token !== "string" || !token.startsWith("@")) return token;
    const name = token.slice(1);
    return /^\d+$/.test(name) ? palette.lines[Number(name)] : palette[name];
  };

  const resolveColours = (value, palette) => {
    if (Array.isArray(value)) return value.map((one) => resolveColours(one, palette));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => {
      if (key === "colorscale") return [key, palette.scale];
      return [key, COLOUR_KEYS.has(key) ? resolveColour(one, palette) : resolveColours(one, palette)];
    }));
  };

  const styleLayout = (layout, palette) => {
    const result = {
      ...structuredClone(layout), autosize: true, dragmode: false,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: palette.ink, size: narrowScreen.matches ? 11 : 13, family: getComputedStyle(document.body).fontFamily },
      hoverlabel: { bgcolor: palette.ink, font: { color: palette.scale[0][1] } },
    };
    for (const name of ["xaxis", "yaxis"]) {
      const axis = { ...result[name], fixedrange: true, automargin: true, gridcolor: palette.grid, linecolor: palette.faint };
      axis.title = { ...axis.title, standoff: 10 };
      result[name] = axis;
    }
    if (narrowScreen.matches) result.margin = { ...result.margin, l: 40, r: 8 };
    return result;
  };

  const drawFigures = (scheme, width) => report.figures.map((figure) => {
    const container = document.getElementById(`plot-${figure.key}`);
    const palette = report.palettes[scheme];
    const layout = styleLayout(figure.layout, palette);
    if (width) Object.assign(layout, { width, autosize: false });
    const options = { displayModeBar: false, responsive: !width };
    return Plotly.react(container, resolveColours(figure.data, palette), layout, options)
      .catch((error) => {
        container.textContent = report.messages.figureFailed;
        console.error(figure.key, error);
      });
  });
  const draw = () => Promise.all(drawFigures(darkScheme.matches ? "dark" : "light"));

  const createElement = (name, text, attributes = {}) => {
    const element = document.createElement(name);
    if (text) element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };

  const createPlayer = (track) => createElement("audio", "", {
    controls: "", preload: "none", src: track.excerpt, "aria-label": track.playLabel,
  });

  const panel = document.getElementById("cell-tracks");
  const showCell = (row, column) => {
    const cell = report.cells[`${row}-${column}`];
    panel.replaceChildren();
    panel.hidden = false;
    const closeButton = createElement("button", report.messages.close, { type: "button", class: "close" });
    closeButton.addEventListener("click", () => { panel.hidden = true; });
    panel.append(createElement("h3", cell ? cell.title : report.messages.noTracks), closeButton);
    const list = createElement("ul");
    for (const [number, probability] of cell ? cell.tracks : []) {
      const track = report.tracks[number];
      const item = createElement("li");
      item.append(
        createElement("strong", track.title), ` · ${track.artist} · `,
        createElement("span", probability, { class: "quiet" }),
      );
      if (track.excerpt) item.append(createPlayer(track));
      else item.append(" · ", createElement("a", report.messages.openFile, { href: track.href }));
      list.append(item);
    }
    panel.append(list);
    for (const button of document.querySelectorAll("[data-cell]"))
      button.setAttribute("aria-pressed", String(button.dataset.cell === `${row}-${column}`));
    panel.scrollIntoView({ block: "nearest" });
  };

  for (const button of document.querySelectorAll("[data-cell]"))
    button.addEventListener("click", () => showCell(...button.dataset.cell.split("-").map(Number)));
  for (const element of document.querySelectorAll("[data-track]")) {
    const track = report.tracks[Number(element.dataset.track)];
    if (track.excerpt) element.replaceChildren(createPlayer(track));
  }

  draw().then(() => {
    for (const key of ["confusion", "confusion_rates"]) {
      const container = document.getElementById(`plot-${key}`);
      container.classList.add("clickable");
      container.on("plotly_click", (event) => showCell(event.points[0].y, event.points[0].x));
    }
    document.documentElement.dataset.drawn = "yes";
  });
  darkScheme.addEventListener("change", draw);
  narrowScreen.addEventListener("change", draw);
  const folded = () => [...document.querySelectorAll("details.unfold-in-print:not([open])")];
  let unfolded = [];
  addEventListener("beforeprint", () => {
    unfolded = folded(); // paper cannot be unfolded
    for (const details of unfolded) details.open = true;
    drawFigures("light", PRINT_WIDTH);
  });
  addEventListener("afterprint", () => {
    for (const details of unfolded) details.open = false;
    draw();
  });
})();
