// Says before the session ends, and hides the page when it has: patients' data must not
// stay on an unattended screen. The server's word is the truth: another tab may have been
// active, or signed out. Asking it is no activity; only "Stay signed in" is.
const notice = document.querySelector("[data-session-end]");
const { ask, wayIn } = notice.dataset;
const warnMs = Number(notice.dataset.warn) * 1000;
const person = document.body.dataset.person;
const stay = notice.querySelector("[data-session-stay]");
const said = notice.querySelector("[data-session-said]");
const clock = notice.querySelector("[data-session-clock]");
const ASK_EVERY_MS = 10_000;
const ANSWER_MS = 5000;

let limit = notice.dataset.limit;
let endsAt = Date.now() + Number(notice.dataset.left) * 1000;
let askedAt = 0;
let isAsking = false;
let isLeaving = false;
let wasAt = null; // where the person was before the notice took the focus

const WORDS = {
  idle: "You will be signed out soon, because nothing has happened for a while. What you typed is kept.",
  absolute: "This session ends soon: none lasts longer. What you typed is kept; sign in again to go on.",
};

const say = (words) => {
  if (said.textContent !== words) said.textContent = words; // a live region: once is enough
};

const warn = (leftMs) => {
  const seconds = Math.max(0, Math.ceil(leftMs / 1000));
  notice.classList.add("is-shown");
  stay.hidden = false;
  stay.querySelector("button").hidden = limit !== "idle"; // nothing puts off the absolute end
  say(WORDS[limit]);
  clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} left`;
};

const calm = () => {
  if (notice.contains(document.activeElement)) (wasAt || document.querySelector("main")).focus();
  notice.classList.remove("is-shown");
  stay.hidden = true;
  say("");
};

const cover = () => {
  document.body.toggleAttribute("data-covered", true);
  document.querySelector("[data-session-over]").hidden = false;
};

const uncover = () => {
  document.body.removeAttribute("data-covered");
  document.querySelector("[data-session-over]").hidden = true;
};

const addressBack = (why) => {
  const query = new URLSearchParams({ next: location.pathname + location.search });
  if (why) query.set("ended", why);
  return `${wayIn}?${query}`;
};

// Somebody else may be signed in by now: then the page opens again, as theirs.
const leave = (why) => {
  cover();
  if (isLeaving) return;
  isLeaving = true;
  document.querySelector("[data-session-back]").href = addressBack(why);
  location.replace(addressBack(why));
};

const heed = (answer) => {
  if (answer.person !== person) return leave(answer.limit || (Date.now() >= endsAt ? limit : ""));
  limit = answer.limit;
  endsAt = Date.now() + answer.seconds_left * 1000;
  if (answer.seconds_left > 0) uncover();
  if (endsAt - Date.now() > warnMs) calm();
};

const askServer = async () => {
  if (isAsking) return;
  isAsking = true;
  askedAt = Date.now();
  try {
    const answer = await fetch(ask, { signal: AbortSignal.timeout(ANSWER_MS) });
    if (answer.ok) heed(await answer.json());
  } catch {
    // Not reachable: a page past its time stays covered, and asks again.
  } finally {
    isAsking = false;
  }
};

// Timers rest in a hidden tab or on a sleeping machine, so the time is read, not counted.
const look = () => {
  const leftMs = endsAt - Date.now();
  if (leftMs > warnMs) return;
  if (leftMs <= 0) cover();
  const everyMs = leftMs <= 0 ? 1000 : ASK_EVERY_MS;
  if (Date.now() - askedAt >= everyMs) askServer();
  if (askedAt && leftMs > 0 && !isAsking) warn(leftMs);
};

const back = () => {
  if (document.visibilityState !== "visible") return;
  isLeaving = false;
  look();
  askServer();
};

stay.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const answer = await fetch(stay.action, {
      method: "POST",
      body: new FormData(stay),
      headers: { Accept: "application/json" }, // refusals as a status, not as a page
    });
    if (!answer.ok || answer.redirected) throw new Error(`status ${answer.status}`);
    heed(await answer.json());
  } catch {
    say("That did not reach the server. Reload this page to stay signed in; what you typed is kept.");
    askServer();
  }
});
document.addEventListener("focusin", ({ target }) => {
  if (!notice.contains(target)) wasAt = target;
});
document.addEventListener("visibilitychange", back);
window.addEventListener("pageshow", (event) => event.persisted && back());
setInterval(look, 1000);
