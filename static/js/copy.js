// Copies data-copy (a whole digest, an address) and says so.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const said = button.querySelector("[data-copy-said]");
  said.textContent = "Copied";
  setTimeout(() => {
    said.textContent = button.dataset.copyLabel || "Copy";
  }, 2000);
});
for (const button of document.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
