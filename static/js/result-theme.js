// Tells each result's frame which theme the reader chose, by the fragment of its address:
// the frame runs no script, belongs to another origin, and sees only the system's theme.
// A fragment loads nothing again, so the frame's single-use link stays good.
// A classic script in <head>, so that it is there before the first frame has loaded.
(() => {
  const root = document.documentElement;

  const tell = (frame) => {
    if (!frame.dataset.isLoaded) return; // until then a new address would be a second load
    const theme = root.dataset.bsTheme;
    if (theme) frame.src = `${frame.src.split("#")[0]}#cs-${theme}`;
  };

  // Load events do not bubble, but they are captured; frames may arrive later, by htmx.
  document.addEventListener(
    "load",
    ({ target }) => {
      if (!target.matches?.("iframe.result-frame") || target.dataset.isLoaded) return;
      target.dataset.isLoaded = "yes";
      tell(target);
    },
    true,
  );
  const tellAll = () => document.querySelectorAll("iframe.result-frame").forEach(tell);
  new MutationObserver(tellAll).observe(root, { attributeFilter: ["data-bs-theme"] });
})();
