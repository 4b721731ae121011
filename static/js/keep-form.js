// Keeps what was typed into <form data-keep="name"> while an idle logoff stands between
// typing and sending. Only in this tab, only for this person, never passwords or files.
const PREFIX = "countersign:form:";
const INTERRUPTED = "countersign:interrupted";
const person = document.body.dataset.person || "";
const keyOf = (form) => `${PREFIX}${person}:${location.pathname}:${form.dataset.keep}`;

const isKept = (field) =>
  field.name && field.name !== "csrfmiddlewaretoken" && !["password", "file", "hidden", "submit", "button"].includes(field.type);

const valuesOf = (form) => {
  const values = {};
  for (const field of form.elements) {
    if (!isKept(field)) continue;
    if (field.type === "checkbox" || field.type === "radio") values[`${field.name}=${field.value}`] = field.checked;
    else values[field.name] = field.value;
  }
  return values;
};

const restore = (form, values) => {
  for (const field of form.elements) {
    if (!isKept(field)) continue;
    const toggle = field.type === "checkbox" || field.type === "radio";
    const value = values[toggle ? `${field.name}=${field.value}` : field.name];
    if (value === undefined) continue;
    if (toggle) field.checked = value;
    else field.value = value;
    field.closest("details")?.setAttribute("open", "");
  }
  const note = form.querySelector("[data-kept-note]");
  if (note) note.hidden = false;
};

const forget = (matches) => {
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith(PREFIX) && matches(key)) sessionStorage.removeItem(key);
  }
};

const watch = (form) => {
  const key = keyOf(form);
  const save = (sent) => sessionStorage.setItem(key, JSON.stringify({ sent, values: valuesOf(form) }));
  const kept = JSON.parse(sessionStorage.getItem(key) || "null");
  if (kept && (!kept.sent || sessionStorage.getItem(INTERRUPTED))) restore(form, kept.values);
  else if (kept) sessionStorage.removeItem(key);
  form.addEventListener("input", () => save(false));
  form.addEventListener("submit", () => save(true));
};

if (document.querySelector("[data-sign-in]")) {
  sessionStorage.setItem(INTERRUPTED, "yes");
} else if (person) {
  forget((key) => !key.startsWith(`${PREFIX}${person}:`));
  document.querySelectorAll("form[data-keep]").forEach(watch);
  sessionStorage.removeItem(INTERRUPTED);
  for (const form of document.querySelectorAll("form[data-sign-out]")) {
    form.addEventListener("submit", () => forget(() => true));
  }
}
