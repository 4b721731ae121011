// Keeps what was typed into <form data-keep="name"> while an idle logoff or a refusal
// stands between typing and sending. Only in this tab, only for this person, and never
// passwords or files.
const PREFIX = "countersign:form:";
const INTERRUPTED = "countersign:interrupted";
const UNKEPT = ["password", "file", "hidden", "submit", "button"];
const person = document.body.dataset.person || "";

const keyOf = (form) => `${PREFIX}${person}:${new URL(form.action).pathname}:${form.dataset.keep}`;
const isKept = (field) => field.name && !UNKEPT.includes(field.type);
const isToggle = (field) => field.type === "checkbox" || field.type === "radio";
const nameOf = (field) => (isToggle(field) ? `${field.name}=${field.value}` : field.name);

const valuesOf = (form) =>
  Object.fromEntries(
    [...form.elements].filter(isKept).map((field) => [nameOf(field), isToggle(field) ? field.checked : field.value]),
  );

const restore = (form, values) => {
  for (const field of [...form.elements].filter(isKept)) {
    const value = values[nameOf(field)];
    if (value === undefined) continue;
    if (isToggle(field)) field.checked = value;
    else field.value = value;
  }
  form.closest("details")?.setAttribute("open", "");
  for (const more of form.querySelectorAll("details")) more.open = true;
  const note = form.querySelector("[data-kept-note]");
  if (note) note.hidden = false;
};

const read = (key) => JSON.parse(sessionStorage.getItem(key));
const forget = (matches) => {
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith(PREFIX) && matches(key)) sessionStorage.removeItem(key);
  }
};

const watch = (form) => {
  const key = keyOf(form);
  const save = (sent) => sessionStorage.setItem(key, JSON.stringify({ sent, values: valuesOf(form) }));
  const kept = read(key);
  if (kept) restore(form, kept.values);
  form.addEventListener("input", () => save(false));
  form.addEventListener("submit", () => save(true));
};

if (document.querySelector("[data-sign-in], [data-refused]")) {
  sessionStorage.setItem(INTERRUPTED, "yes");
} else if (person) {
  forget((key) => !key.startsWith(`${PREFIX}${person}:`));
  // What was sent without an interruption has arrived.
  if (!sessionStorage.getItem(INTERRUPTED)) forget((key) => read(key).sent);
  sessionStorage.removeItem(INTERRUPTED);
  document.querySelectorAll("form[data-keep]").forEach(watch);
  for (const form of document.querySelectorAll("form[data-sign-out]")) {
    form.addEventListener("submit", () => forget(() => true));
  }
}
