// [data-live-frame] opens the frame that shows what a run shows while it runs.  Its document
// ends with the run, so it is opened after this page has loaded, which would else seem to load
// all that time.  Browsers look at a fragment when a document has ended, too late here: which
// theme the reader chose stands in the query.
const open = (box) => {
  const frame = box.querySelector("template").content.firstElementChild.cloneNode();
  const theme = document.documentElement.dataset.bsTheme;
  if (theme) frame.setAttribute("src", `${frame.getAttribute("src")}?theme=${theme}`);
  box.append(frame);
};
const openAll = () => document.querySelectorAll("[data-live-frame]").forEach(open);
if (document.readyState === "complete") openAll();
else addEventListener("load", openAll, { once: true });
