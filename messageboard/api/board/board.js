// The page for people. It talks to the same API as everyone else, and puts whatever comes from
// there on the page as text only.
"use strict";

const PAGE = 20;
const FILE_BYTES_MAX = 20 * 1024 * 1024;
const REFRESH_MS = 5000;
const LOOK_MS_FIRST = 300;
const LOOK_MS_LONGEST = 5000;

const byId = (id) => document.getElementById(id);

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function showError(place, text) {
  place.textContent = text || "";
  place.hidden = !text;
}

// What the API says is wrong, in one sentence.
function describeFailure(status, answer) {
  const detail = answer && answer.detail;
  if (typeof detail === "string") return detail + ".";
  if (Array.isArray(detail) && detail.length > 0) {
    return detail.map((each) => each.loc[each.loc.length - 1] + ": " + each.msg).join(", ") + ".";
  }
  return "The board answered with an error (" + status + ").";
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("The board cannot be reached. Check your connection and try again.");
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Error(describeFailure(response.status, answer));
  return answer;
}

// A list of the newest things first, with a button for older ones. Identifiers may become visible out
// of order, so what is shown is known one by one.
class Feed {
  constructor({path, list, empty, older, error, render}) {
    Object.assign(this, {path, list, empty, older, error, render});
    this.shown = new Set();
    this.oldest = 0;
    this.failing = false;
    this.older.addEventListener("click", () => this.showOlder());
  }

  fetchPage(before) {
    const from = before === undefined ? "" : `&before=${before}`;
    return ask(`${this.path}?limit=${PAGE}${from}`);
  }

  async refresh() {
    try {
      let page = await this.fetchPage();
      if (this.shown.size === 0) {
        page.forEach((each) => this.add(each));
        this.older.hidden = page.length < PAGE;
      }
      // Pages that are new from end to end have more news below them.
      for (;;) {
        const news = page.filter((each) => each.id > this.oldest && !this.shown.has(each.id));
        news.forEach((each) => this.add(each));
        if (news.length < PAGE) break;
        page = await this.fetchPage(page[page.length - 1].id);
      }
      this.empty.hidden = this.shown.size > 0;
      if (this.failing) showError(this.error, "");
      this.failing = false;
    } catch (failure) {
      this.failing = true;
      showError(this.error, failure.message);
    }
  }

  add(each) {
    if (this.shown.has(each.id)) return;
    const item = this.render(each);
    item.dataset.id = each.id;
    const below = [...this.list.children].find((other) => Number(other.dataset.id) < each.id);
    this.list.insertBefore(item, below || null);
    this.shown.add(each.id);
    this.oldest = Math.min(this.oldest || each.id, each.id);
  }

  async showOlder() {
    this.older.disabled = true;
    try {
      const page = await this.fetchPage(this.oldest);
      page.forEach((each) => this.add(each));
      this.older.hidden = page.length < PAGE;
    } catch (failure) {
      this.failing = true;
      showError(this.error, failure.message);
    }
    this.older.disabled = false;
  }
}

function renderMessage(message) {
  const item = element("li");
  item.append(element("p", "author", message.author), element("p", "body", message.body));
  return item;
}

function showPicture(frame, image) {
  frame.replaceChildren();
  frame.dataset.status = image.status;
  if (image.status === "processed") {
    const link = element("a");
    const picture = element("img");
    picture.alt = `${image.filename}, with faces made unrecognisable`;
    picture.loading = "lazy";
    picture.src = image.processed_img_src;
    link.href = image.processed_img_src;
    link.target = "_blank";
    link.rel = "noopener";
    link.append(picture);
    frame.append(link);
  } else if (image.status === "failed") {
    frame.append(element("p", "", "This picture could not be anonymised, so it is not shown."));
  } else {
    frame.append(element("p", "working", "Anonymising…"));
  }
}

function renderPicture(image) {
  const item = element("li");
  const frame = element("div", "frame");
  item.append(frame, element("p", "name", image.filename || "(no name)"));
  showPicture(frame, image);
  if (image.status === "pending") watchPicture(frame, image.id);
  return item;
}

async function watchPicture(frame, id) {
  let pause = LOOK_MS_FIRST;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 1.2, LOOK_MS_LONGEST);
    if (document.hidden) continue;
    const image = await ask(`/image/${id}`).catch(() => null);
    if (image && image.status !== "pending") {
      showPicture(frame, image);
      const said = image.status === "processed" ? "is anonymised." : "could not be anonymised.";
      byId("picture-status").textContent = `${image.filename || "The picture"} ${said}`;
      return;
    }
  }
}

function upload(file, onProgress) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    form.append("file", file);
    const request = new XMLHttpRequest();
    request.open("POST", "/image/");
    request.responseType = "json";
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(Math.round((100 * event.loaded) / event.total));
    };
    request.onerror = () => reject(new Error("The picture could not be sent. Try again."));
    request.onload = () => {
      if (request.status === 200) resolve(request.response);
      else reject(new Error(describeFailure(request.status, request.response)));
    };
    request.send(form);
  });
}

const messages = new Feed({
  path: "/board/messages",
  list: byId("messages"),
  empty: byId("no-messages"),
  older: byId("older-messages"),
  error: byId("message-error"),
  render: renderMessage,
});
const pictures = new Feed({
  path: "/board/images",
  list: byId("pictures"),
  empty: byId("no-pictures"),
  older: byId("older-pictures"),
  error: byId("picture-error"),
  render: renderPicture,
});

async function postMessage(event) {
  event.preventDefault();
  const author = byId("author");
  const body = byId("body");
  const error = byId("message-error");
  for (const [field, name] of [[author, "your name"], [body, "a message"]]) {
    const blank = field.value.trim() === "";
    field.setAttribute("aria-invalid", String(blank));
    if (blank) {
      showError(error, `Please write ${name}.`);
      field.focus();
      return;
    }
  }
  byId("post").disabled = true;
  try {
    await ask("/message/", {
      method: "POST",
      headers: {"content-type": "application/json"},
      body: JSON.stringify({author: author.value, body: body.value}),
    });
    body.value = "";
    showError(error, "");
    remember(author.value);
    await messages.refresh();
    byId("message-status").textContent = "Posted.";
    body.focus();
  } catch (failure) {
    byId("message-status").textContent = "";
    showError(error, failure.message);
  }
  byId("post").disabled = false;
}

async function postPictures(files) {
  const status = byId("picture-status");
  const error = byId("picture-error");
  showError(error, "");
  for (const file of files) {
    if (file.size > FILE_BYTES_MAX) {
      showError(error, `${file.name} is larger than 20 MB.`);
      continue;
    }
    try {
      status.textContent = `Sending ${file.name}…`;
      await upload(file, (percent) => {
        status.textContent = `Sending ${file.name}… ${percent} %`;
      });
      status.textContent = `${file.name} was sent and is being anonymised.`;
      await pictures.refresh();
    } catch (failure) {
      status.textContent = "";
      showError(error, `${file.name}: ${failure.message}`);
    }
  }
}

// The browser may refuse to remember: then the name is typed again.
function remember(author) {
  try {
    localStorage.setItem("author", author);
  } catch {}
}
function remembered() {
  try {
    return localStorage.getItem("author") || "";
  } catch {
    return "";
  }
}

function acceptDrops() {
  const drop = byId("drop");
  const file = byId("file");
  file.addEventListener("change", async () => {
    await postPictures([...file.files]);
    file.value = "";
  });
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const kind of ["dragleave", "drop"]) {
    drop.addEventListener(kind, () => drop.classList.remove("over"));
  }
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    postPictures([...event.dataTransfer.files]);
  });
  // A picture that misses the field must not replace the page.
  for (const kind of ["dragover", "drop"]) {
    window.addEventListener(kind, (event) => event.preventDefault());
  }
}

byId("author").value = remembered();
byId("message-form").addEventListener("submit", postMessage);
acceptDrops();
messages.refresh();
pictures.refresh();
setInterval(() => {
  if (document.hidden) return;
  messages.refresh();
  pictures.refresh();
}, REFRESH_MS);
