// Shows <time data-local> in the reader's zone, with UTC as its title; ticks [data-since].
const STYLES = {
  date: { dateStyle: "medium" },
  time: { timeStyle: "short" },
  second: { timeStyle: "medium" },
  full: { dateStyle: "medium", timeStyle: "short" },
};

const localise = (element) => {
  const moment = new Date(element.dateTime);
  if (Number.isNaN(moment.valueOf()) || element.dataset.localised) return;
  element.dataset.localised = "yes";
  element.title = `${element.dateTime.slice(0, 16).replace("T", " ")} UTC`;
  element.textContent = new Intl.DateTimeFormat("en-GB", STYLES[element.dataset.local] || STYLES.full).format(moment);
};

const tick = (element) => {
  const seconds = Math.max(0, Math.round((Date.now() - new Date(element.dataset.since)) / 1000));
  const words = seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (element.textContent !== words) element.textContent = words;
};

const localiseAll = () => document.querySelectorAll("time[data-local]").forEach(localise);
localiseAll();
document.addEventListener("htmx:load", localiseAll);
setInterval(() => document.querySelectorAll("[data-since]").forEach(tick), 1000);
