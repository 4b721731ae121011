// Fills an empty title in <form data-suggest-title> with the chosen notebook's first heading.
const MAX_BYTES = 10_000_000;

const headingOf = (notebook) => {
  for (const cell of notebook.cells) {
    if (cell.cell_type !== "markdown") continue;
    const found = [cell.source].flat().join("").match(/^#\s+(.+)$/m);
    if (found) return found[1].replace(/[*_`]/g, "").trim();
  }
  return "";
};

const suggest = async (file, title) => {
  if (!file || file.size > MAX_BYTES || title.value) return;
  let heading = "";
  try {
    heading = headingOf(JSON.parse(await file.text()));
  } catch {
    return; // not a notebook: the server says so, in words
  }
  if (!heading || title.value) return; // typed meanwhile
  title.value = heading.slice(0, title.maxLength);
  title.dispatchEvent(new Event("input", { bubbles: true }));
};

for (const form of document.querySelectorAll("form[data-suggest-title]")) {
  const { file, title } = form.elements;
  file.addEventListener("change", () => suggest(file.files[0], title));
}
