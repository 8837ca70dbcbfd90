"use strict";

const AT_ONCE = 2;
const PALETTE = ["#4c78e8", "#f28e2b", "#2fae8f", "#e0526e", "#a77bdb", "#d3b13a", "#5cb8e4", "#c97b57", "#7fae4a", "#e58bc4", "#8a94a8", "#3f9a9a"];
const HEAT = [[5, 6, 12], [48, 16, 92], [140, 35, 102], [221, 78, 52], [251, 164, 60], [252, 253, 191]];
const SILENT = "the server does not answer; is it still running?";
const one = (selector, within = document) => within.querySelector(selector);

let model = null;
let opening = false;
let running = 0;
const waiting = [];
const players = new Set();

/* ---- the server ---- */

function token() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem("token", given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem("token");
}

function ask(path, options = {}) {
  const told = token();
  const headers = told ? { Authorization: `Bearer ${told}` } : {};
  return fetch(path, { ...options, headers, credentials: "omit" });
}

async function open() {
  let answer, said;
  opening = true;
  try {
    answer = await ask("/model");
    said = await answer.json();
  } catch {
    return lost(SILENT);
  } finally {
    opening = false;
  }
  const needs = answer.status === 401;
  if (!needs && !answer.ok) return lost(String(said.detail));
  one("#login").hidden = !needs;
  one("#drop").hidden = needs;
  if (needs) {
    one("#refused").textContent = sessionStorage.getItem("token") ? "That is not the token of this server." : "";
    one("#token").focus();
    return;
  }
  model = said;
  one("#model").textContent = describe(model);
  next();
}

function lost(words) {
  one("#model").textContent = words;
  for (const song of waiting.splice(0)) fail(song, words, true);
}

function describe(said) {
  const parts = [said.model, `${said.genres.length} genres`];
  if (said.judged) {
    const [low, high] = said.judged.track_accuracy_interval;
    parts.push(`names ${percent(said.judged.track_accuracy, 1)} of ${said.judged.tracks} test tracks right (95 % interval ${percent(low, 1)} to ${percent(high, 1)})`);
  } else {
    parts.push("not judged on test tracks");
  }
  return parts.join(" · ");
}

/* ---- songs ---- */

function add(files) {
  for (const file of files) {
    const item = one("#song").content.firstElementChild.cloneNode(true);
    const song = { file, item, audio: null, said: null, gone: new AbortController() };
    one(".name", item).textContent = file.name;
    one(".away", item).setAttribute("aria-label", `Remove ${file.name}`);
    one(".away", item).addEventListener("click", () => remove(song));
    one("#songs").prepend(item);
    state(song, "waits for its turn", "waits");
    waiting.push(song);
  }
  next();
}

function next() {
  if (!model && !opening && waiting.length) open();
  while (model && running < AT_ONCE && waiting.length) {
    running += 1;
    hear(waiting.shift()).finally(() => { running -= 1; next(); });
  }
}

async function hear(song) {
  if (song.file.size > model.max_mb * 1e6) {
    return fail(song, `too large: this server takes ${model.max_mb} MB at most`);
  }
  state(song, "is being heard …", "waits");
  const form = new FormData();
  form.append("file", song.file, song.file.name);
  while (song.item.isConnected) {
    let answer, said;
    try {
      answer = await ask("/predict?picture=true&lenient=true", { method: "POST", body: form, signal: song.gone.signal });
      said = await answer.json();
    } catch {
      if (song.gone.signal.aborted) return;
      return fail(song, SILENT, true);
    }
    if (answer.status === 503) {
      state(song, "the server is busy; this song waits", "waits");
      await new Promise(done => setTimeout(done, 1000 * Number(answer.headers.get("Retry-After") || 5)));
      continue;
    }
    if (!song.item.isConnected) return;
    if (answer.status === 401) open();
    if (answer.ok && said.genre !== null) return show(song, said);
    return fail(song, said.status ? `not read, ${said.status}: ${said.detail}` : String(said.detail), answer.status >= 500);
  }
}

function fail(song, words, again = false) {
  state(song, words, "bad");
  tell(`${song.file.name}: ${words}`);
  if (!again) return;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Try again";
  button.addEventListener("click", () => { state(song, "waits for its turn", "waits"); waiting.push(song); next(); });
  one(".state", song.item).append(" ", button);
}

function state(song, words, kind) {
  song.item.classList.remove("waits", "bad");
  if (kind) song.item.classList.add(kind);
  one(".state", song.item).textContent = words;
}

function remove(song) {
  song.gone.abort();
  const beside = song.item.nextElementSibling || song.item.previousElementSibling;
  if (song.audio) { song.audio.pause(); URL.revokeObjectURL(song.audio.src); players.delete(song); }
  const place = waiting.indexOf(song);
  if (place >= 0) waiting.splice(place, 1);
  song.item.remove();
  (beside ? one(".away", beside) : one("#choose")).focus();
}

function tell(words) { one("#told").textContent = words; }

/* ---- what was heard ---- */

function show(song, said) {
  song.said = said;
  state(song, "", null);
  const item = song.item;
  one(".found", item).hidden = false;
  const ranked = Object.entries(said.probabilities);
  const unsure = said.sure === false;
  one(".genre", item).textContent = unsure ? "Not sure" : said.genre;
  one(".share", item).textContent = unsure ? `perhaps ${said.genre}, ${percent(said.probability)}` : percent(said.probability);
  for (const [genre, share] of ranked.slice(unsure ? 0 : 1, unsure ? 4 : 4)) one(".others", item).append(runnerUp(genre, share));
  one(".remark", item).textContent = said.detail ? `Heard in part: ${said.detail}` : "";
  tell(`${song.file.name}: ${one(".genre", item).textContent}, ${one(".share", item).textContent}`);
  legend(song, ranked);
  passages(song);
  player(song);
  draw(song);
}

function runnerUp(genre, share) {
  const row = document.createElement("li");
  const name = document.createElement("span");
  const bar = document.createElement("div");
  const fill = document.createElement("i");
  const figure = document.createElement("em");
  name.textContent = genre;
  name.title = genre;
  bar.className = "bar";
  fill.style.width = `${100 * share}%`;
  fill.style.background = colour(genre);
  bar.append(fill);
  figure.textContent = percent(share);
  row.append(name, bar, figure);
  return row;
}

function legend(song, ranked) {
  const most = new Map();
  for (const moment of song.said.timeline)
    for (const [genre, share] of Object.entries(moment.probabilities)) most.set(genre, Math.max(share, most.get(genre) || 0));
  for (const [genre] of ranked.filter(([name]) => most.get(name) > 0.12)) {
    const row = document.createElement("li");
    const dot = document.createElement("i");
    dot.style.background = colour(genre);
    row.append(dot, genre);
    one(".legend", song.item).append(row);
  }
}

function passages(song) {
  if (song.said.passages.length < 2) return;
  for (const each of song.said.passages) {
    const row = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `${clock(each.start)}–${clock(each.end)} ${each.genre}`;
    button.style.borderLeftColor = colour(each.genre);
    button.addEventListener("click", () => seek(song, each.start));
    row.append(button);
    one(".passages", song.item).append(row);
  }
}

/* ---- playing ---- */

function player(song) {
  const audio = song.audio = new Audio(URL.createObjectURL(song.file));
  const play = one(".play", song.item), picture = one(".picture", song.item);
  players.add(song);
  picture.setAttribute("aria-valuemax", Math.round(song.said.seconds));
  play.addEventListener("click", () => audio.paused ? audio.play().catch(() => mute(song)) : audio.pause());
  audio.addEventListener("play", () => {
    for (const other of players) if (other !== song) other.audio.pause();
    play.textContent = "❚❚"; play.setAttribute("aria-label", "Pause");
    follow(song);
  });
  audio.addEventListener("pause", () => { play.textContent = "▶"; play.setAttribute("aria-label", "Play"); });
  audio.addEventListener("timeupdate", () => mark(song));
  audio.addEventListener("error", () => mute(song));
  picture.addEventListener("pointerdown", event => seek(song, at(song, event)));
  picture.addEventListener("pointermove", event => { if (event.buttons) seek(song, at(song, event)); });
  picture.addEventListener("keydown", event => {
    const steps = { ArrowLeft: -5, ArrowRight: 5, PageDown: -30, PageUp: 30, Home: -Infinity, End: Infinity };
    if (event.key in steps) seek(song, audio.currentTime + steps[event.key]);
    else if (event.key === " " || event.key === "Enter") play.click();
    else return;
    event.preventDefault();
  });
  mark(song);
}

function mute(song) {
  one(".play", song.item).disabled = true;
  one(".play", song.item).title = "This browser cannot play this file";
}

function at(song, event) {
  const box = one(".picture", song.item).getBoundingClientRect();
  return (event.clientX - box.left) / box.width * song.said.seconds;
}

function seek(song, seconds) {
  const kept = Math.min(Math.max(seconds, 0), song.said.seconds);
  song.audio.currentTime = kept;
  mark(song, kept);
}

function follow(song) {
  mark(song);
  if (!song.audio.paused) requestAnimationFrame(() => follow(song));
}

function mark(song, seconds = song.audio.currentTime) {
  const said = song.said;
  const picture = one(".picture", song.item);
  one(".cursor", song.item).style.left = `${100 * Math.min(seconds / said.seconds, 1)}%`;
  one(".time", song.item).textContent = `${clock(seconds)} / ${clock(said.seconds)}`;
  const now = said.timeline.find(each => seconds < each.end) || said.timeline[said.timeline.length - 1];
  one(".now", song.item).textContent = `${now.genre} ${percent(now.probability)}`;
  picture.setAttribute("aria-valuenow", Math.round(seconds));
  picture.setAttribute("aria-valuetext", `${clock(seconds)}, ${now.genre}`);
}

/* ---- pictures ---- */

function draw(song) {
  mel(one(".mel", song.item), song.said);
  areas(one(".genres", song.item), song.said);
}

function mel(canvas, said) {
  const { bands, columns, data } = said.picture;
  const bytes = Uint8Array.from(atob(data), each => each.charCodeAt(0));
  canvas.width = Math.max(columns, 1);
  canvas.height = bands;
  const context = canvas.getContext("2d"), image = context.createImageData(canvas.width, bands);
  for (let band = 0; band < bands; band += 1)
    for (let column = 0; column < columns; column += 1) {
      const [red, green, blue] = heat(bytes[band * columns + column] / 255);
      image.data.set([red, green, blue, 255], 4 * ((bands - 1 - band) * canvas.width + column));
    }
  context.putImageData(image, 0, 0);
}

function areas(canvas, said) {
  const width = canvas.width = Math.round(canvas.clientWidth * devicePixelRatio) || 600;
  const height = canvas.height = Math.round(canvas.clientHeight * devicePixelRatio) || 84;
  const context = canvas.getContext("2d");
  const x = seconds => seconds / said.seconds * width;
  said.timeline.forEach((moment, place) => {
    const end = place + 1 < said.timeline.length ? said.timeline[place + 1].start : said.seconds;
    let top = height;
    for (const genre of model.genres) {
      const tall = moment.probabilities[genre] * height;
      context.fillStyle = colour(genre);
      context.fillRect(Math.floor(x(moment.start)), top - tall, Math.ceil(x(end)) - Math.floor(x(moment.start)), tall + 0.5);
      top -= tall;
    }
  });
}

function heat(share) {
  const place = Math.min(share, 0.9999) * (HEAT.length - 1), low = Math.floor(place), rest = place - low;
  return HEAT[low].map((value, channel) => value + (HEAT[low + 1][channel] - value) * rest);
}

/* ---- words ---- */

function colour(genre) { return PALETTE[model.genres.indexOf(genre) % PALETTE.length]; }

function percent(share, digits = 0) { return `${(100 * share).toFixed(digits)} %`; }

function clock(seconds) {
  const whole = Math.round(seconds), hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60, rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/* ---- what people do ---- */

one("#choose").addEventListener("change", event => { add(event.target.files); event.target.value = ""; });
one("#login").addEventListener("submit", event => {
  event.preventDefault();
  sessionStorage.setItem("token", one("#token").value.trim());
  open();
});
for (const kind of ["dragenter", "dragover"])
  addEventListener(kind, event => { event.preventDefault(); one("#drop").classList.add("over"); });
for (const kind of ["dragleave", "drop"])
  addEventListener(kind, event => { event.preventDefault(); one("#drop").classList.remove("over"); });
addEventListener("drop", event => { if (!one("#drop").hidden) add(event.dataTransfer.files); });
addEventListener("resize", () => { for (const song of players) areas(one(".genres", song.item), song.said); });
addEventListener("hashchange", open);
open();
