"use strict";
(() => {
  const page = JSON.parse(document.getElementById("issues-data").textContent);
  const cards = [...document.querySelectorAll(".card")];
  const LABEL = page.columns.indexOf("label");
  const PROPOSAL = page.columns.indexOf("proposal");
  const FILE_NAME = "corrections.csv";
  const KEEPING = new Set(["", "ok", "keep"]); // what `errors --apply` reads as: keep the label
  const known = new Map(page.genres.map((genre) => [genre.toLowerCase(), genre]));
  const status = document.getElementById("status");
  const notice = document.getElementById("notice");

  const fill = (template, values) => template.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  const showNotice = (text, isWarning = false) => {
    notice.textContent = text;
    notice.classList.toggle("warning", isWarning);
    notice.hidden = !text;
  };

  // Decisions: the genre of each row, or null if there is none. They are kept in the browser where it allows that.
  let decisions = cards.map(() => null);
  let isKept = true;
  let isSaved = true;

  const readStored = () => {
    try {
      const stored = JSON.parse(localStorage.getItem(page.id) ?? "null");
      if (Array.isArray(stored) && stored.length === cards.length)
        return stored.map((one) => (typeof one === "string" && one.length <= 200 ? one : null));
    } catch {
      isKept = false;
    }
    return null;
  };

  const store = () => {
    try {
      localStorage.setItem(page.id, JSON.stringify(decisions));
    } catch {
      isKept = false;
    }
  };

  const isNew = (genre) => genre !== null && !known.has(genre.toLowerCase());
  const labelOf = (row) => page.rows[row][LABEL];
  const isChange = (row) => decisions[row] !== null && decisions[row] !== labelOf(row);
  const command = () => `${page.command} ${FILE_NAME}${decisions.some(isNew) ? " --new-genres" : ""}`;

  const showCard = (row) => {
    const card = cards[row];
    const genre = decisions[row];
    const state = card.querySelector(".state");
    const chosen = genre === null ? "" : genre === labelOf(row) ? "keep" : genre === page.rows[row][PROPOSAL] ? "suggestion" : "other";
    for (const button of card.querySelectorAll(".choice"))
      button.setAttribute("aria-pressed", String(button.dataset.choice === chosen));
    const isTyped = chosen === "other" && isNew(genre);
    const list = card.querySelector(".genre-list");
    const field = card.querySelector(".new-genre");
    list.value = chosen === "other" && !isTyped ? genre : "";
    list.classList.toggle("chosen", chosen === "other" && !isTyped);
    field.classList.toggle("chosen", isTyped);
    if (document.activeElement !== field) field.value = isTyped ? genre : "";
    state.textContent = genre === null ? "" : chosen === "keep" ? `✓ ${page.messages.kept}` : `→ ${genre}`;
    state.classList.toggle("kept", chosen === "keep");
  };

  const showProgress = () => {
    const decided = decisions.filter((one) => one !== null).length;
    const changed = decisions.filter((_, row) => isChange(row)).length;
    document.getElementById("progress-text").textContent = fill(page.messages.progress, { decided, count: cards.length, changed });
    document.getElementById("progress").value = decided;
    document.getElementById("command").textContent = command();
    document.getElementById("new-genres-note").hidden = !decisions.some(isNew);
  };

  const decide = (row, genre) => {
    decisions[row] = genre;
    isSaved = false;
    store();
    showCard(row);
    showProgress();
    showNotice(isKept ? "" : page.messages.not_kept, true);
    status.textContent = cards[row].querySelector(".state").textContent;
  };

  const decideTyped = (row, text) => {
    const genre = text.trim().replace(/\s+/g, " ");
    if (!genre) {
      if (isNew(decisions[row])) decide(row, null);
    } else if (KEEPING.has(genre.toLowerCase())) {
      decide(row, labelOf(row));
    } else {
      decide(row, known.get(genre.toLowerCase()) ?? genre);
      if (isNew(decisions[row])) status.textContent = fill(page.messages.new_genre, { genre });
    }
  };

  // The current card, for the keys.
  let current = -1;
  const setCurrent = (row, scroll = false) => {
    if (row < 0 || row >= cards.length) return;
    if (current >= 0) cards[current].classList.remove("current");
    current = row;
    cards[row].classList.add("current");
    if (scroll) {
      cards[row].focus({ preventScroll: true });
      cards[row].scrollIntoView({ block: "start" });
    }
  };

  // One player for all tracks.
  const player = new Audio();
  let playing = null;
  const stop = () => {
    player.pause();
    if (playing) {
      playing.setAttribute("aria-pressed", "false");
      playing.setAttribute("aria-label", fill(page.messages.play, { title: page.titles[Number(playing.dataset.sound)] }));
    }
    playing = null;
  };
  const toggle = (button) => {
    const wasPlaying = playing === button;
    stop();
    if (wasPlaying) return;
    const number = Number(button.dataset.sound);
    playing = button;
    button.setAttribute("aria-pressed", "true");
    button.setAttribute("aria-label", fill(page.messages.pause, { title: page.titles[number] }));
    player.src = page.sounds[number];
    player.play().catch((error) => {
      if (error.name === "AbortError") return; // another track was started
      stop();
      showNotice(fill(page.messages.cannot_play, { title: page.titles[number] }), true);
    });
  };
  player.addEventListener("ended", stop);

  // The CSV has the columns and the quoting of `errors --csv`.
  const quote = (field) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);
  const makeCsv = () => {
    const rows = page.rows.map((fields, row) => [...fields, isChange(row) ? decisions[row] : ""]);
    return [page.columns, ...rows].map((fields) => `${fields.map(quote).join(",")}\n`).join("");
  };
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([makeCsv()], { type: "text/csv;charset=utf-8" }));
    link.download = FILE_NAME;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    isSaved = true;
    const hasChanges = decisions.some((_, row) => isChange(row));
    showNotice(hasChanges ? fill(page.messages.saved, { file: FILE_NAME }) : page.messages.nothing_decided);
  };

  cards.forEach((card, row) => {
    card.addEventListener("focusin", () => setCurrent(row));
    card.addEventListener("click", (event) => {
      setCurrent(row);
      const button = event.target.closest("button");
      if (!button) return;
      if (button.classList.contains("play")) toggle(button);
      if (!button.classList.contains("choice")) return;
      const genre = button.dataset.choice === "keep" ? labelOf(row) : page.rows[row][PROPOSAL];
      decide(row, decisions[row] === genre ? null : genre);
    });
    card.querySelector(".genre-list").addEventListener("change", (event) => decide(row, event.target.value || null));
    const field = card.querySelector(".new-genre");
    field.addEventListener("input", () => decideTyped(row, field.value));
    field.addEventListener("blur", () => showCard(row));
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") setCurrent(row + 1, true);
      if (event.key === "Escape") cards[row].focus();
    });
  });

  const decideByKey = (genre) => {
    decide(current, genre);
    if (genre !== null) setCurrent(current + 1, true);
  };
  const keys = {
    ArrowDown: () => setCurrent(current + 1, true),
    ArrowUp: () => setCurrent(Math.max(0, current - 1), true),
    p: () => {
      const button = cards[current].querySelector(".head .play");
      if (button) toggle(button);
    },
    1: () => decideByKey(labelOf(current)),
    2: () => decideByKey(page.rows[current][PROPOSAL]),
    3: () => cards[current].querySelector(".genre-list").focus(),
    0: () => decideByKey(null),
  };
  document.addEventListener("keydown", (event) => {
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action || !cards.length || event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select")) return;
    event.preventDefault();
    if (current < 0 && event.key !== "ArrowDown") setCurrent(0);
    action();
  });

  if (cards.length) {
    document.getElementById("save").addEventListener("click", save);
    decisions = readStored() ?? decisions;
    store();
    cards.forEach((_, row) => showCard(row));
    showProgress();
    if (!isKept) showNotice(page.messages.not_kept, true);
    else if (decisions.some((one) => one !== null)) showNotice(page.messages.restored);
    addEventListener("beforeunload", (event) => {
      if (!isKept && !isSaved) event.preventDefault();
    });
  }
  document.documentElement.dataset.drawn = "yes";
})();
