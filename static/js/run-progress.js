// Follows a run: server-sent events ask htmx for the newest fragment; where they cannot
// be had, the fragment is asked for every two seconds. Both end with the run.
const FALLBACK_MS = 2000;

const follow = (run) => {
  let source = null;
  let timer = null;
  const isOver = () => !document.querySelector("[data-run-events]");
  const refresh = () => {
    if (isOver()) return stop();
    window.htmx.trigger(document.querySelector("[data-run-events]"), "progress");
  };
  const stop = () => {
    source?.close();
    clearInterval(timer);
  };
  const poll = () => {
    source?.close();
    timer ??= setInterval(refresh, FALLBACK_MS);
  };
  if (!("EventSource" in window)) return poll();
  source = new EventSource(run.dataset.runEvents);
  source.onmessage = refresh;
  source.addEventListener("progress", refresh);
  source.addEventListener("finished", () => {
    source.close();
    poll();
    refresh();
  });
  source.onerror = poll;
};

const run = document.querySelector("[data-run-events]");
if (run) follow(run);
