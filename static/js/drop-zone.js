// Lets a file be dropped on [data-drop-zone] and names the chosen file.
const describe = (file) => {
  const kilobytes = file.size / 1000;
  const size = kilobytes < 1000 ? `${Math.max(1, Math.round(kilobytes))} kB` : `${(kilobytes / 1000).toFixed(1)} MB`;
  return `${file.name}, ${size}`;
};

for (const zone of document.querySelectorAll("[data-drop-zone]")) {
  const input = zone.querySelector('input[type="file"]');
  const name = zone.querySelector("[data-drop-name]");
  const show = () => {
    name.textContent = input.files.length ? describe(input.files[0]) : "";
  };
  const over = (event) => {
    event.preventDefault();
    zone.classList.add("is-over");
  };
  zone.addEventListener("dragenter", over);
  zone.addEventListener("dragover", over);
  zone.addEventListener("dragleave", () => zone.classList.remove("is-over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("is-over");
    if (!event.dataTransfer.files.length) return;
    const one = new DataTransfer();
    one.items.add(event.dataTransfer.files[0]);
    input.files = one.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
  input.addEventListener("change", show);
  show();
}
