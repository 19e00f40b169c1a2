"use strict";
// Finds tracks by words in any of their fields, ignoring case and accents. The first two fields are title and artist.
const makeTrackSearch = (count, fields) => {
  const foldText = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const makeEntry = (row) => {
    const texts = fields.map(([, getText]) => foldText(getText(row) || ""));
    return { texts, name: texts.slice(0, 2).join("\n"), all: texts.join("\n") };
  };
  let entries = null; // made by the first search
  const getEntries = () => entries ??= Array.from({ length: count }, (_, row) => makeEntry(row));
  return {
    parse: (text) => foldText(text).split(/\s+/).filter(Boolean),
    find: (words) => { // rows that contain all words, ordered by the last field that is needed to find them; none without words
      if (!words.length) return [];
      const found = fields.map(() => []);
      getEntries().forEach(({ texts, all }, row) => {
        if (!words.every((word) => all.includes(word))) return;
        found[Math.max(1, ...words.map((word) => texts.findIndex((text) => text.includes(word))))].push(row);
      });
      return found.flat();
    },
    explain: (row, words) => { // the field, other than title and artist, in which words were found, such as "genre: rock"; null if there is none
      const { name, texts } = getEntries()[row];
      const missing = words.filter((word) => !name.includes(word));
      const at = texts.findIndex((text, field) => field > 1 && missing.some((word) => text.includes(word)));
      return at < 0 ? null : `${fields[at][0]}: ${fields[at][1](row)}`;
    },
  };
};
